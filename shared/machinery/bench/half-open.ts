// Half-open connections: how long until each side knows that the other has gone silently.
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { defaults, type State, stayConnected } from "../../pieces/stay-connected.ts";
import { type Cable, createCable } from "../cable/proxy.ts";
import { startMeasured } from "../compare/measured.ts";
import { median } from "./statistics.ts";

export type Detection = {
  side: "server" | "page";
  /** How many connections were measured. */
  tries: number;
  /** Until it knew, in seconds of lesson 5's real times. */
  median: number;
  worst: number;
  promised: number;
};

/** Ping every 15 s, 10 s to answer; lesson 5's page has its own times, which lead to the same. */
const [pingEveryMs, graceMs] = [15_000, 10_000];

/** All times of lesson 5 are divided by `shortened`, and the measured times are multiplied by it. */
export async function halfOpen(tries: number, shortened: number): Promise<Detection[]> {
  const server = await startMeasured("lessons/05-heartbeat-reconnect/server.ts", {
    env: {
      PING_EVERY_MS: String(pingEveryMs / shortened),
      GRACE_MS: String(graceMs / shortened),
    },
  });
  const cable = await createCable({ listenPort: 0, targetPort: server.port });
  try {
    const silences = Array.from({ length: tries }, () => (Math.random() * pingEveryMs) / shortened);
    const [byServer, byPage] = await Promise.all([
      Promise.all(silences.map((afterMs) => serverNotices(server.port, afterMs))),
      pageNotices(cable, silences, shortened),
    ]);
    const describe = (side: Detection["side"], ms: number[]): Detection => ({
      side,
      tries,
      median: (median(ms) * shortened) / 1_000,
      worst: (Math.max(...ms) * shortened) / 1_000,
      promised: (pingEveryMs + graceMs) / 1_000,
    });
    return [describe("server", byServer), describe("page", byPage)];
  } finally {
    await cable.end();
    await server.kill();
  }
}

/** A client that stops answering pings, as one behind a cut cable does; until the server ends it. */
async function serverNotices(port: number, silentAfterMs: number): Promise<number> {
  const client = new WebSocket(`ws://127.0.0.1:${port}`, { autoPong: false });
  let silentSince: number | undefined;
  client.on("ping", (data) => silentSince === undefined && client.pong(data));
  client.on("error", () => {});
  await new Promise((resolve) => client.once("open", resolve));
  const closed = new Promise<number>((resolve) => client.once("close", () => resolve(performance.now())));
  await pause(silentAfterMs);
  silentSince = performance.now();
  return (await closed) - silentSince;
}

/** Pages whose cable freezes, each at its own moment; until each lets go of its socket. */
async function pageNotices(cable: Cable, silences: number[], shortened: number): Promise<number[]> {
  const { silenceMs, answerMs } = defaults;
  const times = { silenceMs: silenceMs / shortened, answerMs: answerMs / shortened };
  const noticed: number[] = [];
  for (const [index, afterMs] of silences.entries()) {
    // One after another, so that the cable counts them as we do.
    await new Promise<void>((opened) => {
      let frozenAt: number | undefined;
      const onstate = ({ name }: State) => {
        if (name !== "reconnecting") return;
        if (frozenAt !== undefined) noticed.push(performance.now() - frozenAt);
        page.close();
      };
      const onopen = async () => {
        opened();
        await pause(afterMs);
        frozenAt = performance.now();
        cable.freeze({ connection: index + 1 });
      };
      const page = stayConnected(
        `ws://127.0.0.1:${cable.port}`,
        { onopen, onmessage() {}, onstate },
        { ...times, WebSocket },
      );
    });
  }
  while (noticed.length < silences.length) await pause(20);
  return noticed;
}
