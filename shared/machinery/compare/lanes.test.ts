// Promises of the lanes of lesson 9: measured, taken away with their page, and changed by nobody but that page.
import { connect } from "node:net";
import { beforeAll, expect, test } from "vitest";
import { lanes } from "../../../lessons/09-compare/settings.ts";
import type { Answer } from "../../both/message.ts";
import { Client, type LessonServer, raw, startServer, until } from "../testing/lesson.ts";
import { answerOf, openTab, post, stream, type Tab } from "./testing.ts";

const page = "http://localhost:8000";

/** The processes that a server has started, by what it calls them. */
const processes = ({ output }: LessonServer, name = ".+") =>
  [...output().matchAll(new RegExp(`^${name}:.* process (\\d+)`, "gm"))].map(([, pid]) => Number(pid));

function isRunning(pid: number) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

let server: LessonServer;
let tab: Tab;
beforeAll(async () => {
  server = await startServer("09-compare", { PAGE_PORT: "8000" });
  tab = await openTab(server);
  expect((await post(server, "settings", stream)).status).toBe(200);
});

test("each lesson's server runs twice, and both are published to; a page counts what it received", async () => {
  expect(new Set(processes(server)).size).toBe(8);
  // Each server is measured by a timer of its own.
  await tab.next("counts", ({ spent }) =>
    lanes.every((lane) => {
      const { delivered, cpuMicros, twinMicros } = spent[lane];
      return delivered > 10 && cpuMicros > 0 && twinMicros > 0;
    }),
  );
  // The twins' ports follow the lessons' in the terminal. The HTTP ones answer with what was published.
  const [, twin = ""] = server.output().match(/^Polling \(twin\): .*localhost:(\d+)/m) ?? [];
  const lesson = await answerOf(tab.ports.polling);
  await until(async () => (await answerOf(Number(twin))).messages.length >= lesson.messages.length);
  expect((await answerOf(Number(twin))).log).not.toBe(lesson.log);
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
])("settings that are %s are refused in words", async (_what, body, status) => {
  const answer = await post(server, "settings", body);
  expect(answer.status).toBe(status);
  expect((await answer.json()).error).toMatch(/\w/);
});

test.each<[string, string, unknown, number]>([
  ["an unknown command", "network", { page: "x", command: "constructor" }, 422],
  ["a page that isn't open", "network", { page: "x", command: "freeze" }, 404],
  ["a page that isn't a word", "network", { page: "../x", command: "freeze" }, 422],
  ["a negative delay", "delay", { page: "x", ms: -1, jitterMs: 0 }, 422],
  ["a delay of an hour", "delay", { page: "x", ms: 3_600_000, jitterMs: 0 }, 422],
])("%s is refused in words", async (_what, path, body, status) => {
  const answer = await post(server, path, body);
  expect(answer.status).toBe(status);
  expect((await answer.json()).error).toMatch(/\w/);
});

test.each<Record<string, string>>([
  { Origin: "http://localhost:8001" },
  { Origin: "https://evil.example" },
  { Origin: "null" },
  { Origin: `${page}.evil.example` },
  { "Sec-Fetch-Site": "cross-site" },
])("a request with %j changes nothing and opens no lane", async (headers) => {
  expect((await post(server, "settings", stream, headers)).status).toBe(403);
  const freeze = { page: tab.page, command: "freeze" };
  expect((await post(server, "network", freeze, headers)).status).toBe(403);
  const delay = { page: tab.page, ms: 0, jitterMs: 0 };
  expect((await post(server, "delay", delay, headers)).status).toBe(403);
  // By hand, because fetch sets Sec-Fetch-Site itself.
  const [[name, value]] = Object.entries(headers) as [[string, string]];
  const request = `GET /lanes HTTP/1.1\r\nHost: localhost\r\n${name}: ${value}\r\nConnection: close\r\n\r\n`;
  expect(await raw(server.port, request)).toMatch(/^HTTP\/1.1 403/);
});

