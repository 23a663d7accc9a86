// What a WebSocket may take from the others: lessons 3 and 4 have no heartbeat that would find a client that reads nothing.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { atEnd } from "../machinery/testing/clean-up.ts";
import { Client, rawWebSocket } from "../machinery/testing/lesson.ts";
import { BoundedServer } from "./connections.ts";

/** A server with two clients: one that reads, and one that has read nothing since its handshake. */
async function readerAndIdler() {
  const server = new BoundedServer();
  const sockets = new WebSocketServer({ server });
  await once(server.listen(0, "127.0.0.1"), "listening");
  atEnd(() => server.close());
  const { port } = server.address() as AddressInfo;
  const reader = await Client.open(port);
  const accepted = once(sockets, "connection");
  const unread = await rawWebSocket(port);
  unread.pause();
  atEnd(() => unread.destroy());
  const [idler] = await accepted;
  return { idler, reader, ended: once(idler, "close") };
}

/** Sends until more than `bytes` wait in this process: the system takes some megabytes before that. */
function send(idler: Client["socket"], bytes: number) {
  while (idler.bufferedAmount <= bytes) idler.send("x".repeat(10_000));
}

test.concurrent("ends a WebSocket whose client has read nothing for 15 s, however little waits for it", async () => {
  const { idler, reader, ended } = await readerAndIdler();
  idler.on("error", () => {});
  send(idler, 0);
  const began = performance.now();
  await ended;
  const seconds = (performance.now() - began) / 1_000;
  expect(seconds).toBeGreaterThan(13);
  expect(seconds).toBeLessThan(25);
  expect(reader.socket.readyState).toBe(1);
  reader.socket.close();
});

test.concurrent("ends a WebSocket for whose client more than 4 MiB wait", async () => {
  const { idler, reader, ended } = await readerAndIdler();
  const began = performance.now();
  send(idler, 4 * 1024 * 1024);
  await ended;
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(reader.socket.readyState).toBe(1);
  reader.socket.close();
});
