// Promises of lesson 8's server: four ways to the same stream, and a desk that only its own page may touch.
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Answer, Message } from "../../shared/both/old-message.ts";
import type { Counts } from "../../shared/machinery/cable/entry.ts";
import { Client, type LessonServer, raw, startServer, until } from "../../shared/machinery/testing/lesson.ts";
import { type Lane, lanes, type Settings, type Spent } from "./settings.ts";

const page = "http://localhost:8000";
const json = { "Content-Type": "application/json" };
const count = 60;
const stream = { perSecond: 100, size: 100, everyMs: 100, clients: 1 };

let server: LessonServer;
beforeAll(async () => {
  server = await startServer("09-compare", { PAGE_PORT: "8000" });
  expect((await post("settings", stream)).status).toBe(200);
});
afterAll(async () => {
  // Whatever the tests did to it, it is the same process, and well.
  expect((await fetch(`${server.url}/messages`)).status).toBe(200);
  expect(server.child.exitCode).toBeNull();
  expect(server.output()).not.toMatch(/^ {4}at /m);
});

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${server.url}/${path}`, {
    method: "POST",
    headers: { ...json, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

/** Every way to read, by what it is at the server: resolves with the first `count` messages after the cursor. */
const readers: Record<Lane, (url: string, after: number, logUrl?: string) => Promise<Message[]>> = {
  polling: (url, after) => ask(`${url}/messages`, after, 100),
  "long-polling": (url, after) => ask(`${url}/wait`, after, 0),
  async sse(url, after) {
    const heard: Message[] = [];
    for await (const { data, id } of events(`${url}/events?after=${after}`)) {
      if (!data) continue;
      heard.push(data as Message);
      expect(id).toBe((data as Message).id);
      if (heard.length >= count) break;
    }
    return heard;
  },
  async websocket(url, after, logUrl = url) {
    const client = await Client.open(Number(new URL(url).port));
    const { log }: Answer = await (await fetch(`${logUrl}/messages`)).json();
    client.send({ type: "resume", after, log });
    await until(() => client.heard.length >= count);
    client.socket.close();
    return client.heard;
  },
};

async function ask(url: string, after: number, pauseMs: number) {
  const heard: Message[] = [];
  while (heard.length < count) {
    const answer: Answer = await (await fetch(`${url}?after=${heard.at(-1)?.id ?? after}`)).json();
    heard.push(...answer.messages);
    await pause(pauseMs);
  }
  return heard;
}

/** The events of a text/event-stream. */
async function* events(url: string, headers: Record<string, string> = {}) {
  const ending = new AbortController();
  const response = await fetch(url, { headers, signal: ending.signal });
  expect(response.headers.get("Content-Type")).toBe("text/event-stream");
  let rest = "";
  try {
    for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const parts = (rest + text).split("\n\n");
      rest = parts.pop() ?? "";
      for (const part of parts) {
        const fields = Object.fromEntries(part.split("\n").map((line) => line.split(/: (.*)/s)));
        yield {
          event: fields.event as string | undefined,
          id: fields.id === undefined ? undefined : Number(fields.id),
          data: fields.data === undefined ? undefined : JSON.parse(fields.data),
        };
      }
    }
  } finally {
    ending.abort();
  }
}

describe.concurrent.each(lanes)("%s", (lane) => {
  test("delivers every message after the cursor, each once, ids rising by one", async () => {
    const { messages }: Answer = await (await fetch(`${server.url}/messages`)).json();
    const after = messages.at(-1)?.id ?? 0;
    const heard = await readers[lane](server.url, after);
    expect(heard.slice(0, count).map(({ id }) => id)).toEqual(
      Array.from({ length: count }, (_, n) => after + n + 1),
    );
  });

  test("catches up on what was said before, and goes on live, without a hole between", async () => {
    await until(async () => {
      const answer: Answer = await (await fetch(`${server.url}/messages`)).json();
      return answer.messages.length > 40;
    });
    const heard = await readers[lane](server.url, 0);
    expect(heard.slice(0, count).map(({ id }) => id)).toEqual(Array.from({ length: count }, (_, n) => n + 1));
  });
});

test("a message has the size that was asked for, to the byte, and the time it was published", async () => {
  const [message] = await ask(`${server.url}/messages`, 0, 0);
  expect(JSON.stringify(message)).toHaveLength(100);
  expect(message?.at).toEqual(expect.closeTo(Date.now(), -5));
});

test("a browser that comes back says Last-Event-ID, and hears what came after", async () => {
  for await (const { id } of events(`${server.url}/events?after=0`, { "Last-Event-ID": "20" })) {
    if (id === undefined) continue;
    expect(id).toBe(21);
    break;
  }
});

test.each([["-1"], ["1.5"], ["x"], [""], ["1&after=2"], ["9007199254740993"]])(
  "the cursor %j is answered with 400, whichever way it comes",
  async (after) => {
    for (const path of ["messages", "wait", "events"])
      expect((await fetch(`${server.url}/${path}?after=${after}`)).status, path).toBe(400);
  },
);

test("a Last-Event-ID that is no number is answered with 400", async () => {
  const answer = await fetch(`${server.url}/events`, { headers: { "Last-Event-ID": "x" } });
  expect(answer.status).toBe(400);
});

test.each<[string, unknown, number]>([
  ["not JSON", "{", 400],
  ["null", "null", 422],
  ["an array", [], 422],
  ["without a size", { ...stream, size: undefined }, 422],
  ["too fast", { ...stream, perSecond: 101 }, 422],
  ["too slow", { ...stream, perSecond: 0 }, 422],
  ["not a number", { ...stream, perSecond: "1" }, 422],
  ["too small", { ...stream, size: 59 }, 422],
  ["too large", { ...stream, size: 4_001 }, 422],
  ["half a byte", { ...stream, size: 100.5 }, 422],
  ["asking too often", { ...stream, everyMs: 99 }, 422],
  ["for nobody", { ...stream, clients: 0 }, 422],
  ["for too many", { ...stream, clients: 201 }, 422],
  ["for half a client", { ...stream, clients: 1.5 }, 422],
  ["with __proto__", `${JSON.stringify(stream).slice(0, -1)},"__proto__":{}}`, 422],
  ["with another field", { ...stream, admin: true }, 422],
])("settings that are %s are refused in words", async (_what, body, expected) => {
  const answer = await post("settings", body);
  expect(answer.status).toBe(expected);
  expect((await answer.json()).error).toMatch(/\w/);
});

test.each<[string, string, unknown, number]>([
  ["a command that there is not", "network", { page: "x", command: "constructor" }, 422],
  ["a page that does not look", "network", { page: "x", command: "freeze" }, 404],
  ["a page that is no word", "network", { page: "../x", command: "freeze" }, 422],
  ["a delay below nothing", "delay", { page: "x", ms: -1, jitterMs: 0 }, 422],
  ["a delay of an hour", "delay", { page: "x", ms: 3_600_000, jitterMs: 0 }, 422],
])("%s is refused in words", async (_what, path, body, expected) => {
  const answer = await post(path, body);
  expect(answer.status).toBe(expected);
  expect((await answer.json()).error).toMatch(/\w/);
});

test.each(["http://localhost:8001", "https://evil.example", "null", `${page}.evil.example`])(
  "the foreign Origin %j may steer nothing, lay no cable, open no socket and read no answer",
  async (Origin) => {
    expect((await post("settings", stream, { Origin })).status).toBe(403);
    expect((await post("network", { page: "x", command: "freeze" }, { Origin })).status).toBe(403);
    expect((await post("delay", { page: "x", ms: 0, jitterMs: 0 }, { Origin })).status).toBe(403);
    expect((await fetch(`${server.url}/lanes`, { headers: { Origin } })).status).toBe(403);
    const answer = await fetch(`${server.url}/messages`, { headers: { Origin } });
    expect(answer.headers.get("Access-Control-Allow-Origin")).toBeNull();
    await expect(new Client(server.port, { origin: Origin }).opened).rejects.toThrow(/403/);
  },
);

test.each(["POST /settings", "POST /network", "GET /lanes", "GET /events"])(
  "%s for a foreign host is answered with 421",
  async (line) => {
    const head = `${line} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
    expect(await raw(server.port, head)).toMatch(/^HTTP\/1.1 421/);
  },
);