test.each(["POST /settings", "POST /network", "GET /lanes"])(
  "%s for a foreign host is answered with 421",
  async (line) => {
    const head = `${line} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
    expect(await raw(server.port, head)).toMatch(/^HTTP\/1.1 421/);
  },
);

test("a page gets four cables, which count, freeze, heal, and are gone when it closes", async () => {
  const own = await openTab(server);
  expect(new Set(Object.values(own.ports)).size).toBe(4);
  const listed = await (await fetch(`${server.url}/lanes/ports`)).json();
  expect(listed.ports).toEqual(expect.arrayContaining(Object.values(own.ports)));

  // Every byte on the WebSocket's cable is counted.
  const client = await Client.open(own.ports.websocket);
  client.send({ type: "resume", after: own.published });
  const { counts } = await own.next("counts", ({ counts }) => counts.websocket.down.payloadBytes > 2_000);
  expect(counts.websocket.connections).toBe(1);
  expect(counts.websocket.down.bytes).toBeGreaterThan(counts.websocket.down.payloadBytes);
  expect(counts.polling.requests).toBe(0);

  // Frozen, nothing arrives. Healed, everything that was held back does.
  const ids = () => client.received.flatMap(({ type, id }) => (type === "message" ? [id] : []));
  expect((await post(server, "network", { page: own.page, command: "freeze" })).status).toBe(200);
  await own.next("counts", ({ frozen }) => frozen);
  const before = ids().length;
  await own.next("counts");
  expect(ids()).toHaveLength(before);
  expect((await post(server, "network", { page: own.page, command: "heal" })).status).toBe(200);
  await until(() => ids().length > before + 20);
  expect(ids()).toEqual(ids().map((_, n) => n + ids()[0]));

  // Cut, the connection ends. The next one opens.
  expect((await post(server, "network", { page: own.page, command: "cut" })).status).toBe(200);
  expect((await client.closed).code).toBe(1006);
  (await Client.open(own.ports.websocket)).socket.terminate();

  own.close();
  await until(() =>
    answerOf(own.ports.polling).then(
      () => false,
      () => true,
    ),
  );
  expect((await post(server, "network", { page: own.page, command: "heal" })).status).toBe(404);
});

test("eight pages may be open; pipelined requests for lanes are given back with their connection", async () => {
  const others = await Promise.all(Array.from({ length: 7 }, () => openTab(server, "?only=polling")));
  const response = await fetch(`${server.url}/lanes`);
  expect(response.status).toBe(503);
  expect(response.headers.get("Retry-After")).toBe("5");
  expect((await response.json()).error).toMatch(/Close one/);
  for (const each of others) each.close();

  const greedy = connect(server.port, "127.0.0.1");
  greedy.on("error", () => {});
  const request = "GET /lanes?only=polling HTTP/1.1\r\nHost: localhost\r\n\r\n";
  greedy.write(request.repeat(20));
  await new Promise((resolve) => greedy.once("data", resolve).once("close", resolve));
  greedy.destroy();
  await until(async () => {
    const again = new AbortController();
    const { status } = await fetch(`${server.url}/lanes?only=polling`, { signal: again.signal });
    again.abort();
    return status === 200;
  });
});

test("a crowd reads in each lane, past the page's cables, and changing its size starts no process", async () => {
  await post(server, "settings", { ...stream, clients: 10 });
  const { spent: first, counts: before } = await tab.next("counts", ({ spent }) => spent.sse.delivered > 0);
  const { spent, counts } = await tab.next("counts", ({ spent }) =>
    lanes.every((lane) => spent[lane].delivered - first[lane].delivered > 300),
  );
  for (const lane of lanes) {
    expect(spent[lane].delivered, lane).toBeGreaterThan(first[lane].delivered);
    expect(counts[lane].down.bytes, lane).toBe(before[lane].down.bytes);
  }
  for (let n = 0; n < 20; n++) await post(server, "settings", { ...stream, clients: n % 2 ? 10 : 9 });
  expect(processes(server, "Crowd")).toHaveLength(1);
  await post(server, "settings", stream);
  const [pid = 0] = processes(server, "Crowd");
  await until(() => !isRunning(pid));
});

test("readers that come later don't fetch what was said before them, not even after an empty answer", async () => {
  // Slower than they ask. And the crowd runs already, so the first answer to most new readers is empty.
  const slowly = { ...stream, perSecond: 2 };
  await post(server, "settings", { ...slowly, clients: 2 });
  const grown = (spent: Tab["spent"], since: Tab["spent"]) =>
    lanes.map((lane) => spent[lane].delivered - since[lane].delivered);
  const { spent: first } = await tab.next("counts");
  const { spent: before } = await tab.next("counts", ({ spent }) => Math.min(...grown(spent, first)) > 4);
  await post(server, "settings", { ...slowly, clients: 10 });
  const { spent } = await tab.next("counts", ({ spent }) => Math.min(...grown(spent, before)) > 40);
  expect(Math.max(...grown(spent, before))).toBeLessThan(200);
  await post(server, "settings", stream);
});

test("settings that change many times a second are applied at most every 150 ms, the last ones in the end", async () => {
  const started = performance.now();
  const seen = new Set<number>();
  const applied = tab
    .next("settings", ({ perSecond }) => Boolean(seen.add(perSecond)) && perSecond === 49)
    .then(() => seen.size);
  for (let n = 0; n < 30; n++) await post(server, "settings", { ...stream, perSecond: 20 + n });
  expect(await applied).toBeLessThanOrEqual(2 + (performance.now() - started) / 150);
  await post(server, "settings", stream);
});

test("a lesson's server that crashes is started again on the same port, and its empty log is a declared reset", async () => {
  const before = await answerOf(tab.ports.polling);
  const [pid = 0] = processes(server, "Polling");
  process.kill(pid, "SIGKILL");
  await until(() => processes(server, "Polling").length === 2 && !isRunning(pid));
  expect(server.output()).toMatch(/^Polling: ended \(killed \(SIGKILL\)\), starting again$/m);
  const cursor = `after=${before.messages.at(-1)?.id}&log=${before.log}`;
  await until(async () => {
    const answer = await fetch(`http://127.0.0.1:${tab.ports.polling}/messages?${cursor}`).catch(
      () => undefined,
    );
    const { reset, log, messages }: Answer = (await answer?.json()) ?? {};
    return reset && log !== before.log && messages.length > 5;
  });
});

test("killed, it leaves no process behind; and there is no crowd where no page is open", async () => {
  tab.close();
  await until(
    async () => (await (await post(server, "settings", { ...stream, clients: 5 })).json()).clients === 1,
  );
  const all = processes(server);
  const other = await startServer("09-compare", { PAGE_PORT: "8000" });
  const polite = await openTab(other, "?only=polling,websocket");
  const client = await Client.open(polite.ports.websocket);
  const began = performance.now();
  other.child.kill("SIGTERM");
  expect(await client.closed).toEqual({ code: 1001, reason: "server going away" });
  expect(await other.ended).toBe(0);
  expect(performance.now() - began).toBeLessThan(20_000);
  expect(other.output()).not.toContain("starting again");
  await until(() => !processes(other).some(isRunning));
  // After all that the tests above did to it, it is still the same process, and works.
  expect(server.child.exitCode).toBeNull();
  expect(server.output()).not.toMatch(/^ {4}at /m);
  server.child.kill("SIGKILL");
  await server.ended;
  await until(() => !all.some(isRunning));
});
