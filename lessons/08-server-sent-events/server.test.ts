// Promises of lesson 7's server.
import { connect } from "node:net";
import { expect, test } from "vitest";
import { everyHttpServer } from "../../shared/machinery/testing/every-server.ts";
import {
  Client,
  type Heard,
  type LessonServer,
  raw,
  startServer,
  until,
} from "../../shared/machinery/testing/lesson.ts";

type Event = { event: string; id: string | undefined; data: Heard };

/** A stream as a browser reads it, and the bytes as they came. */
class Stream {
  text = "";
  ended = false;
  readonly #away = new AbortController();
  readonly response: Promise<Response>;

  constructor({ url }: { url: string }, query = "", lastEventId?: string) {
    this.response = fetch(`${url}/events${query}`, {
      headers: lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId },
      signal: this.#away.signal,
    });
    void this.response.then((response) => this.read(response)).catch(() => {});
  }

  async read(response: Response) {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) this.text += decoder.decode(chunk, { stream: true });
    this.ended = true;
  }

  /** Whole events and ids so far. */
  get blocks(): Event[] {
    return this.text
      .split("\n\n")
      .slice(0, -1)
      .map((block) => {
        const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: ?(.*)/s)));
        return { event: fields.event ?? "message", id: fields.id, data: fields.data };
      });
  }

  get messages() {
    return this.blocks
      .filter(({ event, data }) => event === "message" && data !== undefined)
      .map(({ data }) => JSON.parse(data));
  }

  get ids(): number[] {
    return this.messages.map(({ id }) => id);
  }

  async hears(which: (event: Event) => boolean): Promise<Event> {
    await until(() => this.blocks.some(which));
    return this.blocks.find(which) as Event;
  }

  close() {
    this.#away.abort();
  }

  /** Opens a stream that has been told where it stands. */
  static async open(server: { url: string }, query?: string, lastEventId?: string) {
    const stream = new Stream(server, query, lastEventId);
    await stream.hears(({ id }) => id !== undefined);
    return stream;
  }
}

const lesson = "08-server-sent-events";
const post = ({ url }: { url: string }, text: string, id?: string) =>
  fetch(`${url}/messages`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ from: "Ada", text, id }),
  });
const listening = async ({ url }: LessonServer) =>
  (await (await fetch(`${url}/listening`)).json()).listening as number;
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

everyHttpServer(lesson, "/events", async (answer) => {
  const stream = new Stream({ url: "http://localhost:0" });
  void stream.read(answer).catch(() => {});
  await until(() => stream.blocks.some(({ id }) => id !== undefined));
  const reset = stream.blocks.some(({ event }) => event === "reset");
  return { reset };
});

test("is an event stream: a pause of its own for each, a sign of life, and an id from the first moment", async () => {
  const server = await startServer(lesson);
  const streams = await Promise.all(Array.from({ length: 20 }, () => Stream.open(server)));
  const [{ headers }] = (await Promise.all(streams.map(({ response }) => response))) as [Response];
  expect(headers.get("Content-Type")).toBe("text/event-stream");
  expect(headers.get("Cache-Control")).toBe("no-store");
  const retries = streams.map(({ text }) => Number(text.match(/^retry: (\d+)$/m)?.[1]));
  expect(new Set(retries).size).toBeGreaterThan(15);
  expect(Math.min(...retries)).toBeGreaterThanOrEqual(2_000);
  expect(Math.max(...retries)).toBeLessThanOrEqual(5_000);
  for (const { text } of streams) expect(text).toMatch(/^retry: \d+\nid: [0-9a-f]{8}:0\n\n: still here\n/);
  await post(server, "Zeile 1\nZeile 2");
  for (const stream of streams) {
    await until(() => stream.ids.length === 1);
    expect(stream.messages[0]).toMatchObject({ id: 1, from: "Ada", text: "Zeile 1\nZeile 2" });
    stream.close();
  }
});

test("who comes back says what it heard last, and gets what came after", async () => {
  const server = await startServer(lesson);
  for (let n = 1; n <= 5; n++) await post(server, `${n}`);
  const { id } = await (await Stream.open(server)).hears(({ id }) => Boolean(id?.endsWith(":3")));
  // The header counts for more than the address: the browser asks for the same address each time.
  const again = await Stream.open(server, "?after=1", id);
  await post(server, "6");
  await until(() => again.ids.length === 3);
  expect(again.ids).toEqual([4, 5, 6]);
  expect((await Stream.open(server, "?after=4")).ids).toEqual([5, 6]);
});

test("no hole and no double where replay and live meet, while somebody talks all the time", async () => {
  const server = await startServer(lesson);
  await Promise.all(upTo(300).map((n) => post(server, `${n}`)));
  let talking = true;
  const talked = (async () => {
    while (talking) await Promise.all([post(server, "Hello"), post(server, "Hello")]);
  })();
  const streams = await Promise.all(Array.from({ length: 20 }, () => Stream.open(server)));
  await until(() => streams.every(({ ids }) => ids.length > 320));
  talking = false;
  await talked;
  const last = (await (await post(server, "the last")).json()).id;
  for (const stream of streams) {
    await until(() => stream.ids.at(-1) === last);
    expect(stream.ids).toEqual(upTo(last));
  }
});

test("before anything was said, and after a long silence, to come back is no reset", async () => {
  const server = await startServer(lesson);
  const { id } = await (await Stream.open(server)).hears(({ id }) => id !== undefined);
  const again = await Stream.open(server, "", id);
  await Promise.all(upTo(900).map((n) => post(server, `${n}`)));
  const late = await Stream.open(server, "", id);
  await until(() => late.ids.length === 900);
  for (const stream of [again, late])
    expect(stream.blocks.some(({ event }) => event === "reset")).toBe(false);
});

