// Promises of lesson 8's server.
import { connect } from "node:net";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { afterEach, beforeAll, expect, test } from "vitest";
import { everyHttpServer } from "../../shared/machinery/testing/every-server.ts";
import {
  heavyText,
  type LessonServer,
  raw,
  startServer,
  until,
} from "../../shared/machinery/testing/lesson.ts";
import { startCountingTurns } from "../../shared/machinery/testing/turns.ts";

/** A stream, read by a parser as browsers have one, and the text as it came. */
class Stream {
  text = "";
  ended = false;
  readonly events: EventSourceMessage[] = [];
  readonly #away = new AbortController();

  /** Opens a stream and waits for its first id. */
  static async open({ url }: { url: string }, query = "", lastEventId?: string): Promise<Stream> {
    const stream = new Stream();
    opened.push(stream);
    const response = await fetch(`${url}/events${query}`, {
      headers: lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId },
      signal: stream.#away.signal,
    });
    void stream.read(response).catch(() => {});
    await until(() => stream.lastEventId);
    return stream;
  }

  async read(response: Response): Promise<void> {
    const parser = createParser({ onEvent: (event) => this.events.push(event) });
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const text = decoder.decode(chunk, { stream: true });
      this.text += text;
      parser.feed(text);
    }
    this.ended = true;
  }

  /** What a browser would send if it reconnected now. The parser reports no id without data, so it is read here. */
  get lastEventId(): string | undefined {
    return [...this.text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1];
  }

  named(name: string): EventSourceMessage[] {
    return this.events.filter(({ event }) => event === name);
  }

  get messages() {
    return this.events.filter(({ event }) => event === undefined).map(({ data }) => JSON.parse(data));
  }

  get ids(): number[] {
    return this.events.filter(({ event }) => event === undefined).map(({ id }) => Number(id?.split(":")[1]));
  }

  close(): void {
    this.#away.abort();
  }
}

const lesson = "08-server-sent-events";
const post = (text: string, id?: string, { url } = server) =>
  fetch(`${url}/messages`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ from: "Ada", text, id }),
  });
/** Posts a message. Resolves with its id in the log. */
const say = async (text: string): Promise<number> => (await (await post(text)).json()).id;
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

// One server for all tests, with no stream open when a test begins.
let server: LessonServer;
const opened: Stream[] = [];
beforeAll(async () => {
  server = await startServer(lesson);
});
afterEach(async () => {
  for (const stream of opened.splice(0)) stream.close();
  await until(() => (server.output().match(/closed: (\d+) open\n(?!.*closed)/s)?.[1] ?? "0") === "0");
});

everyHttpServer(lesson, "/events", async (answer) => {
  const stream = new Stream();
  void stream.read(answer).catch(() => {});
  await until(() => stream.lastEventId);
  return { reset: stream.named("reset").length > 0 };
});

// The first test: nobody has said anything yet.
test("declares no reset when a browser reconnects before the first message, or after a long silence", async () => {
  const { lastEventId } = await Stream.open(server);
  const again = await Stream.open(server, "", lastEventId);
  await Promise.all(upTo(200).map((n) => post(`${n}`)));
  const late = await Stream.open(server, "", lastEventId);
  await until(() => late.ids.length === 200);
  for (const stream of [again, late]) expect(stream.named("reset")).toEqual([]);
});

