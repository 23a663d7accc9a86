// The cable over real sockets: what it passes on, what it tells, and how it fails.
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createCable } from "./proxy.ts";
import { aWhile, cableBetween, end, entry, later, pageEnd } from "./testing.ts";

const hash = (bytes: Buffer | string) =>
  createHash("sha256")
    .update(Buffer.from(bytes as string, "latin1"))
    .digest("hex");

describe("the cable passes on", () => {
  test("a megabyte of random bytes each way, unchanged, and counts them as the sockets do", async () => {
    const { cable, pair } = await cableBetween();
    const { page, server } = await pair();
    const up = randomBytes(1024 * 1024).toString("latin1");
    const down = randomBytes(1024 * 1024).toString("latin1");
    page.socket.end(up, "latin1");
    server.socket.end(down, "latin1");
    await Promise.all([page.fin, server.fin]);
    expect(hash(server.text())).toBe(hash(up));
    expect(hash(page.text())).toBe(hash(down));
    await entry(cable, (one) => one.kind === "connection-end" && one.last);
    const counts = cable.counts();
    expect(counts.up.bytes).toBe(page.socket.bytesWritten);
    expect(counts.up.bytes).toBe(server.socket.bytesRead);
    expect(counts.down.bytes).toBe(server.socket.bytesWritten);
    expect(counts.down.bytes).toBe(page.socket.bytesRead);
    const notUnderstood = cable.entries().filter(({ kind }) => kind === "not-understood");
    expect(notUnderstood.map((one) => "direction" in one && one.direction).toSorted()).toEqual([
      "down",
      "up",
    ]);
  });

  test("a FIN as a FIN: the other direction goes on", async () => {
    const { cable, pair } = await cableBetween();
    const { page, server } = await pair();
    page.socket.end("the last word");
    await server.fin;
    expect(server.text()).toBe("the last word");
    server.socket.end("an answer");
    await page.fin;
    expect(page.text()).toBe("an answer");
    await entry(cable, (one) => one.kind === "connection-end" && one.last);
    expect(cable.entries().filter(({ kind }) => kind === "connection-end")).toMatchObject([
      { how: "FIN", by: "page", last: false },
      { how: "FIN", by: "server", last: true },
    ]);
  });

  test.each(["page", "server"] as const)("an RST from the %s as an RST", async (by) => {
    const { cable, pair } = await cableBetween();
    const ends = await pair();
    ends[by].socket.resetAndDestroy();
    expect(await ends[by === "page" ? "server" : "page"].error).toBe("ECONNRESET");
    expect(cable.entries().at(-1)).toMatchObject({ kind: "connection-end", how: "RST", by, last: true });
  });

  test("an RST when nobody listens behind it, and says why", async () => {
    const { cable, server } = await cableBetween();
    server.close();
    const socket = connect(cable.port, "127.0.0.1");
    expect(await end(socket).error).toBe("ECONNRESET");
    expect(cable.entries().at(-1)).toMatchObject({ how: "RST", by: "server", why: "ECONNREFUSED" });
  });

  test("HTTP and WebSocket, and tells each of them with the right sizes", async () => {
    const http = createServer((_, response) => response.end("hello"));
    const sockets = new WebSocketServer({ server: http });
    sockets.on("connection", (client) => client.on("message", (data) => client.send(`${data}!`)));
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    later(() => http.close());
    const address = http.address();
    const cable = await createCable({
      listenPort: 0,
      targetPort: typeof address === "object" ? (address?.port ?? 0) : 0,
    });
    later(() => cable.end());
    expect(await (await fetch(`http://127.0.0.1:${cable.port}/here`)).text()).toBe("hello");
    const socket = new WebSocket(`ws://127.0.0.1:${cable.port}/chat`);
    await once(socket, "open");
    socket.send("Grüß dich");
    const [answer] = await once(socket, "message");
    expect(String(answer)).toBe("Grüß dich!");
    socket.close(4001, "bye");
    await once(socket, "close");
    const ws = cable.entries().find(({ kind }) => kind === "handshake")?.connection;
    await entry(cable, (one) => one.kind === "connection-end" && one.connection === ws && one.last);
    expect(cable.entries().filter(({ kind }) => kind !== "connection-end")).toMatchObject([
      { kind: "connection-open", connection: 1 },
      { kind: "request", method: "GET", path: "/here", nth: 1 },
      { kind: "response", status: 200, payloadBytes: 5, preview: { text: "hello" } },
      { kind: "connection-open", connection: 2 },
      { kind: "request", path: "/chat", upgrade: "websocket" },
      { kind: "handshake", status: 101 },
      {
        kind: "frame",
        direction: "up",
        name: "text",
        masked: true,
        headerBytes: 6,
        payloadBytes: 11,
        preview: { text: "Grüß dich" },
      },
      { kind: "frame", direction: "down", name: "text", masked: false, headerBytes: 2, payloadBytes: 12 },
      { kind: "frame", direction: "up", name: "close", close: { code: 4001, reason: "bye" } },
      { kind: "frame", direction: "down", name: "close", close: { code: 4001, reason: "bye" } },
    ]);
    const { up, down, requests, connections } = cable.counts();
    expect({ requests, connections }).toEqual({ requests: 2, connections: 2 });
    for (const flow of [up, down]) expect(flow.headerBytes + flow.payloadBytes).toBe(flow.bytes);
  });

  test("no more to a page that does not read than the page takes: the server has to wait", async () => {
    const { cable, pair } = await cableBetween();
    const { page, server } = await pair();
    page.socket.pause();
    const before = process.memoryUsage().rss;
    const chunk = Buffer.alloc(1024 * 1024);
    let sent = 0;
    // The server respects back-pressure, up to 512 MiB; a cable that swallowed them all would let it.
    for (let waited = false; !waited && sent < 512; ) {
      while (sent < 512 && server.socket.write(chunk)) sent++;
      sent++;
      waited = await Promise.race([
        once(server.socket, "drain").then(() => false),
        aWhile(500).then(() => true),
      ]);
    }
    expect(sent).toBeLessThan(64);
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
    page.socket.resume();
    await once(server.socket, "drain");
    expect(cable.counts().down.bytes).toBeGreaterThan(0);
  });
});