type Told = {
  page: string;
  ports: Record<Lane, number>;
  settings: Settings;
  counts: Record<Lane, Counts>;
  spent: Record<Lane, Spent>;
  frozen: boolean;
};

/** A page's desk: what it is told. */
function sitDown({ url }: LessonServer) {
  const desk = events(`${url}/lanes`);
  return {
    async hears(event: string, which: (data: Told) => boolean = () => true): Promise<Told> {
      for (;;) {
        const { value } = await desk.next();
        if (value?.event === event && which(value.data)) return value.data;
      }
    },
    leaves: () => desk.return(undefined),
  };
}

/** The processes that a server has begun, by what it calls them. */
const processes = ({ output }: LessonServer, name = ".+") =>
  [...output().matchAll(new RegExp(`^${name}: process (\\d+)$`, "gm"))].map(([, pid]) => Number(pid));

function runs(pid: number) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("a page that looks gets four cables, which count, freeze, heal, and are taken away when it leaves", async () => {
  const { hears, leaves } = sitDown(server);
  const { page, ports } = await hears("lanes");
  expect(new Set(Object.values(ports)).size).toBe(4);

  // What passes through the WebSocket's cable is counted there, to the byte.
  const client = await Client.open(ports.websocket);
  const { log }: Answer = await (await fetch(`http://127.0.0.1:${ports.polling}/messages?after=0`)).json();
  client.send({ type: "resume", after: 0, log });
  const { counts } = await hears("counts", ({ counts }) => counts.websocket.down.frames > 20);
  expect(counts.polling.requests).toBe(1);
  expect(counts.websocket.connections).toBe(1);
  const { frames, payloadBytes } = counts.websocket.down;
  expect(payloadBytes / frames).toBeCloseTo(100, 0);

  // Frozen, nothing comes. Healed, all that was held back does.
  expect((await post("network", { page, command: "freeze" })).status).toBe(200);
  await hears("counts", ({ frozen }) => frozen);
  const before = client.heard.length;
  await pause(500);
  expect(client.heard.length).toBe(before);
  expect((await post("network", { page, command: "heal" })).status).toBe(200);
  await until(() => client.heard.length > before + 20);
  expect(client.heard.map(({ id }) => id)).toEqual(client.heard.map((_, n) => n + 1));

  // Cut, the connection ends; the next one opens.
  expect((await post("network", { page, command: "cut" })).status).toBe(200);
  expect((await client.closed).code).toBe(1006);
  (await Client.open(ports.websocket)).socket.close();

  await leaves();
  await until(() =>
    fetch(`http://127.0.0.1:${ports.polling}/messages`).then(
      () => false,
      () => true,
    ),
  );
  expect((await post("network", { page, command: "heal" })).status).toBe(404);
});

