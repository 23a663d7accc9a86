// Promises of lesson 9's server, the publisher: every lesson gets the same messages, at the speed and size asked for.
import { beforeAll, expect, test } from "vitest";
import type { Message } from "../../shared/both/message.ts";
import { answerOf, openTab, post, read, stream, type Tab } from "../../shared/machinery/compare/testing.ts";
import { type LessonServer, startServer, until } from "../../shared/machinery/testing/lesson.ts";
import { lanes } from "./settings.ts";
import { numberIn } from "./text.ts";

let server: LessonServer;
let tab: Tab;
beforeAll(async () => {
  server = await startServer("09-compare");
  tab = await openTab(server, `?only=${lanes}`);
  expect((await post(server, "settings", stream)).status).toBe(200);
});

test("all four lessons get every message, once and in order", async () => {
  await until(async () => (await answerOf(tab.ports.polling)).messages.length >= 50);
  for (const lane of lanes) {
    const messages = await read(lane, tab.ports[lane]);
    const numbers = messages.slice(0, 40).map(({ text }) => numberIn(text));
    expect(numbers, lane).toEqual(numbers.map((_, n) => n + (numbers[0] ?? 0)));
    expect(numbers, lane).toHaveLength(40);
    expect(numbers[0], lane).toBeLessThanOrEqual(2);
  }
});

test.each([60, 100, 4_000])("a message of %d bytes has that size to the byte", async (size) => {
  await post(server, "settings", { ...stream, size });
  await until(async () => {
    const { text, ...rest } = (await answerOf(tab.ports.polling)).messages.at(-1) as Message;
    return Buffer.byteLength(JSON.stringify({ ...rest, text })) === size;
  });
  await post(server, "settings", stream);
});

test("the average is what was asked for", async () => {
  await post(server, "settings", { ...stream, perSecond: 20 });
  await tab.next("settings", ({ perSecond }) => perSecond === 20);
  const began = performance.now();
  const before = (await answerOf(tab.ports.polling)).messages.length;
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const more = (await answerOf(tab.ports.polling)).messages.length - before;
  const perSecond = (more * 1_000) / (performance.now() - began);
  expect(perSecond).toBeGreaterThan(7);
  expect(perSecond).toBeLessThan(37);
});

test("Ctrl-C ends it with exit code 0, and with it all that it has started", async () => {
  server.child.kill("SIGINT");
  expect(await server.ended).toBe(0);
  expect(server.output()).not.toContain("starting again");
  await expect(answerOf(tab.ports.polling)).rejects.toThrow();
});
