// Pointers: everybody in one room moves 60 times a second. Lesson 10, as its page uses it, beside the naive way.
import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { frameMs, Motion } from "../../../lessons/10-shared-cursors/motion.ts";
import { fromBytes } from "../../../lessons/10-shared-cursors/positions.ts";
import { startMeasured } from "../compare/measured.ts";
import { quantile } from "./statistics.ts";

export type Pointers = {
  way: string;
  pointers: number;
  /** Of a client, in a second, headers of frames included. */
  bytesDown: number;
  messagesDown: number;
  /** CPU time of the server in a second, in milliseconds: 1,000 is a whole core. */
  cpuMs: number;
  /** 95 in 100 of the pointers on a screen are younger than this, in milliseconds. Undefined where it isn't measured. */
  p95: number | undefined;
  /** The hands moved this many times more slowly than 60 times a second. All figures are multiplied by it. */
  slower: number;
};

export const naiveWay = "each event to everyone, as JSON";
const handsPerSecond = 60;
/** More messages a second than this would measure the clients, and the naive way is far beyond what one core can do. */
const naiveDeliveries = 15_000;
const screens = 5;

type Times = { warmUpMs: number; seconds: number };

/** Measures both ways, one after the other. */
export async function pointers(count: number, times: Times): Promise<Pointers[]> {
  return [await naive(count, times), await lesson10(count, times)];
}

async function naive(count: number, times: Times): Promise<Pointers> {
  const slower = Math.max(1, (handsPerSecond * count * (count - 1)) / naiveDeliveries);
  const everyMs = (1_000 * slower) / handsPerSecond;
  const room = await enter("shared/machinery/bench/naive-pointers.ts", count);
  room.moveEvery(everyMs, (client, x) => client.send(JSON.stringify({ type: "move", x, y: 32_768 })));
  return { way: naiveWay, ...(await room.measure(times, slower)), p95: undefined };
}

async function lesson10(count: number, times: Times): Promise<Pointers> {
  const room = await enter("lessons/10-shared-cursors/server.ts", count);
  const motions = Array.from({ length: screens }, () => new Map<number, Motion>());
  for (const [n, client] of room.clients.entries()) {
    client.send(JSON.stringify({ type: "join", name: `Pointer ${n}`, binary: true }));
    const screen = motions[n];
    if (!screen) continue;
    client.on("message", (data: Buffer, isBinary) => {
      if (!isBinary) return;
      const now = performance.now();
      for (const { id, ...place } of fromBytes(new Uint8Array(data).buffer)) {
        const motion = screen.get(id);
        if (motion) motion.moveTo(place, now);
        else screen.set(id, new Motion(place, now));
      }
    });
  }
  // The page sends the last position 20 times a second.
  room.moveEvery(frameMs, (client, x) => {
    const view = new DataView(new ArrayBuffer(4));
    view.setUint16(0, x);
    client.send(view);
  });
  const late: number[] = [];
  const look = setInterval(() => {
    const now = performance.now();
    // A hand's x is the time, so each x on the screen says when the hand was there.
    for (const screen of motions)
      for (const motion of screen.values()) late.push(now - room.beganMs - motion.at(now).x);
  }, 1_000 / 60);
  const measured = await room.measure(times, 1, () => {
    late.length = 0;
  });
  clearInterval(look);
  return { way: "lesson 10", ...measured, p95: Math.round(quantile(late, 0.95)) };
}

/** So many clients in one room, which is measured. */
async function enter(program: string, count: number) {
  const server = await startMeasured(program, { env: { PING_EVERY_MS: "600000" } });
  const sockets: Socket[] = [];
  const clients = await Promise.all(
    Array.from({ length: count }, async () => {
      const client = new WebSocket(`ws://127.0.0.1:${server.port}`, { perMessageDeflate: false });
      client.on("upgrade", ({ socket }) => sockets.push(socket));
      await once(client, "open");
      return client;
    }),
  );
  const beganMs = performance.now();
  let messages = 0;
  for (const client of clients) client.on("message", () => messages++);
  const timers: NodeJS.Timeout[] = [];
  return {
    clients,
    beganMs,
    /** Each hand moves 60 times a second and is sent this often, each beginning at its own moment. */
    moveEvery(everyMs: number, move: (client: WebSocket, x: number) => void) {
      const tickMs = 1_000 / handsPerSecond;
      const handX = () => Math.floor((performance.now() - beganMs) / tickMs) * tickMs;
      for (const client of clients)
        timers.push(
          setTimeout(() => {
            timers.push(setInterval(() => move(client, handX()), everyMs));
          }, Math.random() * everyMs),
        );
    },
    async measure({ warmUpMs, seconds }: Times, slower: number, begin = () => {}) {
      try {
        // Until its code is compiled, a server costs twice as much.
        await pause(warmUpMs);
        const total = async () => ({
          cpuUs: (await server.ask("cpu")) ?? 0,
          atMs: performance.now(),
          bytes: sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
          messages,
        });
        const before = await total();
        begin();
        await pause(seconds * 1_000);
        const after = await total();
        const aSecond = slower / ((after.atMs - before.atMs) / 1_000);
        return {
          pointers: count,
          bytesDown: Math.round(((after.bytes - before.bytes) * aSecond) / count),
          messagesDown: Math.round(((after.messages - before.messages) * aSecond) / count),
          cpuMs: Math.round(((after.cpuUs - before.cpuUs) * aSecond) / 1_000),
          slower: Math.round(slower),
        };
      } finally {
        for (const timer of timers) clearInterval(timer);
        for (const client of clients) client.terminate();
        await server.kill();
      }
    },
  };
}
