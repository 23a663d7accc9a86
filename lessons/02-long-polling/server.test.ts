// Tests of lesson 2's server.
import { beforeAll, describe, expect, test } from "vitest";
import { everyHttpServer } from "../../shared/machinery/testing/every-server.ts";
import { type LessonServer, raw, startServer, until } from "../../shared/machinery/testing/lesson.ts";

everyHttpServer("02-long-polling");

/** Posts a message. Resolves with its id. */
async function post({ url }: LessonServer, text: string): Promise<number> {
  const answer = await fetch(`${url}/messages`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ from: "Ada", text }),
  });
  return (await answer.json()).id;
}
const ask = async ({ url }: LessonServer, query: string, signal?: AbortSignal) =>
  (await fetch(`${url}/messages${query}`, { signal: signal ?? null })).json();
const waiting = async ({ url }: LessonServer) =>
  (await (await fetch(`${url}/waiting`)).json()).waiting as number;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

// Nobody waits and nothing is missed between two tests.
let server: LessonServer;
let quick: LessonServer;
beforeAll(async () => {
  [server, quick] = await Promise.all([
    startServer("02-long-polling"),
    startServer("02-long-polling", { HOLD_MS: "300" }),
  ]);
});

test("the server holds its answer until there is a message", async () => {
  const asked = ask(server, "?after=0");
  await until(async () => (await waiting(server)) === 1);
  await post(server, "at last");
  expect((await asked).messages).toMatchObject([{ id: 1, text: "at last" }]);
  await until(async () => (await waiting(server)) === 0);
});

test("sends an empty answer when no message comes in time", async () => {
  expect(await ask(quick, "?after=0")).toMatchObject({ reset: false, messages: [] });
  expect(await waiting(quick)).toBe(0);
});

test("holds the requests of many pages, and answers all of them together", async () => {
  const after = await post(server, "before");
  const answers = Array.from({ length: 200 }, () => ask(server, `?after=${after}`));
  await until(async () => (await waiting(server)) === 200);
  const began = performance.now();
  await post(server, "to all");
  for (const answer of await Promise.all(answers))
    expect(answer.messages).toMatchObject([{ text: "to all" }]);
  // The server would give them an empty answer after 25 s.
  expect(performance.now() - began).toBeLessThan(10_000);
});

test("a page that goes away frees its waiting request immediately", async () => {
  const away = new AbortController();
  const asked = ask(server, `?after=${await post(server, "before")}`, away.signal);
  await until(async () => (await waiting(server)) === 1);
  away.abort();
  await expect(asked).rejects.toThrow();
  await until(async () => (await waiting(server)) === 0, 10_000);
});

test("requests that are sent ahead on one connection don't wait, and none outlives its connection", async () => {
  const after = await post(server, "before");
  const request = `GET /messages?after=${after} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  await Promise.all(Array.from({ length: 20 }, () => raw(server.port, request.repeat(100))));
  await until(async () => (await waiting(server)) === 0, 10_000);
});

describe("between two requests, messages that come quickly", () => {
  /** Reads while somebody talks. `query` is asked for with the last id seen. Returns all ids that were seen. */
  async function readAll(query: (after: number) => string) {
    const seen: number[] = [];
    let posted = 0;
    const talked = (async () => {
      for (; posted < 60; posted++) {
        await post(quick, `${posted}`);
        await pause(15);
      }
    })();
    for (let isEmpty = false; posted < 60 || !isEmpty; ) {
      const { messages } = await ask(quick, query(seen.at(-1) ?? 0));
      isEmpty = messages.length === 0;
      for (const { id } of messages) seen.push(id);
      // As over a slow network: two messages come before the next request does.
      const atAnswer = posted;
      await until(() => posted >= Math.min(60, atAnswer + 2));
    }
    await talked;
    return seen;
  }

  test("all arrive once with a cursor", async () => {
    expect(await readAll((after) => `?after=${after}`)).toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
  });

  test("are partly lost without one", async () => {
    const seen = await readAll(() => "");
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.length).toBeLessThan(50);
  });
});
