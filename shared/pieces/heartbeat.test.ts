// What heartbeat.ts promises, against clients that answer, that fall silent, and that stop reading.
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { rawWebSocket, until } from "../machinery/testing/lesson.ts";
import { heartbeat } from "./heartbeat.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function server() {
  const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(sockets, "listening");
  sockets.on("connection", (client) => client.on("error", () => {}));
  closing.push(() => {
    for (const client of sockets.clients) client.terminate();
    sockets.close();
  });
  return { sockets, port: (sockets.address() as { port: number }).port };
}

async function page(port: number) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  const received: string[] = [];
  socket.on("message", (data) => received.push(data.toString()));
  await once(socket, "open");
  closing.push(() => socket.terminate());
  return { socket, received };
}

test("terminates a client that doesn't answer, keeps one that does, and sends it a beat that it can see", async () => {
  const { sockets, port } = await server();
  const [alive, silent] = [await page(port), await rawWebSocket(port)];
  await until(() => sockets.clients.size === 2);
  const began = performance.now();
  closing.push(heartbeat(sockets.clients, { pingEveryMs: 300, graceMs: 200 }));
  silent.resume();
  await once(silent, "close");
  expect(performance.now() - began).toBeGreaterThan(400);
  await until(() => sockets.clients.size === 1);
  await until(() => alive.received.filter((text) => text === '{"type":"beat"}').length >= 3);
  expect(alive.socket.readyState).toBe(WebSocket.OPEN);
});

test("takes nobody for dead after this process was paused for longer than the grace period", async () => {
  const { sockets, port } = await server();
  const pages = await Promise.all([page(port), page(port), page(port)]);
  closing.push(heartbeat(sockets.clients, { pingEveryMs: 200, graceMs: 180 }));
  for (let n = 0; n < 3; n++) {
    await once(pages[0]?.socket as WebSocket, "ping");
    // Busy, as a debugger or a sleeping laptop would keep it: the pongs arrive meanwhile and wait to be read.
    for (const end = performance.now() + 400; performance.now() < end; );
  }
  await until(() => pages.every(({ received }) => received.length >= 4));
  expect(pages.map(({ socket }) => socket.readyState)).toEqual([1, 1, 1]);
});

test("sends no further beats to a client that stops reading", async () => {
  const { sockets, port } = await server();
  const slow = await rawWebSocket(port);
  slow.pause();
  await until(() => sockets.clients.size === 1);
  const [client] = sockets.clients as Set<WebSocket>;
  while (client && client.bufferedAmount < 1024 * 1024) client.send("x".repeat(64 * 1024));
  const unread = client?.bufferedAmount ?? 0;
  closing.push(heartbeat(sockets.clients, { pingEveryMs: 50, graceMs: 10_000 }));
  await new Promise((resolve) => setTimeout(resolve, 300));
  // Pings of two bytes go on, beats of seventeen don't.
  expect((client?.bufferedAmount ?? 0) - unread).toBeLessThan(100);
  slow.destroy();
});

test("sends nothing and terminates nobody once it is stopped", async () => {
  const { sockets, port } = await server();
  const [alive, silent] = [await page(port), await rawWebSocket(port)];
  await until(() => sockets.clients.size === 2);
  const stop = heartbeat(sockets.clients, { pingEveryMs: 50, graceMs: 150 });
  await until(() => alive.received.length >= 1);
  stop();
  const before = alive.received.length;
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(alive.received.length).toBe(before);
  expect(sockets.clients.size).toBe(2);
  silent.destroy();
});