test("sends a stream of events: a pause of its own for each browser, an id from the first moment, a sign of life", async () => {
  const before = await say("before");
  const { headers } = await fetch(`${server.url}/events`, { method: "HEAD" });
  expect(headers.get("Content-Type")).toBe("text/event-stream");
  expect(headers.get("Cache-Control")).toBe("no-store");
  expect(headers.get("X-Accel-Buffering")).toBe("no");
  const streams = await Promise.all(upTo(20).map(() => Stream.open(server, `?after=${before}`)));
  const pauses = streams.map(({ text }) => Number(text.match(/^retry: (\d+)$/m)?.[1]));
  expect(new Set(pauses).size).toBeGreaterThan(15);
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(2_000);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(5_000);
  await post("Zeile 1\nZeile 2");
  for (const stream of streams) {
    await until(() => stream.ids.length === 1);
    // The exercise adds presence.
    expect(stream.text.replace(/event: presence\ndata: \d+\n\n/g, "")).toMatch(
      /^retry: \d+\nid: [0-9a-f]{8}:\d+\n\n: still here\nevent: beat\ndata: 15000\n\nid: [0-9a-f]{8}:\d+\ndata: \{.*\}\n\n$/,
    );
    expect(stream.text).toContain(`:${before}\n`);
    expect(stream.messages).toEqual([
      { id: before + 1, from: "Ada", text: "Zeile 1\nZeile 2", at: expect.any(Number) },
    ]);
  }
});

test("sends a browser that reconnects what came after the last id it saw", async () => {
  const one = await say("one");
  for (const text of ["two", "three"]) await post(text);
  const first = await Stream.open(server, `?after=${one - 1}`);
  await until(() => first.ids.length === 3);
  const id = first.events.find(({ id }) => id?.endsWith(`:${one}`))?.id;
  // The header wins over the address: the browser asks for the same address each time.
  const again = await Stream.open(server, `?after=${one - 1}`, id);
  await post("four");
  await until(() => again.ids.length === 3);
  expect(again.ids).toEqual(upTo(one + 3, one + 1));
  const byAddress = await Stream.open(server, `?after=${one + 1}`);
  await until(() => byAddress.ids.length === 2);
  expect(byAddress.ids).toEqual(upTo(one + 3, one + 2));
});

test("leaves no hole and sends nothing twice where replay and live meet, while somebody talks all the time", async () => {
  await Promise.all(upTo(200).map((n) => post(`${n}`)));
  const before = await say("before");
  let talking = true;
  const talked = (async () => {
    while (talking) await Promise.all([post("Hello"), post("Hello")]);
  })();
  const streams = await Promise.all(upTo(20).map(() => Stream.open(server)));
  await until(() => streams.every(({ lastEventId }) => Number(lastEventId?.split(":")[1]) > before + 20));
  talking = false;
  await talked;
  const last = await say("the last");
  for (const stream of streams) {
    await until(() => stream.ids.at(-1) === last);
    expect(stream.ids).toEqual(upTo(last));
  }
});

test("declares a gap larger than its history, or another log, as a reset, once", async () => {
  const forgetful = await startServer(lesson, { HISTORY: "10" });
  const [log] = (await Stream.open(forgetful)).lastEventId?.split(":") ?? [];
  for (const n of upTo(30)) await post(`${n}`, undefined, forgetful);
  for (const id of [`${log}:3`, "another:25", `${log}:99`]) {
    const stream = await Stream.open(forgetful, "", id);
    await until(() => stream.ids.length === 10);
    expect(stream.ids).toEqual(upTo(30, 21));
    // The id comes together with the reset: a page that leaves right after it doesn't get a second one.
    expect(stream.named("reset")).toEqual([{ event: "reset", id: `${log}:20`, data: "" }]);
    const again = await Stream.open(forgetful, "", `${log}:20`);
    await until(() => again.ids.length === 10);
    expect(again.named("reset")).toEqual([]);
  }
});

test.each([["41"], ["a:"], ["a:1.5"], ["a:-1"], ["a:9007199254740993"], ["a:1, a:2"], ["../:1"]])(
  "answers the Last-Event-ID %j with 400",
  async (id) => {
    const answer = await fetch(`${server.url}/events`, { headers: { "Last-Event-ID": id } });
    expect(answer.status).toBe(400);
    expect((await answer.json()).error).toMatch(/^Last-Event-ID/);
  },
);

test("sends a sign of life again and again, as a comment for proxies and as an event for pages", async () => {
  const beating = await startServer(lesson, { BEAT_EVERY_MS: "200" });
  const stream = await Stream.open(beating);
  // At the usual times, the fourth would come after 45 s.
  await until(() => stream.named("beat").length >= 4);
  expect(stream.text.match(/^: still here$/gm)).toHaveLength(stream.named("beat").length);
  expect(stream.named("beat")[0]?.data).toBe("200");
});

