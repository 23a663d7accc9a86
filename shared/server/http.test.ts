// Tests of answers: lists in pieces, and handlers that fail.
import { createServer, IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, onTestFinished, test, vi } from "vitest";
import { heavyText, until } from "../machinery/testing/lesson.ts";
import { countTurns } from "../machinery/testing/turns.ts";
import { answer, type Handler, sendJson } from "./http.ts";

async function serve(handler: Handler) {
  const server = createServer((request, response) => void answer({ "GET /": handler }, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const printed = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => {
    printed.mockRestore();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}/`, printed };
}

test("a handler that fails is answered with 500, and the terminal says why", async () => {
  const { url, printed } = await serve(() => {
    throw new TypeError("no such thing");
  });
  expect((await fetch(url)).status).toBe(500);
  expect(String(printed.mock.lastCall)).toContain("no such thing");
});

test("a handler that fails halfway ends its answer unfinished, and not the server", async () => {
  const { url, printed } = await serve((_request, response, query) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write("the first half\n");
    if (query.has("fail")) throw new TypeError("no second half");
    response.end();
  });
  const read = async () => (await fetch(`${url}?fail`)).text();
  await expect(read()).rejects.toThrow();
  expect(String(printed.mock.lastCall)).toContain("no second half");
  expect(await (await fetch(url)).text()).toBe("the first half\n");
});

test("a handler that fails after its answer has been given leaves that answer whole", async () => {
  const { url, printed } = await serve((_request, response) => {
    response.end("all of it");
    response.setHeader("ETag", '"too late"');
  });
  expect(await (await fetch(url)).text()).toBe("all of it");
  expect(String(printed.mock.lastCall)).toContain("ERR_HTTP_HEADERS_SENT");
});

test.each<object>([
  [{}],
  [{ log: "a", reset: false, messages: [] }],
  [{ before: undefined, messages: ["é", null, { text: '"' }], after: { nested: [1, 2] } }],
  [{ messages: Array.from({ length: 5_000 }, (_, id) => ({ id, text: "Grüße, 👩‍👩‍👧‍👦" })), end: true }],
])("sendJson sends what JSON.stringify makes of %.40j, in as many pieces as it takes", async (body) => {
  const { url } = await serve((_request, response) => sendJson(response, 200, body));
  const answered = await fetch(url);
  expect(await answered.text()).toBe(JSON.stringify(body));
  expect(answered.headers.has("Content-Length")).toBe(JSON.stringify(body).length < 16_384);
  expect((await fetch(url, { method: "HEAD" })).status).toBe(200);
});

test("many long answers are written one piece in each turn, so a short one doesn't wait for them", async () => {
  const long = { messages: Array.from({ length: 5_000 }, (_, id) => ({ id, text: "Hello, Grace" })) };
  const turn = countTurns();
  const piecesByTurn = new Map<number, number>();
  const { url } = await serve((_request, response) => {
    sendJson(response, 200, long);
    // After its first two pieces, which are sent with the head.
    const write = response.write.bind(response) as (...args: unknown[]) => boolean;
    response.write = (...args: unknown[]) => {
      piecesByTurn.set(turn(), (piecesByTurn.get(turn()) ?? 0) + 1);
      return write(...args);
    };
  });
  const answers = await Promise.all(Array.from({ length: 30 }, async () => (await fetch(url)).text()));
  expect(new Set(answers)).toEqual(new Set([JSON.stringify(long)]));
  expect(piecesByTurn.size).toBeGreaterThan(100);
  expect(Math.max(...piecesByTurn.values())).toBeLessThanOrEqual(2);
});

test("answers that nobody reads hold no more of themselves in memory than what is being written", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc");
  const heap = () => {
    collectGarbage();
    return process.memoryUsage().heapUsed / 1024 / 1024;
  };
  const body = { messages: Array.from({ length: 20 }, () => heavyText) };
  const waiting: unknown[] = [];
  const answers = Array.from({ length: 300 }, () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    // The network never takes anything, so what each write would go on with stays here.
    response.write = (_piece: unknown, goOn?: unknown) => waiting.push(goOn) > 0;
    return response;
  });
  const before = heap();
  for (const response of answers) sendJson(response, 200, body);
  // The first two pieces of each. A piece takes about 40 KiB in memory.
  await until(() => waiting.length === 600);
  expect(heap() - before).toBeLessThan(5);
  for (const response of answers) response.destroy();
});

test("answers given together leave one in each turn, and another request's answer doesn't wait for them", async () => {
  const turn = countTurns();
  const waiting: (() => void)[] = [];
  const left: { waited: boolean; turn: number }[] = [];
  const { url } = await serve((_request, response, query) => {
    const waits = query.has("wait");
    const end = response.end.bind(response) as (...args: unknown[]) => typeof response;
    response.end = (...args: unknown[]) => {
      left.push({ waited: waits, turn: turn() });
      return end(...args);
    };
    const reply = () => sendJson(response, 200, { waits });
    if (waits) return void waiting.push(reply);
    for (const each of waiting) each();
    setImmediate(reply);
  });
  const answers = Array.from({ length: 30 }, async () => (await fetch(`${url}?wait`)).json());
  await vi.waitUntil(() => waiting.length === 30);
  expect(await (await fetch(url)).json()).toEqual({ waits: false });
  expect(await Promise.all(answers)).toEqual(Array(30).fill({ waits: true }));
  const turns = left.filter(({ waited }) => waited).map((each) => each.turn);
  expect(new Set(turns).size).toBe(30);
  expect(left.findIndex(({ waited }) => !waited)).toBeLessThanOrEqual(3);
});