test("one tab's end leaves the other's cables; more than eight are told so", async () => {
  const desks = Array.from({ length: 8 }, () => events(`${server.url}/lanes`));
  await Promise.all(desks.map((desk) => desk.next()));
  const ninth = await fetch(`${server.url}/lanes`);
  expect(ninth.status).toBe(503);
  expect((await ninth.json()).error).toMatch(/Close one/);
  await Promise.all(desks.map((desk) => desk.return(undefined)));
  await until(async () => {
    const again = new AbortController();
    const { status } = await fetch(`${server.url}/lanes`, { signal: again.signal });
    again.abort();
    return status === 200;
  });
});

test("each lane is a process of its own, and all have the same messages, to the millisecond", async () => {
  const { hears, leaves } = sitDown(server);
  const { ports } = await hears("lanes");
  const four = await Promise.all(
    lanes.map((lane) => readers[lane](`http://127.0.0.1:${ports[lane]}`, 0, server.url)),
  );
  const { messages }: Answer = await (await fetch(`${server.url}/messages`)).json();
  for (const heard of four) expect(heard.slice(0, count)).toEqual(messages.slice(0, count));
  // And one that nobody reads from.
  expect(new Set([server.child.pid, ...processes(server)]).size).toBe(6);
  await leaves();
});

test("a lane's process that dies is said, and begun again in the same place, with all that was said before", async () => {
  const { hears, leaves } = sitDown(server);
  const { ports } = await hears("lanes");
  const url = `http://127.0.0.1:${ports.polling}/messages?after=0`;
  const before: Answer = await (await fetch(url)).json();
  const [pid = 0] = processes(server, "Polling");
  process.kill(pid, "SIGKILL");
  await until(() => processes(server, "Polling").length === 2 && !runs(pid));
  expect(server.output()).toContain("Polling: ended (SIGKILL), begun again");
  let after: Answer | undefined;
  await until(async () => {
    after = await fetch(url).then(
      (answer) => answer.json(),
      () => undefined,
    );
    return after && after.messages.length > before.messages.length;
  });
  expect(after?.log).toBe(before.log);
  expect(after?.messages.map(({ id }) => id)).toEqual(after?.messages.map((_, n) => n + 1));
  await leaves();
});

