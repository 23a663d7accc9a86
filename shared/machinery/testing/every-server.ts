// Tests for every lesson's server, whatever its transport: it answers each bad input clearly, and nothing can crash it.
// Tests that take long, or need a server of their own, run once for all of them, in shared/server/serve.test.ts.
import { connect as connectTcp, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  Client,
  type Door,
  type LessonServer,
  type Received,
  raw,
  rawWebSocket,
  runServer,
  startServer,
} from "./lesson.ts";
import { freePort } from "./process.ts";

const page = "http://localhost:8000";
const json = { "Content-Type": "application/json" };
const status = (answer: string) => Number(answer.match(/^HTTP\/1.1 (\d+)/)?.[1]);

/** The start of an answer. A JSON body has only one part. */
const readJson = (answer: Response): Promise<{ reset: boolean }> => answer.json();

/**
 * Tests for the lessons that use HTTP: `POST /messages`, and `GET /messages?after=` or whatever path messages are read
 * from. `first` reads the start of an answer from there.
 */
export function everyHttpServer(lesson: string, path = "/messages", first = readJson): void {
  describe(`${lesson} as an HTTP server`, () => {
    const { server, stillWell } = sharedServer(lesson, async ({ url }) => {
      const answer = await fetch(`${url}${path}?after=0`);
      expect(answer.status).toBe(200);
      await answer.body?.cancel();
    });

    test.each([["-1"], ["1.5"], ["x"], [""], ["1&after=2"], ["9007199254740993"], ["1e3"], ["%00"]])(
      "the cursor %j is answered with 400",
      async (after) => {
        const answer = await fetch(`${server().url}${path}?after=${after}`);
        expect(answer.status).toBe(400);
        expect((await answer.json()).error).toMatch(/after/);
      },
    );

    test("a cursor from the future is answered with 200 and a declared reset", async () => {
      const answer = await fetch(`${server().url}${path}?after=999999`);
      expect(answer.status).toBe(200);
      expect(await first(answer)).toMatchObject({ reset: true });
    });

    test.each<[string, BodyInit, number]>([
      ["not JSON", "{", 400],
      ["not UTF-8", new Uint8Array([0x22, 0xff, 0x22]), 400],
      ["empty", "", 400],
      ["null", "null", 422],
      ["an array", "[]", 422],
      ["a number", "7", 422],
      ["without a text", '{"from":"Ada"}', 422],
      ["with __proto__", '{"from":"Ada","text":"x","__proto__":{"admin":true}}', 422],
      ["blank", '{"from":"Ada","text":" "}', 422],
      ["over the limit", JSON.stringify({ from: "Ada", text: "x".repeat(20_000) }), 413],
    ])("a body that is %s is refused with a reason", async (_what, body, expected) => {
      const answer = await fetch(`${server().url}/messages`, { method: "POST", headers: json, body });
      expect(answer.status).toBe(expected);
      expect((await answer.json()).error).toMatch(/\w/);
    });

    test("a body over the limit without a Content-Length is refused with 413", async () => {
      const chunk = `4000\r\n${"x".repeat(0x4000)}\r\n`;
      const head = `POST /messages HTTP/1.1\r\nHost: localhost\r\n${header(json)}Transfer-Encoding: chunked\r\n\r\n`;
      expect(status(await raw(server().port, head + chunk + chunk))).toBe(413);
    });

    test("a body over the limit is refused as soon as its Content-Length is read", async () => {
      const head = `POST /messages HTTP/1.1\r\nHost: localhost\r\n${header(json)}Content-Length: 99999999\r\n\r\n`;
      expect(status(await raw(server().port, head))).toBe(413);
    });

    test.each([
      ["text/plain"],
      ["application/x-www-form-urlencoded"],
      [""],
      ["application/json; charset=latin1"],
    ])("content of type %j is answered with 415", async (type) => {
      const body = Buffer.from('{"from":"Ada","text":"x"}');
      const answer = await fetch(`${server().url}/messages`, {
        method: "POST",
        headers: { "Content-Type": type },
        body,
      });
      expect(answer.status).toBe(415);
    });

    test("a wrong method is answered with 405 and those that are allowed", async () => {
      const answer = await fetch(`${server().url}/messages`, { method: "DELETE" });
      expect(answer.status).toBe(405);
      expect(answer.headers.get("Allow")).toMatch(path === "/messages" ? /GET, POST/ : /^POST/);
    });

    test("the workshop's page may read answers and post, a page of another site may not", async () => {
      const ask = async (method: string, Origin: string) => {
        const answer = await fetch(
          `${server().url}${method === "GET" ? `${path}?after=999999` : "/messages"}`,
          {
            method,
            headers: { ...json, Origin },
            ...(method === "POST" && { body: '{"from":"Ada","text":"Hello"}' }),
          },
        );
        await answer.body?.cancel();
        return answer;
      };
      expect((await ask("GET", page)).headers.get("Access-Control-Allow-Origin")).toBe(page);
      expect((await ask("POST", page)).status).toBe(201);
      expect((await ask("OPTIONS", page)).status).toBe(204);
      for (const foreign of [
        "http://localhost:8001",
        "https://evil.example",
        "null",
        `${page}.evil.example`,
      ]) {
        expect((await ask("GET", foreign)).headers.get("Access-Control-Allow-Origin")).toBeNull();
        expect((await ask("POST", foreign)).status).toBe(403);
        expect((await ask("OPTIONS", foreign)).status).toBe(403);
      }
    });

    test.each([
      ["evil.example", 421],
      ["localhost.evil.example", 421],
      ["a b", 400],
      ["", 400],
    ])("a request for the host %j is answered with %i", async (host, expected) => {
      const answer = await raw(
        server().port,
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
      expect(status(answer)).toBe(expected);
    });

    test("a request without a host is answered with 400", async () => {
      expect(status(await raw(server().port, `GET ${path} HTTP/1.1\r\nConnection: close\r\n\r\n`))).toBe(400);
    });

    test.each([
      ["/"],
      ["/.git/config"],
      ["/../package.json"],
      ["/%2e%2e/package.json"],
      ["/%"],
      ["//"],
      ["/messages/"],
    ])("the path %s is answered with 404, or with 400 if it is malformed", async (path) => {
      const answer = await raw(
        server().port,
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      // 426: a WebSocket server at its own path.
      expect([400, 404, ...(path === "/" ? [426] : [])]).toContain(status(answer));
    });

    test("headers of 20 KB are answered with 431", async () => {
      const answer = await raw(
        server().port,
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      );
      expect(status(answer)).toBe(431);
    });

    test("garbage is answered with 400, and the server goes on", async () => {
      expect(status(await raw(server().port, "\x16\x03\x01\x02\x00\x01garbage\r\n\r\n"))).toBe(400);
      await stillWell();
    });

    test("a cursor from before a restart is answered with a declared reset", async () => {
      const answer = await fetch(`${server().url}${path}?after=0&log=another`);
      expect(await first(answer)).toMatchObject({ reset: true });
    });

    test("a connection that sends requests before it has its answer is closed", async () => {
      const request = `GET ${path}?after=999999 HTTP/1.1\r\nHost: localhost\r\n\r\n`;
      const answers = await raw(server().port, request.repeat(200));
      expect(answers.split("HTTP/1.1 ").length - 1).toBeLessThanOrEqual(1);
    });

    test("an upgrade to something else is ignored", async () => {
      const ask = (upgrade: string) =>
        raw(server().port, `GET /lesson HTTP/1.1\r\nHost: localhost\r\nConnection: close${upgrade}\r\n\r\n`);
      const answer = await ask(
        ", Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
      );
      expect(status(answer)).toBe(200);
      expect(answer).not.toMatch(/^upgrade:/im);
      expect(JSON.parse(answer.split("\r\n\r\n")[1] ?? "")).toEqual({ lesson });
    });

    test("a request on a connection beyond the limit is answered with 503 and Retry-After", async () => {
      const idle = await fillConnections(server().port);
      const answer = await raw(server().port, "GET /lesson HTTP/1.1\r\nHost: localhost\r\n\r\n");
      expect(status(answer)).toBe(503);
      expect(answer).toMatch(/^retry-after: \d+/im);
      await closeAll(idle);
      await stillWell();
    });

    everyServer(lesson, server);
  });
}

/** How one client tells something to all: in most lessons by a chat message, of which `text` is the text. */
export type Talk = {
  say(text: string): object;
  /** The type of what the others receive then, and whether the text is in it. */
  type: string;
  has(message: Received, text: string): boolean;
};
const chat: Talk = {
  say: (text) => ({ type: "say", from: "Ada", text }),
  type: "message",
  has: (message, text) => message.text === text,
};

/**
 * Tests for the lessons that use WebSocket. `enter`: what a client does before it receives what others say. `talk`: how
 * it says something, if not in a chat. `knock`: how the next client comes in, where not everybody may.
 */
export function everySocketServer(
  lesson: string,
  enter: (client: Client) => Promise<void> = async () => {},
  talk = chat,
  knock = (): Door => ({ path: "/", headers: {} }),
): void {
  const receives = (client: Client, said: string) =>
    client.receives(talk.type, (message) => talk.has(message, said));

  async function open(port: number) {
    const client = await Client.open(port, knock());
    await enter(client);
    return client;
  }

  describe(`${lesson} as a WebSocket server`, () => {
    const { server, stillWell } = sharedServer(lesson, async ({ port }) => {
      const [ada, grace] = [await open(port), await open(port)];
      ada.send(talk.say("Still there?"));
      await receives(grace, "Still there?");
      ada.socket.close();
      grace.socket.close();
    });

    const { path } = knock();
    const bytesOf = (change: Record<string, string | undefined>, requestLine = `GET ${path} HTTP/1.1`) =>
      handshakeBytes({ ...knock().headers, ...change }, requestLine);
    const handshake = (change: Record<string, string | undefined>, requestLine?: string) =>
      raw(server().port, bytesOf(change, requestLine));

    test.each<[string, Record<string, string | undefined>, number[]]>([
      ["a foreign Origin", { Origin: "https://evil.example" }, [403]],
      ["another port's Origin", { Origin: "http://localhost:8001" }, [403]],
      ["a malformed Origin", { Origin: "localhost" }, [403]],
      ["a doubled Origin", { Origin: page, origin: page }, [403]],
      ["the Origin null", { Origin: "null" }, [403]],
      ["a foreign Host", { Host: "evil.example" }, [421]],
      ["no Host", { Host: undefined }, [400]],
      ["no key", { "Sec-WebSocket-Key": undefined }, [400]],
      ["a short key", { "Sec-WebSocket-Key": "c2hvcnQ=" }, [400]],
      ["version 8", { "Sec-WebSocket-Version": "8" }, [426]],
      ["no version", { "Sec-WebSocket-Version": undefined }, [426]],
      ["headers of 20 KB", { X: "x".repeat(20_000) }, [431]],
    ])("a handshake with %s is refused", async (_what, change, expected) => {
      expect(expected).toContain(status(await handshake(change)));
    });

    test.each([
      ["GET /elsewhere", [404]],
      ["GET //", [404, 400]],
      ["GET /%", [404, 400]],
      [`POST ${path}`, [405]],
    ])("a handshake by %s is refused", async (line, expected) => {
      expect(expected).toContain(status(await handshake({}, `${line} HTTP/1.1`)));
    });

    test("a browser that opens the port directly learns what it is", async () => {
      const answer = await fetch(server().url);
      expect(answer.status).toBe(426);
      expect(answer.headers.get("Upgrade")).toBe("websocket");
      expect((await answer.json()).error).toMatch(/WebSocket/);
    });

    test("an upgrade to something else is answered with 426, and the headers that belong to it", async () => {
      const answer = await handshake({ Upgrade: "h2c", Connection: "Upgrade, HTTP2-Settings" });
      expect(status(answer)).toBe(426);
      expect(answer).toMatch(/^upgrade: websocket\r$/im);
      expect(answer).toMatch(/^connection: upgrade/im);
      expect(await handshake({ Upgrade: "h2c" }, "POST / HTTP/1.1")).not.toMatch(/^upgrade:/im);
    });

    test("no subprotocol is agreed to", async () => {
      const client = connectTcp(server().port, "127.0.0.1");
      client.write(bytesOf({ "Sec-WebSocket-Protocol": "chat, superchat" }));
      const answer = String(await new Promise((resolve) => client.once("data", resolve)));
      expect(status(answer)).toBe(101);
      expect(answer).not.toMatch(/^sec-websocket-protocol/im);
      client.destroy();
    });

    test("a handshake behind a request, in one packet, closes the connection", async () => {
      const answers = await raw(server().port, `GET / HTTP/1.1\r\nHost: localhost\r\n\r\n${bytesOf({})}`);
      expect(answers).not.toMatch(/ 101 /);
    });

    test("a handshake on a connection beyond the limit is answered with 503 and Retry-After", async () => {
      const idle = await fillConnections(server().port);
      const answer = await handshake({});
      expect(status(answer)).toBe(503);
      expect(answer).toMatch(/^retry-after: \d+/im);
      await closeAll(idle);
      await stillWell();
    });

    test("control characters in a close reason don't reach the terminal", async () => {
      const client = await open(server().port);
      client.socket.close(4000, "bye\x1b[2J\r\nlistening on http://evil.example");
      await client.closed;
      await stillWell();
      // afterAll checks everything that this server has printed.
    });

    test("the workshop's own page may connect", async () => {
      for (const origin of [page, "http://127.0.0.1:8000"]) {
        const { path, headers } = knock();
        const client = new Client(server().port, { origin, headers }, "127.0.0.1", path);
        await client.opened;
        client.socket.close();
      }
    });

    // Masked with a key of zeros, which leaves the payload as it is.
    const frame = (first: number, payload: Uint8Array | string) => {
      const bytes = Buffer.from(payload);
      return Buffer.concat([Buffer.from([first, 0x80 | bytes.length, 0, 0, 0, 0]), bytes]);
    };
    test.each<[string, Uint8Array, number]>([
      ["an unmasked frame", Buffer.from([0x81, 1, 0x61]), 1002],
      ["a reserved bit", frame(0xc1, "a"), 1002],
      ["a reserved opcode", frame(0x83, "a"), 1002],
      ["a continuation of nothing", frame(0x80, "a"), 1002],
      ["a fragmented ping", frame(0x09, "a"), 1002],
      ["a close with a code that is never sent", frame(0x88, Buffer.from([3, 238])), 1002],
      ["text that is not UTF-8", frame(0x81, Buffer.from([0xff])), 1007],
      [
        "a frame that announces 17 KiB, before they arrive",
        Buffer.from([0x81, 0xfe, 0x44, 0, 0, 0, 0, 0]),
        1009,
      ],
      ["a binary message", frame(0x82, "{}"), 1003],
      [
        "a flood of empty fragments",
        Buffer.concat(Array(5_000).fill(frame(0x01, ""), 0, 1).fill(frame(0x00, ""), 1)),
        1008,
      ],
    ])("%s costs one connection, not the server", async (_what, bytes, code) => {
      const socket = await rawWebSocket(server().port, knock());
      const ended = new Promise((resolve) => socket.on("close", resolve));
      let received = Buffer.alloc(0);
      const closeCode = new Promise<number>((resolve) =>
        socket.on("data", (chunk) => {
          received = Buffer.concat([received, chunk]);
          const at = received.lastIndexOf(0x88);
          if (at >= 0 && received.length >= at + 4) resolve(received.readUInt16BE(at + 2));
        }),
      );
      socket.write(bytes);
      expect(await closeCode).toBe(code);
      socket.destroy();
      await ended;
      await stillWell();
    });

    test.each<[string, string]>([
      ["not JSON", "{"],
      ["null", "null"],
      ["an array", "[]"],
      ["unknown type", '{"type":"constructor"}'],
      ["unknown type, too", '{"type":"__proto__"}'],
      ["blank", '{"type":"say","from":"Ada","text":"\u200B"}'],
      [
        "a name of 10,000 characters",
        JSON.stringify({ type: "say", from: "x".repeat(10_000), text: "Hello" }),
      ],
      ["a reserved name", '{"type":"say","from":"SERVER","text":"Hello"}'],
    ])("a message that is %s is refused with a reason, and the connection stays open", async (_what, bad) => {
      const client = await open(server().port);
      client.send(bad);
      expect((await client.receives("refused")).reason).toMatch(/\w/);
      client.send(talk.say("Still here"));
      await receives(client, "Still here");
      client.socket.close();
    });

    test("ten refused messages in ten seconds close the connection with 1008", async () => {
      const client = await open(server().port);
      for (let n = 0; n < 15; n++) client.send("{");
      expect(await client.closed).toMatchObject({ code: 1008 });
      expect(client.received.filter(({ type }) => type === "refused")).toHaveLength(9);
      await stillWell();
    });

    test("a message in the same packet as the handshake is not lost", async () => {
      const client = await open(server().port);
      const socket = connectTcp(server().port, "127.0.0.1");
      socket.write(Buffer.concat([Buffer.from(bytesOf({})), frame(0x81, JSON.stringify(talk.say("early")))]));
      await receives(client, "early");
      socket.destroy();
      client.socket.close();
    });

    if (talk === chat)
      test("a long text is cut between two characters, never inside an emoji", async () => {
        const client = await open(server().port);
        client.send({ type: "say", from: "Ada", text: "👩‍👩‍👧‍👦".repeat(600) });
        const { text } = await client.receives("message", ({ text }) => text.startsWith("👩"));
        expect(text.length).toBeGreaterThan(0);
        expect(text).toBe("👩‍👩‍👧‍👦".repeat(text.length / "👩‍👩‍👧‍👦".length));
        client.socket.close();
      });

    test("text is sent as text, not as binary", async () => {
      const client = await open(server().port);
      client.send(talk.say("words"));
      await receives(client, "words");
      expect(client.received.every((message) => !Buffer.isBuffer(message))).toBe(true);
      client.socket.close();
    });

    everyServer(lesson, server);

    test("after all this, SIGTERM closes every page with 1001 and ends the server with exit code 0", async () => {
      await stillWell();
      await closesEveryPage(server(), () => server().end(), knock);
    });
  });
}

/** Expects every page to be closed with 1001 when `end` asks the server to end, and the server to exit with code 0. */
export async function closesEveryPage(
  server: LessonServer,
  end: () => unknown,
  knock = (): Door => ({ path: "/", headers: {} }),
): Promise<void> {
  const clients = [await Client.open(server.port, knock()), await Client.open(server.port, knock())];
  const viaIPv6 = await Client.open(server.port, knock(), "[::1]");
  const silent = await rawWebSocket(server.port, knock());
  const began = performance.now();
  end();
  for (const client of [...clients, viaIPv6])
    expect(await client.closed).toEqual({ code: 1001, reason: "server going away" });
  expect(await server.ended).toBe(0);
  expect(performance.now() - began).toBeLessThan(5_000);
  silent.destroy();
}

/** Tests about addresses and ports, the same for HTTP and WebSocket. */
function everyServer(lesson: string, server: () => LessonServer) {
  test("listens on this machine only, on both of its addresses, whatever HOST says", async () => {
    if (outside)
      await expect(
        new Promise((resolve, reject) =>
          connectTcp(server().port, outside, resolve as () => void).on("error", reject),
        ),
      ).rejects.toThrow(/ECONNREFUSED/);
    expect((await fetch(`http://[::1]:${server().port}/lesson`)).status).toBe(200);
  });

  test("a taken port is reported in one line, with exit code 1", async () => {
    const second = await runServer(lesson, { PORT: String(server().port) });
    expect(await second.ended).toBe(1);
    expect(second.output().trim()).toMatch(/^Port \d+ is taken: .*PORT=\d+.*$/);
  });
}

/** An address of this machine beside localhost: Linux has 127.0.0.2, the others only what they have on a network. */
const outside =
  process.platform === "linux"
    ? "127.0.0.2"
    : Object.values(networkInterfaces())
        .flat()
        .find((one) => one?.family === "IPv4" && !one.internal)?.address;

function sharedServer(lesson: string, isWell: (server: LessonServer) => Promise<void>) {
  let one: LessonServer;
  beforeAll(async () => {
    one = await startServer(lesson, {
      PORT: String(await freePort()),
      PAGE_PORT: "8000",
      MAX_CONNECTIONS: String(maxConnections),
      // Without LAN this must not open anything.
      HOST: "0.0.0.0",
    });
  });
  afterAll(async () => {
    // After all that the tests above did to it, it is still the same process, it works, and it ends in order.
    if (one.child.exitCode === null) await isWell(one);
    expect(await one.end()).toBe(0);
    expect(one.output()).not.toMatch(/^ {4}at /m);
    expect(one.output()).not.toMatch(/[^\P{Cc}\n]/u);
    expect(one.output()).not.toMatch(/^listening on http:\/\/evil/m);
  });
  return { server: () => one, stillWell: () => isWell(one) };
}

/** Connections at the same time that the shared server has room for. */
const maxConnections = 40;

/** Opens as many connections as the shared server has room for. They stay idle. */
function fillConnections(port: number): Promise<Socket[]> {
  const connected = (socket: Socket) =>
    new Promise<Socket>((resolve) => socket.once("connect", () => resolve(socket)));
  return Promise.all(Array.from({ length: maxConnections }, () => connected(connectTcp(port, "127.0.0.1"))));
}

/** Closes the connections, and resolves when the server has noticed. */
async function closeAll(sockets: Socket[]): Promise<void> {
  const closed = sockets.map((socket) => new Promise((resolve) => socket.on("close", resolve)));
  for (const socket of sockets) socket.end();
  await Promise.all(closed);
}

/** A handshake by hand, with some headers changed or (undefined) left out. */
export function handshakeBytes(
  change: Record<string, string | undefined>,
  requestLine = "GET / HTTP/1.1",
): string {
  const fields = {
    Host: "localhost",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...change,
  };
  return `${requestLine}\r\n${header(fields)}\r\n`;
}

function header(fields: Record<string, string | undefined>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
}
