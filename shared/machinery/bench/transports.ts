// Transports: the same stream of messages over each of them. How late, how many bytes, how much CPU time of the server.
import { request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import type { Message } from "../../both/message.ts";
import { startMeasured } from "../compare/measured.ts";
import {
  greet,
  longPolling,
  type Open,
  polling,
  references,
  say,
  serverSentEvents,
  socketIo,
  webSocket,
} from "./readers.ts";
import { quantile } from "./statistics.ts";

export type Transport = {
  transport: string;
  clients: number;
  messagesPerSecond: number;
  /** For each message that reached a client. */
  bytes: number;
  requests: number;
  /** The server's CPU time in microseconds, with what it takes to be published to. */
  cpuUs: number;
  /** From publishing a message to the moment a client has it, in milliseconds. */
  p50: number;
  p99: number;
  /** Messages that never arrived, over all clients. */
  lost: number;
};

type Contestant = {
  transport: string;
  program: string;
  args?: string[];
  open: Open;
  /** How a message is published. By a POST, if not given. */
  speaker?: { path?: string; greeting?: string; say: (text: string) => string };
  /** Bytes of JSON around the text when it reaches a client. */
  around: number;
};

/** `{"id":100,"from":"b","text":"","at":1790000000000}` */
const bare = 50;

const contestants: Contestant[] = [
  {
    transport: "polling every 1 s",
    program: "lessons/01-polling/server.ts",
    open: polling(1_000),
    around: bare,
  },
  {
    transport: "polling every 100 ms",
    program: "lessons/01-polling/server.ts",
    open: polling(100),
    around: bare,
  },
  {
    transport: "long polling",
    program: "lessons/02-long-polling/server.ts",
    open: longPolling,
    around: bare,
  },
  {
    transport: "server-sent events",
    program: "lessons/08-server-sent-events/server.ts",
    open: serverSentEvents,
    around: bare,
  },
  {
    transport: "WebSocket",
    program: "lessons/03-chat/server.ts",
    open: webSocket(),
    speaker: { say },
    around: bare + '"type":"message",'.length,
  },
  {
    transport: "WebSocket, compressed",
    program: references,
    args: ["compressed"],
    open: webSocket({ compressed: true }),
    speaker: { say },
    around: bare + '"type":"message",'.length,
  },
  {
    transport: "socket.io",
    program: references,
    args: ["socket.io"],
    open: webSocket({ ...socketIo, unwrap: (text) => text.startsWith("42") && JSON.parse(text.slice(2))[1] }),
    speaker: socketIo,
    around: bare,
  },
];

/** Measures each transport with this many clients and messages a second, all at the same time or one after another. */
export async function transports(
  clients: number,
  messagesPerSecond: number,
  seconds: number,
  order: "together" | "in turn",
): Promise<Transport[]> {
  const measured: Transport[] = [];
  const jobs = contestants.map(
    (contestant) => () => measure(contestant, clients, messagesPerSecond, seconds),
  );
  if (order === "together") return Promise.all(jobs.map((job) => job()));
  for (const job of jobs) measured.push(await job());
  return measured;
}

async function measure(
  { transport, program, args, open, speaker, around }: Contestant,
  clients: number,
  messagesPerSecond: number,
  seconds: number,
): Promise<Transport> {
  const server = await startMeasured(program, { args, env: { BEAT_EVERY_MS: "600000" } });
  try {
    const late: number[] = [];
    let from = Number.POSITIVE_INFINITY;
    let to = Number.POSITIVE_INFINITY;
    let published = 0;
    let delivered = 0;
    // The text says when it was published, by the one clock of this process.
    const receive = ({ text }: Message) => {
      const publishedMs = Number(text.split(" ")[0]);
      delivered++;
      if (publishedMs >= from && publishedMs <= to) late.push(performance.now() - publishedMs);
    };
    const readers = await Promise.all(Array.from({ length: clients }, () => open(server.port, receive)));
    const speak = speaker ? await socketSpeaker(server.port, speaker) : postSpeaker(server.port);
    const publish = () => {
      const now = performance.now();
      if (now >= from && now <= to) published++;
      speak.say(now.toFixed(3).padEnd(100 - around, " and so on"));
    };
    let next: NodeJS.Timeout | undefined;
    // At random moments, as people talk. On a fixed beat, every poll would be late by the same amount.
    const goOn = () => {
      next = setTimeout(
        () => {
          publish();
          goOn();
        },
        (Math.random() * 2_000) / messagesPerSecond,
      );
    };
    publish();
    goOn();
    await pause(1_200);

    // Counted in one turn: a message between two of these would have its bytes here and not its delivery.
    const totals = async () => ({
      delivered,
      bytes: readers.reduce((sum, reader) => sum + reader.bytes(), 0),
      requests: readers.reduce((sum, reader) => sum + reader.requests(), 0),
      cpuUs: (await server.ask("cpu")) ?? 0,
    });
    const before = await totals();
    from = performance.now();
    await pause(seconds * 1_000);
    to = performance.now();
    const after = await totals();
    clearTimeout(next);
    // The last messages are still on their way, or wait for the next poll.
    for (let n = 0; n < 100 && late.length < published * clients; n++) await pause(50);
    for (const reader of readers) reader.end();
    speak.end();
    const deliveries = Math.max(1, after.delivered - before.delivered);
    const each = (what: keyof typeof before) => (after[what] - before[what]) / deliveries;
    return {
      transport,
      clients,
      messagesPerSecond,
      bytes: Math.round(each("bytes")),
      requests: round(each("requests")),
      cpuUs: Math.round(each("cpuUs")),
      p50: round(quantile(late, 0.5)),
      p99: round(quantile(late, 0.99)),
      lost: published * clients - late.length,
    };
  } finally {
    await server.kill();
  }
}

/** Two digits: further digits would differ in the next run. */
const round = (value: number) => Number(value.toPrecision(2));

function postSpeaker(port: number) {
  return {
    say(text: string) {
      const body = JSON.stringify({ from: "b", text });
      const headers = { "Content-Type": "application/json" };
      const post = request({ port, host: "127.0.0.1", method: "POST", path: "/messages", headers });
      post.on("response", (response) => response.resume());
      // A message that the server doesn't take is counted as lost. The last answer may be cut off by the server's end.
      post.on("error", () => {});
      post.end(body);
    },
    end() {},
  };
}

async function socketSpeaker(
  port: number,
  { path = "/", greeting, say }: NonNullable<Contestant["speaker"]>,
) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { perMessageDeflate: false });
  await greet(socket, greeting ?? "");
  return { say: (text: string) => socket.send(say(text)), end: () => socket.terminate() };
}