test("a crowd reads in each lane, past the page's cables; it goes when the page does", async () => {
  const { hears, leaves } = sitDown(server);
  await hears("lanes");
  const { spent: before } = await hears("counts");
  const published = async () =>
    ((await (await fetch(`${server.url}/messages`)).json()) as Answer).messages.at(-1)?.id ?? 0;
  const from = await published();
  expect((await post("settings", { ...stream, clients: 10 })).status).toBe(200);
  // Nine beside the page; counted half a second late, and polled a little later than published.
  await until(async () => {
    const { counts, spent } = await hears("counts");
    for (const lane of lanes) expect(counts[lane].down.bytes, lane).toBe(0);
    const messages = (await published()) - from;
    const ratios = lanes.map((lane) => (spent[lane].delivered - before[lane].delivered) / messages);
    return ratios.every((ratio) => ratio > 6 && ratio < 10);
  }, 20_000);

  const [pid = 0] = processes(server, "Crowd");
  expect(runs(pid)).toBe(true);
  await leaves();
  await until(() => !runs(pid));
  // Nor does it come for nobody.
  expect(await (await post("settings", { ...stream, clients: 10 })).json()).toEqual(stream);
  const next = sitDown(server);
  expect((await next.hears("lanes")).settings.clients).toBe(1);
  await next.leaves();
  expect(server.output()).not.toContain("Crowd: ended");
}, 30_000);

test("Ctrl-C, which reaches them all, ends it with exit code 0, whoever reads; nothing is begun again", async () => {
  const own = await startServer("09-compare", { PAGE_PORT: "8000" });
  const { hears } = sitDown(own);
  await hears("lanes");
  const client = await Client.open(own.port);
  const waits = fetch(`${own.url}/wait?after=0`).catch(() => {});
  const began = performance.now();
  own.child.kill("SIGTERM");
  for (const pid of processes(own)) process.kill(pid, "SIGTERM");
  expect(await client.closed).toEqual({ code: 1001, reason: "server going away" });
  expect(await own.ended).toBe(0);
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(own.output()).not.toContain("begun again");
  await waits;
});

describe("a server of its own", () => {
  let own: LessonServer;
  let desk: ReturnType<typeof sitDown>;
  let ports: Told["ports"] | undefined;
  beforeAll(async () => {
    own = await startServer("09-compare", { PAGE_PORT: "8000" });
    desk = sitDown(own);
  });
  const set = (settings: Settings) =>
    fetch(`${own.url}/settings`, { method: "POST", headers: json, body: JSON.stringify(settings) });

  test("hears a slider that is moved while its lanes are being laid, and lays them all the same", async () => {
    let told: Told | undefined;
    void desk.hears("lanes").then((lanes) => {
      told = lanes;
    });
    await until(async () => {
      await set({ ...stream, perSecond: 2 });
      return told;
    });
    expect(told?.settings.perSecond).toBe(2);
    ports = told?.ports;
  });

  test("counts what a lane has spent there, and in no other", async () => {
    await set(stream);
    await readers.websocket(`http://127.0.0.1:${ports?.websocket}`, 0, own.url);
    const { spent } = await desk.hears("counts", ({ spent }) => spent.websocket.delivered >= count);
    for (const lane of lanes) {
      expect(spent[lane].delivered > 0, lane).toBe(lane === "websocket");
      expect(spent[lane].cpuMicros, lane).toBeGreaterThan(0);
      expect(spent[lane].idleMicros, lane).toBeGreaterThan(0);
    }
  });

  test("killed, leaves no process behind, not even one that is beginning", async () => {
    await set({ ...stream, clients: 2 });
    await until(() => processes(own, "Crowd").length === 1);
    own.child.kill("SIGKILL");
    await own.ended;
    await until(() => !processes(own).some(runs));
    expect(processes(own)).toHaveLength(6);
  });
});
