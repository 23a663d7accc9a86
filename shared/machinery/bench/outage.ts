// After an outage: how many clients hit the server in the same moment, and how long the last one waits.
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { defaults, type State, stayConnected } from "../../pieces/stay-connected.ts";
import { startMeasured } from "../compare/measured.ts";
import { anyFreePort } from "../launcher/ports.ts";
import { references } from "./readers.ts";
import { quantile } from "./statistics.ts";

export type Return = {
  way: string;
  clients: number;
  awaySeconds: number;
  /** The largest share of the clients whose attempts fell into one span of 100 ms. */
  worst100Ms: number;
  /** Seconds from the moment the server was back until 99 of 100 clients were. */
  backAfter: number;
};

/** A client that reconnects in its own way, and reports each attempt and its success. */
type Come = (url: string, tries: () => void, isBack: () => void) => { close(): void };

/** As it is often written: the next attempt follows `pauseMs(n)` after attempt n has failed. */
const without =
  (pauseMs: (attempt: number) => number): Come =>
  (url, tries, isBack) => {
    let attempt = 0;
    let socket: WebSocket | undefined;
    const connect = () => {
      tries();
      socket = new WebSocket(url, { perMessageDeflate: false });
      socket.on("open", isBack);
      socket.on("error", () => {});
      socket.on("close", () => socket && setTimeout(connect, pauseMs(attempt++)));
    };
    connect();
    return {
      close() {
        const last = socket;
        socket = undefined;
        last?.terminate();
      },
    };
  };

/** Lesson 5. */
const fullJitter =
  (capMs: number): Come =>
  (url, tries, isBack) => {
    const onstate = ({ name }: State) => name === "connecting" && tries();
    const handlers = { onopen: isBack, onmessage() {}, onstate };
    return stayConnected(url, handlers, { capMs, WebSocket });
  };

export const ways = {
  fixed: { name: "a fixed second", come: without(() => 1_000) },
  doubling: { name: "doubling, from half a second", come: without((attempt) => 500 * 2 ** attempt) },
  jitter5: { name: "full jitter, at most 5 s", come: fullJitter(5_000) },
  jitter12: { name: "full jitter, at most 12 s (lesson 5)", come: fullJitter(defaults.capMs) },
};

/** The server is down for `awaySeconds`. All its clients were connected before. */
export async function comeBack(
  way: keyof typeof ways,
  clients: number,
  awaySeconds: number,
): Promise<Return> {
  const { name, come } = ways[way];
  const env = { PORT: String(await anyFreePort()) };
  let server = await startMeasured(references, { args: ["once"], env });
  const attempts: number[] = [];
  const back: number[] = [];
  const crowd = Array.from({ length: clients }, () =>
    come(
      `ws://127.0.0.1:${server.port}`,
      () => attempts.push(performance.now()),
      () => back.push(performance.now()),
    ),
  );
  const areBack = async (share: number) => {
    while (back.length < clients * share) await pause(20);
  };
  try {
    await areBack(1);
    attempts.length = back.length = 0;
    const downMs = performance.now();
    await server.kill();
    await pause(awaySeconds * 1_000 - (performance.now() - downMs));
    server = await startMeasured(references, { args: ["once"], env });
    const returnedMs = performance.now();
    await areBack(0.99);
    const backAfter = (quantile(back, 0.99) - returnedMs) / 1_000;
    return { way: name, clients, awaySeconds, worst100Ms: mostWithin(100, attempts) / clients, backAfter };
  } finally {
    for (const client of crowd) client.close();
    await server.kill();
  }
}

/** How many of these times lie in the fullest span of this many milliseconds. */
function mostWithin(ms: number, times: number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  let first = 0;
  return sorted.reduce((most, time, index) => {
    while (time - (sorted[first] as number) > ms) first++;
    return Math.max(most, index - first + 1);
  }, 0);
}
