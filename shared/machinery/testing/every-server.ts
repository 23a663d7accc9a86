// What every lesson's server promises, whatever its transport: each bad input a clear answer, no way to end it.
import { connect as connectTcp } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Client, type LessonServer, raw, rawWebSocket, runServer, startServer, until } from "./lesson.ts";
import { freePort } from "./process.ts";

const page = "http://localhost:8000";
const json = { "Content-Type": "application/json" };
const status = (answer: string) => Number(answer.match(/^HTTP\/1.1 (\d+)/)?.[1]);

/** The first thing that an answer says: a JSON body is one whole thing. */
const readJson = (answer: Response): Promise<{ reset: boolean }> => answer.json();

/**
 * Promises of the lessons that speak HTTP: `POST /messages`, and `GET /messages?after=` or whatever path messages are
 * read from. `first` tells what an answer from there begins with.
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
    ])("a body that is %s is refused in words", async (_what, body, expected) => {
      const answer = await fetch(`${server().url}/messages`, { method: "POST", headers: json, body });
      expect(answer.status).toBe(expected);
      expect((await answer.json()).error).toMatch(/\w/);
    });

    test("a body over the limit that was not announced is ended with 413, unread", async () => {
      const chunk = `4000\r\n${"x".repeat(0x4000)}\r\n`;
      const head = `POST /messages HTTP/1.1\r\nHost: localhost\r\n${header(json)}Transfer-Encoding: chunked\r\n\r\n`;
      expect(status(await raw(server().port, head + chunk + chunk))).toBe(413);
    });

    test("a body over the limit is refused from its announcement alone", async () => {
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

    test("our page may read the answers, a foreign one may neither read nor post", async () => {
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
    ])("the path %s is answered with 404, or 400 where it is none", async (path) => {
      const answer = await raw(
        server().port,
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      // 426: where a socket would open.
      expect([400, 404, ...(path === "/" ? [426] : [])]).toContain(status(answer));
    });

    test("headers of 20 KB are answered with 431", async () => {
      const answer = await raw(
        server().port,
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      );
      expect(status(answer)).toBe(431);
    });

    test("garbage is answered with 400 and costs nobody else anything", async () => {
      expect(status(await raw(server().port, "\x16\x03\x01\x02\x00\x01garbage\r\n\r\n"))).toBe(400);
      await stillWell();
    });

    test("after a restart an old cursor is a declared reset", async () => {
      const answer = await fetch(`${server().url}${path}?after=0&log=another`);
      expect(await first(answer)).toMatchObject({ reset: true });
    });

    everyServer(lesson, server);
  });
}

/** Promises of the lessons that speak WebSocket. `enter`: what a client does before it hears what others say. */
export function everySocketServer(
  lesson: string,
  enter: (client: Client) => Promise<void> = async () => {},
): void {
  async function open(port: number) {
    const client = await Client.open(port);
    await enter(client);
    return client;
  }

  describe(`${lesson} as a WebSocket server`, () => {
    const { server, stillWell } = sharedServer(lesson, async ({ port }) => {
      const [ada, grace] = [await open(port), await open(port)];
      ada.send({ type: "say", from: "Ada", text: "Still there?" });
      await grace.hears("message", ({ text }) => text === "Still there?");
      ada.socket.close();
      grace.socket.close();
    });

    const handshake = (change: Record<string, string | undefined>, requestLine = "GET / HTTP/1.1") =>
      raw(
        server().port,
        `${requestLine}\r\n${header({
          Host: "localhost",
          Connection: "Upgrade",
          Upgrade: "websocket",
          "Sec-WebSocket-Version": "13",
          "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
          ...change,
        })}\r\n`,
      );

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
      ["POST /", [405]],
    ])("a handshake by %s is refused", async (line, expected) => {
      expect(expected).toContain(status(await handshake({}, `${line} HTTP/1.1`)));
    });

    test("somebody who opens the port in a browser is told what it is", async () => {
      const answer = await fetch(server().url);
      expect(answer.status).toBe(426);
      expect(answer.headers.get("Upgrade")).toBe("websocket");
      expect((await answer.json()).error).toMatch(/WebSocket/);
    });

    test("our page's Origin is welcome", async () => {
      for (const origin of [page, "http://127.0.0.1:8000"]) {
        const client = new Client(server().port, { origin });
        await client.opened;
        client.socket.close();
      }
    });

    // Masked with a key of zeros: the payload stands there as it is.
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
      ["binary where text is spoken", frame(0x82, "{}"), 1003],
      [
        "a flood of empty fragments",
        Buffer.concat(Array(5_000).fill(frame(0x01, ""), 0, 1).fill(frame(0x00, ""), 1)),
        1008,
      ],
    ])("%s costs one connection, not the server", async (_what, bytes, code) => {
      const socket = await rawWebSocket(server().port);
      const chunks: Buffer[] = [];
      socket.on("data", (chunk) => chunks.push(chunk));
      const ended = new Promise((resolve) => socket.on("close", resolve));
      socket.write(bytes);
      const closeFrame = () => {
        const all = Buffer.concat(chunks);
        return all.length >= 4 && all.subarray(all.lastIndexOf(0x88));
      };
      await until(closeFrame);
      const last = closeFrame() as Buffer;
      expect([last[0], last.readUInt16BE(2)]).toEqual([0x88, code]);
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
      ["a name of the system's", '{"type":"say","from":"SERVER","text":"Hello"}'],
    ])("a message that is %s is answered in words, and the connection stays", async (_what, bad) => {
      const client = await open(server().port);
      client.send(bad);
      expect((await client.hears("refused")).reason).toMatch(/\w/);
      client.send({ type: "say", from: "Ada", text: "Still here" });
      await client.hears("message", ({ text }) => text === "Still here");
      client.socket.close();
    });

    test("ten faults in ten seconds end the connection with 1008", async () => {
      const client = await open(server().port);
      for (let n = 0; n < 15; n++) client.send("{");
      expect(await client.closed).toMatchObject({ code: 1008 });
      expect(client.heard.filter(({ type }) => type === "refused")).toHaveLength(9);
      await stillWell();
    });

    test("a message in the same packet as the handshake is not lost", async () => {
      const client = await open(server().port);
      const socket = connectTcp(server().port, "127.0.0.1");
      socket.write(
        Buffer.concat([
          Buffer.from(
            `GET / HTTP/1.1\r\n${header({ Host: "localhost", Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" })}\r\n`,
          ),
          frame(0x81, '{"type":"say","from":"Ada","text":"early"}'),
        ]),
      );
      await client.hears("message", ({ text }) => text === "early");
      socket.destroy();
      client.socket.close();
    });

    test("a text of any length arrives cut by character, never inside an emoji", async () => {
      const client = await open(server().port);
      client.send({ type: "say", from: "Ada", text: "👩‍👩‍👧‍👦".repeat(600) });
      const { text } = await client.hears("message", ({ text }) => text.startsWith("👩"));
      expect(text.length).toBeGreaterThan(0);
      expect(text).toBe("👩‍👩‍👧‍👦".repeat(text.length / "👩‍👩‍👧‍👦".length));
      client.socket.close();
    });

    test("text comes as text, not as binary", async () => {
      const client = await open(server().port);
      client.send({ type: "say", from: "Ada", text: "words" });
      await client.hears("message", ({ text }) => text === "words");
      expect(client.heard.every((message) => !Buffer.isBuffer(message))).toBe(true);
      client.socket.close();
    });

    test("Ctrl-C and SIGTERM close every page with 1001 and end the server with exit code 0", async () => {
      for (const signal of ["SIGTERM", "SIGINT"] as const) {
        const own = await startServer(lesson);
        const clients = [await Client.open(own.port), await Client.open(own.port)];
        const silent = await rawWebSocket(own.port);
        const began = performance.now();
        own.child.kill(signal);
        for (const client of clients)
          expect(await client.closed).toEqual({ code: 1001, reason: "server going away" });
        expect(await own.ended).toBe(0);
        expect(performance.now() - began).toBeLessThan(5_000);
        silent.destroy();
      }
    }, 30_000);

    everyServer(lesson, server);
  });
}