test("the cable lets go of a connection that the server has ended and the page keeps silently open, but not while frozen", async () => {
  const { cable: frozen, pair: frozenPair } = await cableBetween();
  const { cable, pair } = await cableBetween();
  for (const { page, server } of [await frozenPair(), await pair()]) {
    page.socket.write("hello");
    await server.gets("hello");
    server.socket.end("bye");
    await page.gets("bye");
  }
  frozen.freeze();
  await entry(cable, (one) => one.kind === "connection-end" && one.last);
  expect(cable.state().open).toBe(0);
  expect(cable.entries().at(-1)).toMatchObject({ how: "FIN", by: "cable", last: true });
  await aWhile(500);
  expect(frozen.state().open).toBe(1);
});

describe("on command the cable", () => {
  test("closes: a FIN to both ends", async () => {
    const { cable, pair } = await cableBetween();
    const { page, server } = await pair();
    cable.close();
    await Promise.all([page.fin, server.fin]);
    expect(cable.entries().at(-1)).toMatchObject({ how: "FIN", by: "cable", last: true });
    expect(cable.state().open).toBe(0);
  });

  test("resets: an RST to both ends", async () => {
    const { cable, pair } = await cableBetween();
    const { page, server } = await pair();
    cable.reset();
    expect(await Promise.all([page.error, server.error])).toEqual(["ECONNRESET", "ECONNRESET"]);
    expect(cable.entries().at(-1)).toMatchObject({ how: "RST", by: "cable" });
  });

  test("resets a connection in the very moment in which one side ends it", async () => {
    const { cable, pair } = await cableBetween();
    const { page, server } = await pair();
    cable.events.once("entry", () => cable.reset());
    page.socket.end();
    await server.fin;
    // A connection that is closed there refuses what comes.
    const writing = setInterval(() => server.socket.write("too late"), 10);
    later(() => clearInterval(writing));
    expect(await server.error).toMatch(/EPIPE|ECONNRESET/);
    expect(cable.state().open).toBe(0);
  });

  test("freezes: nothing passes and nothing closes, and healed all of it arrives in order", async () => {
    const { cable, pair } = await cableBetween();
    const { page, server } = await pair();
    page.socket.write("before ");
    await server.gets("before ");
    cable.freeze();
    for (const word of ["one ", "two ", "three"]) page.socket.write(word);
    page.socket.end();
    server.socket.write("answer");
    let closed = false;
    void server.fin.then(() => {
      closed = true;
    });
    await aWhile();
    expect([server.text(), page.text(), closed]).toEqual(["before ", "", false]);
    await cable.heal();
    await Promise.all([server.fin, page.gets("answer")]);
    expect(server.text()).toBe("before one two three");
  });

  test("freezes the reset of one end, too, until it is healed", async () => {
    const { cable, pair } = await cableBetween();
    const { page, server } = await pair();
    cable.freeze();
    page.socket.resetAndDestroy();
    await aWhile();
    expect(server.socket.destroyed).toBe(false);
    await cable.heal();
    expect(await server.error).toBe("ECONNRESET");
  });

  test.each([
    ["up", "server", "page"],
    ["down", "page", "server"],
  ] as const)(
    "freezes %s alone: the %s receives nothing, the %s does",
    async (direction, deaf, receiving) => {
      const { cable, pair } = await cableBetween();
      const ends = await pair();
      cable.freeze({ direction });
      ends[receiving].socket.write("do you receive me?");
      ends[deaf].socket.write("hello?");
      await ends[receiving].gets("hello?");
      await aWhile();
      expect(ends[deaf].text()).toBe("");
      await cable.heal();
      await ends[deaf].gets("do you receive me?");
    },
  );

  test("freezes connections that come later: they are accepted, and the server learns of them when healed", async () => {
    const { cable, server } = await cableBetween();
    let accepted = 0;
    server.on("connection", () => accepted++);
    cable.freeze();
    const page = await pageEnd(cable);
    page.socket.write("anybody there?");
    await aWhile();
    expect(accepted).toBe(0);
    const connection = once(server, "connection");
    await cable.heal();
    const [socket] = await connection;
    await end(socket).gets("anybody there?");
  });

  test("drops what was frozen, if told so: the connection is reset, and one that lost nothing goes on", async () => {
    const { cable, pair } = await cableBetween();
    const talking = await pair();
    const silent = await pair();
    cable.freeze();
    talking.page.socket.write("lost");
    await aWhile();
    await cable.heal({ frozen: "drop" });
    expect(await Promise.all([talking.page.error, talking.server.error])).toEqual([
      "ECONNRESET",
      "ECONNRESET",
    ]);
    expect(talking.server.text()).toBe("");
    silent.page.socket.write("still here");
    await silent.server.gets("still here");
  });

  test("keeps what it holds bounded while frozen", async () => {
    const { cable, pair } = await cableBetween();
    const { page } = await pair();
    cable.freeze();
    const chunk = Buffer.alloc(1024 * 1024);
    let sent = 0;
    while (sent < 64) {
      page.socket.write(chunk);
      sent++;
    }
    await aWhile(300);
    // The rest is in the page's own memory: the kernel takes no more of it.
    expect(page.socket.writableLength).toBeGreaterThan(32 * 1024 * 1024);
    expect(cable.counts().up.bytes).toBe(0);
  });

  test("delays each way, in order whatever the jitter, and without slowing the stream down", async () => {
    const { cable, pair } = await cableBetween();
    const { page, server } = await pair();
    cable.delay({ ms: 200, jitterMs: 50 });
    const start = performance.now();
    const arrivals: number[] = [];
    server.socket.on("data", () => arrivals.push(performance.now() - start));
    for (let count = 0; count < 20; count++) {
      page.socket.write(String.fromCharCode(97 + count));
      await aWhile(5);
    }
    await server.gets("t");
    expect(server.text()).toBe("abcdefghijklmnopqrst");
    expect(arrivals[0]).toBeGreaterThan(145);
    // One after the other would be 20 × 200 ms.
    expect(arrivals.at(-1)).toBeLessThan(3_000);
    const before = performance.now();
    server.socket.write("back");
    await page.gets("back");
    expect(performance.now() - before).toBeGreaterThan(145);
  });

  test("throttles to that many bytes a second", async () => {
    const { cable, pair } = await cableBetween();
    const { page, server } = await pair();
    cable.throttle({ bytesPerSecond: 50_000 });
    const start = performance.now();
    page.socket.end("x".repeat(30_000));
    await server.fin;
    const seconds = (performance.now() - start) / 1000;
    expect(server.text()).toHaveLength(30_000);
    expect(seconds).toBeGreaterThan(0.5);
    expect(seconds).toBeLessThan(5);
  });

  test("holds little of what a throttled line hasn't taken, so that the sender feels it", async () => {
    const { cable, pair } = await cableBetween();
    const { page, server } = await pair();
    cable.throttle({ bytesPerSecond: 500 });
    server.socket.write("x".repeat(4 * 1024 * 1024));
    // A quarter of a second: time enough to read a megabyte.
    await page.gets("x".repeat(100));
    // Passes on what is held.
    cable.close();
    await page.fin;
    expect(page.text().length).toBeLessThan(256 * 1024);
  });

  test("a reset doesn't wait behind what a throttled line hasn't taken", async () => {
    const { cable, pair } = await cableBetween();
    const { page, server } = await pair();
    cable.throttle({ bytesPerSecond: 500 });
    server.socket.write("x".repeat(10_000)); // 20 seconds
    await page.gets("x");
    server.socket.resetAndDestroy();
    expect(await page.error).toBe("ECONNRESET");
    expect(page.text().length).toBeLessThan(5_000);
  });

  test("refuses new connections as a kernel does, keeps the open ones, and listens again when healed", async () => {
    const { cable, pair } = await cableBetween();
    const { page, server } = await pair();
    await cable.refuse();
    expect(await end(connect(cable.port, "127.0.0.1")).error).toBe("ECONNREFUSED");
    page.socket.write("still here");
    await server.gets("still here");
    expect(cable.state().refusing).toBe(true);
    await cable.heal();
    const again = await pair();
    again.page.socket.write("back");
    await again.server.gets("back");
  });

  test("applies a command for one connection to no other", async () => {
    const { cable, pair } = await cableBetween();
    const first = await pair();
    const second = await pair();
    cable.freeze({ connection: 1 });
    first.page.socket.write("stuck");
    second.page.socket.write("passes");
    await second.server.gets("passes");
    await aWhile();
    expect(first.server.text()).toBe("");
    cable.reset({ connection: 2 });
    expect(await second.page.error).toBe("ECONNRESET");
    await cable.heal({ connection: 1 });
    await first.server.gets("stuck");
    expect(() => cable.reset({ connection: 9 })).toThrow("Connection 9 isn't open. Open connections: 1.");
  });

  test("closes and resets what is frozen", async () => {
    const { cable, pair } = await cableBetween();
    const first = await pair();
    cable.freeze();
    cable.close();
    await Promise.all([first.page.fin, first.server.fin]);
    await pageEnd(cable);
    cable.reset();
    expect(cable.state().open).toBe(0);
  });
});

