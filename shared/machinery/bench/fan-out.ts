// Fan-out: one message to all, and how many deliveries a second a server manages.
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { Crowd } from "./crowd.ts";
import { references, start } from "./measured.ts";
import { say as sayPlainly, socketIo } from "./readers.ts";
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
  path?: string;
  greeting?: string;
  /** How something is said to it, if not as to a lesson. */
  say?: (text: string) => string;
};

export const plainest = "plainest loop, encoded once";
const contestants: Contestant[] = [
  { server: "encoded for each client", program: references, args: ["each"] },
  { server: plainest, program: references, args: ["once"] },
  { server: "lesson 4", program: "04-broadcast/server.ts" },
  {
    server: "lesson 6",
    program: "06-resume/server.ts",
    greeting: '{"type":"resume","after":0}',
  },
  { server: "whole frame encoded once", program: references, args: ["frame"] },
  {
    server: "socket.io",
    program: references,
    args: ["socket.io"],
    ...socketIo,
  },
];

/** 32 characters, with which a message of lesson 4 is a frame of about 100 bytes. */
const text = "thirty-two characters, not fewer";
/** A process may open 20,000 files on some systems: more clients than this are not there at the same time. */
const atOnce = 10_000;

/**
 * All contestants with so many clients each. Where that is possible they are there together and take turns, round
 * after round; else they come one after another, there and back again: a machine that grows slower in between meets
 * all of them. `progress` is called after each turn.
 */
export async function fanOut(
  clients: number,
  rounds: number,
  messages: number,
  progress = () => {},
): Promise<FanOut[]> {
  const runs: FanOut[] = [];
  const run = async (these: Contestant[], rounds: number) => {
    const opened: Awaited<ReturnType<typeof open>>[] = [];
    try {
      for (const contestant of these) opened.push(await open(contestant, clients));
      // The first round is for warming up.
      for (let round = 0; round <= rounds; round++)
        for (const one of opened) {
          const result = await one.say(messages);
          if (round > 0) runs.push(result);
          progress();
        }
    } finally {
      await Promise.all(opened.map((one) => one.end()));
    }
  };
  if (clients * contestants.length <= atOnce) await run(contestants, rounds);
  else for (const one of [...contestants, ...contestants.toReversed()]) await run([one], rounds / 2);

  return contestants.map(({ server }) => {
    const its = runs.filter((run) => run.server === server);
    const middle = (of: "perSecond" | "perCpuSecond" | "bytesPerConnection") =>
      Math.round(median(its.map((run) => run[of])));
    return {
      server,
      clients,
      perSecond: middle("perSecond"),
      perCpuSecond: middle("perCpuSecond"),
      bytesPerConnection: middle("bytesPerConnection"),
    };
  });
}

async function open(contestant: Contestant, clients: number) {
  const { program, args, path = "/", greeting = "", say = sayPlainly } = contestant;
  const server = await start(program, args);
  const before = await server.ask("memory");
  const crowd = await Crowd.connect(server.port, clients, { path, greeting }).catch(async (error) => {
    // With it go those who were let in: what is measured next needs the files that they hold.
    await server.kill();
    throw error;
  });
  // Comes last and hears last: when it has a message, so has everybody.
  const speaker = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, { perMessageDeflate: false });
  await once(speaker, "open");
  if (greeting) speaker.send(greeting);
  let heard = 0;
  speaker.on("message", (data) => data.toString().includes(text) && heard++);
  await pause(300);
  const bytesPerConnection = ((await server.ask("memory")) - before) / (clients + 1);

  return {
    /** So many messages in one go, until everybody has heard them all. */
    async say(messages: number): Promise<FanOut> {
      const [heardAll, framesAll] = [heard + messages, crowd.frames + messages * clients];
      const cpuUs = await server.ask("cpu");
      const fromMs = performance.now();
      for (let n = 0; n < messages; n++) speaker.send(say(text));
      while (heard < heardAll || crowd.frames < framesAll) {
        await new Promise(setImmediate);
        const missing = framesAll - crowd.frames;
        if (crowd.lost > 0 || performance.now() - fromMs > 20_000)
          throw new Error(
            `${contestant.server}: ${crowd.lost} clients were ended, ${missing} messages missing`,
          );
      }
      const seconds = (performance.now() - fromMs) / 1_000;
      const cpuSeconds = ((await server.ask("cpu")) - cpuUs) / 1_000_000;
      const delivered = messages * (clients + 1);
      return {
        server: contestant.server,
        clients,
        perSecond: delivered / seconds,
        perCpuSecond: delivered / cpuSeconds,
        bytesPerConnection,
      };
    },
    async end() {
      speaker.terminate();
      crowd.end();
      await server.kill();
    },
  };
}