test("a gap larger than the history, or another log, is a declared reset, once", async () => {
  const server = await startServer(lesson, { HISTORY: "10" });
  const { id: start } = await (await Stream.open(server)).hears(({ id }) => id !== undefined);
  const [log] = String(start).split(":");
  for (const n of upTo(30)) await post(server, `${n}`);
  for (const id of [`${log}:3`, "another:25", `${log}:99`]) {
    const stream = await Stream.open(server, "", id);
    await until(() => stream.ids.length === 10);
    expect(stream.ids).toEqual(upTo(30, 21));
    const resets = stream.blocks.filter(({ event }) => event === "reset");
    // Told together with where to go on from: who goes right after it is not told again, nor left untold.
    expect(resets).toEqual([{ event: "reset", id: `${log}:20`, data: "" }]);
    const again = await Stream.open(server, "", resets[0]?.id);
    expect(again.blocks.some(({ event }) => event === "reset")).toBe(false);
  }
});

test.each([["41"], ["a:"], ["a:1.5"], ["a:-1"], ["a:9007199254740993"], ["a:1, a:2"], ["../:1"]])(
  "the Last-Event-ID %j is answered with 400",
  async (id) => {
    const answer = await fetch(`${(await shared()).url}/events`, { headers: { "Last-Event-ID": id } });
    expect(answer.status).toBe(400);
    expect((await answer.json()).error).toMatch(/^Last-Event-ID/);
  },
);

let started: Promise<LessonServer> | undefined;
function shared() {
  started ??= startServer(lesson);
  return started;
}

test("who wants no more than so many gets an end, and then 204 for good", async () => {
  const server = await startServer(lesson);
  await post(server, "1");
  const stream = await Stream.open(server, "?after=1&until=3");
  await post(server, "2");
  expect(stream.ended).toBe(false);
  await post(server, "3");
  await until(() => stream.ended);
  expect(stream.ids).toEqual([2, 3]);
  const { id } = stream.blocks.at(-1) as Event;
  const again = await fetch(`${server.url}/events?after=1&until=3`, {
    headers: { "Last-Event-ID": String(id) },
  });
  expect(again.status).toBe(204);
  const inThePast = await Stream.open(server, "?after=1&until=2");
  await until(() => inThePast.ended);
  expect((await fetch(`${server.url}/events?until=soon`)).status).toBe(400);
});

test("a sign of life comes again and again, as a comment for proxies and as an event for scripts", async () => {
  const server = await startServer(lesson, { BEAT_EVERY_MS: "200" });
  const stream = await Stream.open(server);
  await until(() => stream.blocks.filter(({ event }) => event === "beat").length >= 4, 1_500);
  expect(stream.text.match(/^: still here$/gm)?.length).toBeGreaterThanOrEqual(4);
  expect(stream.blocks.find(({ event }) => event === "beat")?.data).toBe("200");
  stream.close();
});

test("a page that goes away is freed at once; a HEAD is never held", async () => {
  const server = await startServer(lesson);
  const streams = await Promise.all(Array.from({ length: 50 }, () => Stream.open(server)));
  expect(await listening(server)).toBe(50);
  expect((await fetch(`${server.url}/events`, { method: "HEAD" })).headers.get("Content-Type")).toBe(
    "text/event-stream",
  );
  for (const stream of streams.slice(1)) stream.close();
  await until(async () => (await listening(server)) === 1, 1_000);
  await post(server, "who is left?");
  await until(() => streams[0]?.ids.length === 1);
});

test("a reader that stops reading is ended, and costs the others nothing", async () => {
  const server = await startServer(lesson);
  const slow = connect(server.port, "127.0.0.1").on("error", () => {});
  slow.write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  slow.pause();
  const ada = await Stream.open(server);
  await until(async () => (await listening(server)) === 2);
  const text = "👩‍👩‍👧‍👦".repeat(500);
  let said = 0;
  for (; said < 3_000 && (await listening(server)) === 2; said += 50)
    await Promise.all(upTo(50).map(() => post(server, text)));
  expect(await listening(server)).toBe(1);
  await until(() => ada.text.includes(`"id":${said},`));
  slow.destroy();
});

test("a message sent twice under one id is shown once", async () => {
  const server = await startServer(lesson);
  expect((await post(server, "Hello", "a1-1")).status).toBe(201);
  expect((await post(server, "Hello", "a1-1")).status).toBe(200);
  expect((await post(server, "Hello", "b2-1")).status).toBe(201);
  const stream = await Stream.open(server);
  await until(() => stream.ids.length === 2);
  expect((await post(server, "Hello", "no id")).status).toBe(422);
});

test("ends every stream on demand, and on SIGTERM within two seconds, with exit code 0", async () => {
  const server = await startServer(lesson);
  const first = await Stream.open(server);
  await fetch(`${server.url}/cut`, { method: "POST" });
  await until(() => first.ended);
  expect(await listening(server)).toBe(0);
  await Stream.open(server);
  const began = performance.now();
  server.child.kill("SIGTERM");
  expect(await server.ended).toBe(0);
  expect(performance.now() - began).toBeLessThan(2_000);
});

test("a foreign page can neither cut streams nor open a socket, ours can open one", async () => {
  const server = await shared();
  const Origin = "https://evil.example";
  expect((await fetch(`${server.url}/cut`, { method: "POST", headers: { Origin } })).status).toBe(403);
  expect(
    await raw(
      server.port,
      `GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: ${Origin}\r\n\r\n`,
    ),
  ).toMatch(/^HTTP\/1.1 403/);
  expect((await (await Client.open(server.port)).closed).code).toBe(1000);
});
