// What one-write.ts promises, to clients that read, compress, stop reading, close, and receive other messages too.
import { once } from "node:events";
import type { Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { rawWebSocket, until } from "../machinery/testing/lesson.ts";
import { Audience } from "./one-write.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

type Options = { unreadLimit?: number; perMessageDeflate?: { threshold: number } };

/** A server whose clients all join. `accepted`: its side of their connections, in order, and `wires`: what they go over. */
async function server({ unreadLimit, perMessageDeflate }: Options = {}) {
  const sockets = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    perMessageDeflate: perMessageDeflate ?? false,
  });
  await once(sockets, "listening");
  const audience = new Audience(unreadLimit === undefined ? {} : { unreadLimit });
  const accepted: WebSocket[] = [];
  const wires: Socket[] = [];
  sockets.on("connection", (client, request) => {
    client.on("error", () => {});
    audience.join(client, request);
    accepted.push(client);
    wires.push(request.socket);
  });
  closing.push(() => {
    for (const client of sockets.clients) client.terminate();
    sockets.close();
  });
  return { sockets, audience, accepted, wires, port: (sockets.address() as { port: number }).port };
}
async function page(port: number, options = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, options);
  const received: string[] = [];
  socket.on("message", (data, isBinary) => received.push(isBinary ? "binary" : data.toString()));
  await once(socket, "open");
  closing.push(() => socket.terminate());
  return { socket, received };
}

const turn = () => new Promise(setImmediate);

test("everything said in one turn is one message to each client, in order, and the next turn has one of its own", async () => {
  const { audience, port } = await server();
  const pages = await Promise.all([page(port), page(port), page(port)]);
  for (let n = 1; n <= 32; n++) audience.say({ n });
  await turn();
  audience.say({ n: 33 });
  await until(() => pages.every(({ received }) => received.length === 2));
  const inOrder = Array.from({ length: 32 }, (_, index) => ({ n: index + 1 }));
  for (const { received } of pages)
    expect(received.map((text) => JSON.parse(text))).toEqual([inOrder, [{ n: 33 }]]);
});

test.each([125, 126, 65_535, 65_536, 200_000])(
  "a message of %i bytes arrives, and the next one too",
  async (bytes) => {
    const { audience, port } = await server();
    const { received } = await page(port);
    // `[{"text":"é"}]` is 15 bytes. The length in a frame's header counts bytes, not characters.
    const message = { text: `é${"x".repeat(bytes - 15)}` };
    audience.say(message);
    await turn();
    audience.say({ text: "next" });
    await until(() => received.length === 2);
    expect(Buffer.byteLength(received[0] ?? "")).toBe(bytes);
    expect(received.map((text) => JSON.parse(text))).toEqual([[message], [{ text: "next" }]]);
  },
);

test("a message goes out as it was when it was said, even if its object changes later", async () => {
  const { audience, port } = await server();
  const { received } = await page(port);
  const message = { here: 1 };
  audience.say(message);
  message.here = 2;
  audience.say(message);
  await until(() => received.length === 1);
  expect(received).toEqual(['[{"here":1},{"here":2}]']);
});

test("a message that can't be encoded throws where it is said, and the others of the same turn arrive", async () => {
  const { audience, port } = await server();
  const { received } = await page(port);
  audience.say({ n: 1 });
  expect(() => audience.say({ n: 2n })).toThrow(TypeError);
  audience.say({ n: 3 });
  await until(() => received.length === 1);
  expect(received).toEqual(['[{"n":1},{"n":3}]']);
});

test("a client that joins receives nothing from before, not even from the same turn", async () => {
  const { sockets, audience, port } = await server();
  const first = await page(port);
  sockets.prependListener("connection", () => audience.say({ said: "before" }));
  sockets.on("connection", () => audience.say({ said: "after" }));
  const second = await page(port);
  await until(() => second.received.length === 1 && first.received.length === 2);
  expect(second.received).toEqual(['[{"said":"after"}]']);
  expect(first.received).toEqual(['[{"said":"before"}]', '[{"said":"after"}]']);
});

test("pings and messages of your own arrive whole beside it", async () => {
  const { audience, accepted, port } = await server();
  const { socket, received } = await page(port);
  let pings = 0;
  socket.on("ping", () => pings++);
  for (let n = 0; n < 50; n++) {
    audience.say({ n, text: "x".repeat(n * 100) });
    accepted[0]?.send(`own ${n}`);
    accepted[0]?.ping("still there?");
    await turn();
  }
  await until(() => received.length === 100 && pings === 50);
  const said = received.filter((text) => text.startsWith("["));
  expect(said.map((text) => JSON.parse(text)[0].n)).toEqual(Array.from({ length: 50 }, (_, n) => n));
  expect(received.filter((text) => text.startsWith("own "))).toHaveLength(50);
});

test("clients with compression and without it receive the same, in fewer bytes and in more", async () => {
  const { audience, accepted, wires, port } = await server({ perMessageDeflate: { threshold: 0 } });
  const [compressed, plain] = [await page(port), await page(port, { perMessageDeflate: false })];
  expect(accepted.map(({ extensions }) => extensions)).toEqual(["permessage-deflate", ""]);
  for (let n = 0; n < 3; n++) {
    audience.say({ n, text: "alike ".repeat(1_000) });
    audience.say({ n, text: "alike ".repeat(1_000) });
    await turn();
  }
  await until(() => compressed.received.length === 3 && plain.received.length === 3);
  expect(compressed.received).toEqual(plain.received);
  const [few = 0, many = 0] = wires.map(({ bytesWritten }) => bytesWritten);
  expect(many).toBeGreaterThan(36_000);
  expect(few).toBeLessThan(2_000);
});

test("nothing is sent after the close frame", async () => {
  const { audience, accepted, port } = await server();
  const [reader, closed] = [await page(port), await rawWebSocket(port)];
  let bytes = Buffer.alloc(0);
  closed.on("data", (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
  });
  audience.say({ n: 1 });
  accepted[1]?.close(1000);
  await until(() => reader.received.length === 1);
  audience.say({ n: 2 });
  await until(() => reader.received.length === 2 && bytes.length >= 4);
  expect(bytes.subarray(-4)).toEqual(Buffer.from([0x88, 2, 0x03, 0xe8]));
  expect(bytes.toString("latin1")).not.toContain('"n"');
});

test("terminates a client that leaves more than the limit unread, and the others miss nothing", async () => {
  const { audience, accepted, port } = await server({ unreadLimit: 64 * 1024 });
  const [reader, idler] = [await page(port), await rawWebSocket(port)];
  idler.pause();
  let [said, highest] = [0, 0];
  // The system keeps some megabytes before anything waits in this process.
  while (accepted[1]?.readyState === WebSocket.OPEN) {
    audience.say({ n: ++said, text: "x".repeat(32 * 1024) });
    await turn();
    highest = Math.max(highest, accepted[1]?.bufferedAmount ?? 0);
  }
  expect(highest).toBeLessThan(64 * 1024 + 33 * 1024);
  expect(accepted[0]?.readyState).toBe(WebSocket.OPEN);
  await until(() => reader.received.length === said);
});