/** Promises about connections, ports and ends, the same for HTTP and WebSocket. */
function everyServer(lesson: string, server: () => LessonServer) {
  test("listens on this machine only, unless HOST says otherwise", async () => {
    await expect(
      new Promise((resolve, reject) =>
        connectTcp(server().port, "127.0.0.2", resolve as () => void).on("error", reject),
      ),
    ).rejects.toThrow(/ECONNREFUSED/);
  });

  test("a taken port is said in one line, with exit code 1", async () => {
    const second = await runServer(lesson, { PORT: String(server().port) });
    expect(await second.ended).toBe(1);
    expect(second.output().trim()).toMatch(/^Port \d+ is taken: .*PORT=\d+.*$/);
  });

  test("an impossible port is said in one line, with exit code 1", async () => {
    const second = await runServer(lesson, { PORT: "eighty" });
    expect(await second.ended).toBe(1);
    expect(second.output().trim().split("\n")).toHaveLength(1);
  });
}

function sharedServer(lesson: string, isWell: (server: LessonServer) => Promise<void>) {
  let one: LessonServer;
  beforeAll(async () => {
    // HOST as conda sets it: a name of its own, no address.
    const HOST = "x86_64-conda-linux-gnu";
    one = await startServer(lesson, { PORT: String(await freePort()), PAGE_PORT: "8000", HOST });
  });
  afterAll(async () => {
    // Whatever the tests above did to it, it is the same process, and well.
    await isWell(one);
    expect(one.child.exitCode).toBeNull();
    expect(one.output()).not.toMatch(/^ {4}at /m);
    await one.kill();
  });
  return { server: () => one, stillWell: () => isWell(one) };
}

function header(fields: Record<string, string | undefined>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
}

/** Promises about connections that cost patience: half a minute each, so they are asked of one lesson of each kind. */
export function patientServer(lesson: string): void {
  const { server } = sharedServer(lesson, async ({ url }) => void (await fetch(url)));
  test.concurrent.each([
    ["says nothing", ""],
    ["dribbles its headers", "GET / HTTP/1.1\r\nHost: localhost\r\nX: "],
  ])(
    "a connection that %s is ended within 20 s",
    async (_what, bytes) => {
      const began = performance.now();
      await raw(server().port, bytes, 20_000);
      expect(performance.now() - began).toBeGreaterThan(5_000);
    },
    25_000,
  );
}