test("forgets a page that has gone, and holds no HEAD", async () => {
  const after = await say("before");
  const from = server.output().length;
  const streams = await Promise.all(upTo(50).map(() => Stream.open(server, `?after=${after}`)));
  await fetch(`${server.url}/events`, { method: "HEAD" });
  for (const stream of streams.slice(1)) stream.close();
  await until(() => server.output().slice(from).includes("closed: 1 open"));
  await post("who is left?");
  await until(() => streams[0]?.ids.length === 1);
});

test("disconnects a reader that leaves more than 1 MiB unread, and the others notice nothing", async () => {
  const after = await say("before");
  const from = server.output().length;
  const isDisconnected = () => server.output().slice(from).includes("closed: 1 open");
  const ada = await Stream.open(server, `?after=${after}`);
  const slow = connect(server.port, "127.0.0.1").on("error", () => {});
  slow.write(`GET /events?after=${after} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await new Promise((resolve) => slow.once("data", resolve));
  slow.pause();
  let said = 0;
  for (; said < 3_000 && !isDisconnected(); said += 50)
    await Promise.all(upTo(50).map(() => post(heavyText)));
  expect(isDisconnected()).toBe(true);
  await until(() => ada.ids.length === said);
  slow.destroy();
});

test("sends a long history in small pieces, so that hundreds of streams don't keep others waiting", async () => {
  const after = await say("before");
  await Promise.all(upTo(60).map(() => post(heavyText)));
  const last = await say("after");
  const stream = connect(server.port, "127.0.0.1");
  stream.write(`GET /events?after=${after} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  let text = "";
  stream.on("data", (bytes) => {
    text += bytes;
  });
  await until(() => text.includes(`:${last}\ndata:`));
  stream.destroy();
  // A piece is a chunk (RFC 9112 §7.1). It begins with its length on a line of its own.
  const pieces = [...text.matchAll(/\r\n([0-9a-f]+)\r\n/g)].map(([, length = ""]) =>
    Number.parseInt(length, 16),
  );
  expect(pieces.length).toBeGreaterThan(10);
  expect(Math.max(...pieces)).toBeLessThan(64 * 1024);
});

test("gives everybody else a turn before each piece of a history, though the network takes it immediately", async () => {
  const [counting, turnsOfLongWrites] = await startCountingTurns(lesson);
  // Eight of these messages make a piece.
  await Promise.all(upTo(80).map(() => post("x".repeat(500), undefined, counting)));
  const stream = await Stream.open(counting);
  await until(() => stream.ids.length === 80 && turnsOfLongWrites().length === 10);
  expect(new Set(turnsOfLongWrites()).size).toBe(10);
});

test("shows a message once that was sent twice with one id", async () => {
  const after = await say("before");
  expect((await post("Hello", "a1-1")).status).toBe(201);
  const copy = await post("Hello", "a1-1");
  expect([copy.status, await copy.json()]).toEqual([200, { double: true }]);
  expect((await post("Hello", "b2-1")).status).toBe(201);
  // Without an id, nobody can tell a copy from the same words said twice.
  for (const _ of [1, 2]) expect((await post("Hello")).status).toBe(201);
  const stream = await Stream.open(server, `?after=${after}`);
  await until(() => stream.ids.length === 4);
  const refused = await post("Hello", "no id");
  expect([refused.status, (await refused.json()).error]).toEqual([422, expect.stringMatching(/^id: /)]);
});

test("answers a WebSocket handshake with 404", async () => {
  const answer = await raw(
    server.port,
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  expect(answer).toMatch(/^HTTP\/1.1 404/);
});

test("ends every stream on SIGTERM, and itself within five seconds with exit code 0", async () => {
  const ending = await startServer(lesson);
  const stream = await Stream.open(ending);
  const began = performance.now();
  expect(await ending.end()).toBe(0);
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(stream.ended).toBe(false); // cut off, not completed: the browser would reconnect in both cases
});
