// Fan-out: one message to every client, and how many deliveries a second a server manages.
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { startMeasured } from "../compare/measured.ts";
import { Crowd } from "./crowd.ts";
import { references, say as sayPlainly, socketIo } from "./readers.ts";
import { median } from "./statistics.ts";

export type FanOut = {
  server: string;
  clients: number;
  /** Messages that reached a client, in a second. */
  perSecond: number;
  /** The same in a second of the server's CPU time: what it could do on a core of its own. */
  perCpuSecond: number;
  /** Memory of a connection while nothing is sent, in bytes. */
  bytesPerConnection: number;
};

type Contestant = {
  server: string;
  program: string;
  args?: string[];
  path?: string;
  greeting?: string;
  /** How to publish to this server, if not as to a lesson. */
  say?: (text: string) => string;
};

export const plainest = "plainest loop, encoded once";
const contestants: Contestant[] = [
  { server: "encoded for each client", program: references, args: ["each"] },
  { server: plainest, program: references, args: ["once"] },
  { server: "lesson 4", program: "lessons/04-broadcast/server.ts" },
  {
    server: "lesson 7",
    program: "lessons/07-outbox/server.ts",
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

/** 32 characters make a message of lesson 4 a frame of about 100 bytes. */
const text = "thirty-two characters, not fewer";
/** On some systems a process may open 20,000 files, so no more clients than this are connected at the same time. */
const atOnce = 10_000;

/**
 * Measures all contestants with this many clients each. Where that is possible they run together and take turns, round
 * after round. Otherwise they run one after another, and again in reverse order, so a machine that becomes slower in
 * between affects all of them. `progress` is called after each turn.
 */
export async function fanOut(
  clients: number,
  rounds: number,
  messages: number,
  progress = () => {},
): Promise<FanOut[]> {
  const runs: Omit<FanOut, "clients">[] = [];
  const run = async (these: Contestant[], rounds: number) => {
    const opened: Awaited<ReturnType<typeof open>>[] = [];
    try {
      for (const contestant of these) opened.push(await open(contestant, clients, messages));
      for (let round = 0; round < rounds; round++)
        for (const { server, bytesPerConnection, publish } of opened) {
          runs.push({ server, bytesPerConnection, ...(await publish()) });
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

async function open(contestant: Contestant, clients: number, messages: number) {
  const { program, args, path = "/", greeting = "", say = sayPlainly } = contestant;
  // The clients of the crowd don't answer pings.
  const server = await startMeasured(program, {
    args,
    env: { MAX_CONNECTIONS: "20000", PING_EVERY_MS: "600000" },
  });
  const memory = async () => (await server.ask("memory")) ?? 0;
  const before = await memory();
  const crowd = await Crowd.connect(server.port, clients, { path, greeting }).catch(async (error) => {
    // That also disconnects the clients that were accepted. The next measurement needs their file handles.
    await server.kill();
    throw error;
  });
  // It connects last and is sent to last: when it has a message, every client has.
  const speaker = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, { perMessageDeflate: false });
  await once(speaker, "open");
  if (greeting) speaker.send(greeting);
  let received = 0;
  speaker.on("message", (data) => data.toString().includes(text) && received++);
  await pause(300);

  /** Publishes the messages in one go, and waits until every client has all of them. */
  async function publish(): Promise<Pick<FanOut, "perSecond" | "perCpuSecond">> {
    const [receivedAll, framesAll] = [received + messages, crowd.frames + messages * clients];
    const cpuUs = (await server.ask("cpu")) ?? 0;
    const fromMs = performance.now();
    for (let n = 0; n < messages; n++) speaker.send(say(text));
    while (received < receivedAll || crowd.frames < framesAll) {
      await new Promise(setImmediate);
      const missing = framesAll - crowd.frames;
      if (crowd.lost > 0 || performance.now() - fromMs > 20_000)
        throw new Error(
          `${contestant.server}: ${crowd.lost} clients were disconnected, ${missing} messages missing`,
        );
    }
    const seconds = (performance.now() - fromMs) / 1_000;
    const cpuSeconds = (((await server.ask("cpu")) ?? 0) - cpuUs) / 1_000_000;
    const delivered = messages * (clients + 1);
    return { perSecond: delivered / seconds, perCpuSecond: delivered / cpuSeconds };
  }

  const end = async () => {
    speaker.terminate();
    crowd.end();
    await server.kill();
  };
  // Warms up before the memory is measured. That collects the garbage, and a server that had sent only a little by then
  // sent a quarter slower from then on: V8 throws away what it knows about objects of which none exists at the moment.
  await publish().catch(async (error) => {
    await end();
    throw error;
  });
  const bytesPerConnection = ((await memory()) - before) / (clients + 1);
  return { server: contestant.server, bytesPerConnection, publish, end };
}