test("the cable survives twenty connections that end at the same time, in every way", async () => {
  const { cable, pair } = await cableBetween();
  const pairs = [];
  for (let count = 0; count < 20; count++) pairs.push(await pair());
  cable.delay({ ms: 20, jitterMs: 20 });
  pairs.forEach(({ page, server }, index) => {
    page.socket.write("GET / HTTP/1.1\r\n\r\n");
    if (index % 4 === 0) page.socket.resetAndDestroy();
    if (index % 4 === 1) server.socket.resetAndDestroy();
    if (index % 4 === 2) page.socket.destroy();
    if (index % 4 === 3) server.socket.end("HTTP/1.1 200 OK\r\n\r\nbye");
  });
  await aWhile(20);
  await cable.heal();
  cable.close();
  cable.reset();
  const { page, server } = await pair();
  page.socket.write("alive");
  await server.gets("alive");
});

test("only the last 2,000 entries are kept", async () => {
  const { cable } = await cableBetween();
  for (let count = 1; count <= 2500; count++) cable.note({ kind: "command", text: String(count) });
  expect(cable.entries()).toHaveLength(2000);
  expect(cable.entries()[0]).toMatchObject({ id: 501, text: "501" });
  expect(cable.entries(2499)).toMatchObject([{ id: 2500 }]);
});
