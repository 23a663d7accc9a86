// Fan-out: one message to all, and how many deliveries a second a server manages.
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { Crowd } from "./crowd.ts";
import { start } from "./measured.ts";
import { median } from "./statistics.ts";

export type FanOut = {
  server: string;
  clients: number;
  /** Messages that reached a client, a second. */
  perSecond: number;
  /** The same, a second of the server's CPU time: what it could do on a core of its own. */
  perCpuSecond: number;
  /** Memory that a connection takes while nothing is said, in bytes. */
  bytesPerConnection: number;
};

type Contestant = {
  server: string;
  program: string;
  args?: string[];
  env?: Record<string, string>;
  path?: string;
  greetings?: string[];
  /** How it is told to say something. */
  say?: (text: string) => string;
};

const reference = "08-compare/bench/references.ts";
export const plainest = "plainest loop, encoded once";
const contestants: Contestant[] = [
  { server: "encoded for each client", program: reference, args: ["each"] },
  { server: plainest, program: reference, args: ["once"] },
  { server: "lesson 4", program: "04-broadcast/server.ts" },
  {
    server: "lesson 6",
    program: "06-resume/server.ts",
    greetings: ['{"type":"resume","after":0}'],
  },
  { server: "whole frame encoded once", program: reference, args: ["frame"] },
  {
    server: "socket.io",
    program: reference,
    args: ["socket.io"],
    path: "/socket.io/?EIO=4&transport=websocket",
    greetings: ["40"],
    say: (text) => `42["say",${JSON.stringify({ from: "bench", text })}]`,
  },
];

/** 28 characters, with which a message of lesson 4 is a frame of about 100 bytes. */
const text = "twenty-eight characters long";
/** So many messages are on their way at any time: the server always has something to do. */
const underWay = 4;

/** All contestants with so many clients, there and back again: a machine that grows slower in between meets each twice. */
export async function fanOut(clients: number, seconds: number, progress: () => void): Promise<FanOut[]> {
  const runs: FanOut[] = [];
  for (const contestant of [...contestants, ...contestants.toReversed()]) {
    runs.push(await measure(contestant, clients, seconds));
    progress();
  }
  return contestants.map(({ server }) => {
    const both = runs.filter((run) => run.server === server);
    const middle = (of: "perSecond" | "perCpuSecond" | "bytesPerConnection") =>
      Math.round(median(both.map((run) => run[of])));
    return {
      server,
      clients,
      perSecond: middle("perSecond"),
      perCpuSecond: middle("perCpuSecond"),
      bytesPerConnection: middle("bytesPerConnection"),
    };
  });
}

async function measure(contestant: Contestant, clients: number, seconds: number): Promise<FanOut> {
  const { program, args, env, path = "/", greetings = [], say = plainSay } = contestant;
  const server = await start(program, args, env);
  try {
    const before = await server.ask("memory");
    const crowd = await Crowd.connect(server.port, clients, { path, greetings });
    // Comes last and hears last: when it has a message, so has everybody.
    const speaker = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, { perMessageDeflate: false });
    await once(speaker, "open");
    for (const greeting of greetings) speaker.send(greeting);
    await pause(300);
    const after = await server.ask("memory");

    let over = false;
    let spoken = 0;
    let heard = 0;
    const speak = () => {
      spoken++;
      speaker.send(say(text));
    };
    speaker.on("message", (data) => {
      if (!data.toString().includes(text)) return;
      heard++;
      if (!over) speak();
    });
    for (let n = 0; n < underWay; n++) speak();
    await pause(seconds * 300);
    const first = { frames: crowd.frames, atMs: performance.now(), cpuUs: await server.ask("cpu") };
    await pause(seconds * 1_000);
    const last = { frames: crowd.frames, atMs: performance.now(), cpuUs: await server.ask("cpu") };
    over = true;
    for (const end = performance.now() + 5_000; heard < spoken && performance.now() < end; ) await pause(20);
    if (heard < spoken || crowd.lost > 0)
      throw new Error(`${contestant.server}: ${spoken - heard} messages and ${crowd.lost} clients were lost`);
    speaker.terminate();
    crowd.end();
    const frames = last.frames - first.frames;
    return {
      server: contestant.server,
      clients,
      perSecond: frames / ((last.atMs - first.atMs) / 1_000),
      perCpuSecond: frames / ((last.cpuUs - first.cpuUs) / 1_000_000),
      bytesPerConnection: (after - before) / (clients + 1),
    };
  } finally {
    await server.kill();
  }
}

function plainSay(text: string): string {
  return JSON.stringify({ type: "say", from: "bench", text });
}
