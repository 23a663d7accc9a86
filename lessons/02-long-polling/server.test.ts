// Tests of lesson 2's server.
import { describe, expect, test } from "vitest";
import { everyHttpServer } from "../../shared/machinery/testing/every-server.ts";
import { type LessonServer, raw, startServer, until } from "../../shared/machinery/testing/lesson.ts";

everyHttpServer("02-long-polling");

const post = ({ url }: LessonServer, text: string) =>
  fetch(`${url}/messages`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ from: "Ada", text }),
  });
const ask = async ({ url }: LessonServer, query: string, signal?: AbortSignal) =>
  (await fetch(`${url}/messages${query}`, { signal: signal ?? null })).json();
const waiting = async ({ url }: LessonServer) =>
  (await (await fetch(`${url}/waiting`)).json()).waiting as number;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("the server holds its answer until there is a message", async () => {
  const server = await startServer("02-long-polling");
  const asked = ask(server, "?after=0");
  await until(async () => (await waiting(server)) === 1);
  await post(server, "at last");
  expect((await asked).messages).toMatchObject([{ id: 1, text: "at last" }]);
  await until(async () => (await waiting(server)) === 0);
});

test("an answer that does not come in time is an empty one", async () => {
  const server = await startServer("02-long-polling", { HOLD_MS: "200" });
  expect(await ask(server, "?after=0")).toMatchObject({ reset: false, messages: [] });
  expect(await waiting(server)).toBe(0);
});

test("many pages wait at the same time, and are answered all at once", async () => {
  const server = await startServer("02-long-polling");
  const answers = Array.from({ length: 200 }, () => ask(server, "?after=0"));
  await until(async () => (await waiting(server)) === 200);
  const began = performance.now();
  await post(server, "to all");
  for (const answer of await Promise.all(answers))
    expect(answer.messages).toMatchObject([{ text: "to all" }]);
  expect(performance.now() - began).toBeLessThan(2_000);
});

test("a page that goes away frees its waiting request immediately", async () => {
  const server = await startServer("02-long-polling");
  const away = new AbortController();
  const asked = ask(server, "?after=0", away.signal);
  await until(async () => (await waiting(server)) === 1);
  away.abort();
  await expect(asked).rejects.toThrow();
  await until(async () => (await waiting(server)) === 0, 1_000);
});

test("requests that are sent ahead on one connection don't wait, and none outlives its connection", async () => {
  const server = await startServer("02-long-polling");
  const request = "GET /messages?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n";
  await Promise.all(Array.from({ length: 20 }, () => raw(server.port, request.repeat(100))));
  await until(async () => (await waiting(server)) === 0, 1_000);
});

describe("between two requests, messages that come quickly", () => {
  async function read(server: LessonServer, withCursor: boolean) {
    const seen: number[] = [];
    let after = 0;
    const deadline = performance.now() + 10_000;
    // 40 ms between an answer and the next request, as over a slow network.
    while (after < 60 && performance.now() < deadline) {
      const { messages } = await ask(server, withCursor ? `?after=${after}` : "");
      for (const { id } of messages) seen.push(id);
      after = seen.at(-1) ?? 0;
      await pause(40);
    }
    return seen;
  }

  async function talk(server: LessonServer) {
    for (let n = 1; n <= 60; n++) {
      await post(server, `${n}`);
      await pause(15);
    }
  }

  test("all arrive once with a cursor", async () => {
    const server = await startServer("02-long-polling", { HOLD_MS: "500" });
    const [seen] = await Promise.all([read(server, true), talk(server)]);
    expect(seen).toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
  });

  test("are partly lost without one", async () => {
    const server = await startServer("02-long-polling", { HOLD_MS: "500" });
    const seen: number[] = [];
    const listening = (async () => {
      for (let empty = 0; empty < 2; ) {
        const { messages } = await ask(server, "");
        if (messages.length === 0) empty++;
        for (const { id } of messages) seen.push(id);
        await pause(40);
      }
    })();
    await talk(server);
    await listening;
    expect(seen.length).toBeGreaterThan(5);
    expect(seen.length).toBeLessThan(50);
  });
});
