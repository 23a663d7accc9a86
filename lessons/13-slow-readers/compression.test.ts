// Tests of what lesson 13's server measures about compression, and of how its page shows that.
import { once } from "node:events";
import { beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { faults } from "../../shared/machinery/testing/every-page.ts";
import { type LessonServer, lessonPorts, startServer } from "../../shared/machinery/testing/lesson.ts";
import type { Costs } from "./compression-costs.ts";

const lesson = "13-slow-readers";
const post = (url: string, headers = {}) => fetch(`${url}/compression`, { method: "POST", headers });

describe("POST /compression", () => {
  let server: LessonServer;
  beforeAll(async () => {
    server = await startServer(lesson);
  });

  test("measures once at a time what compression saves: much of messages that are alike, nothing of random bytes", async () => {
    const { url } = server;
    const answers = await Promise.all([post(url), post(url), post(url)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
    const [measured, refused] = answers.toSorted((a, b) => a.status - b.status);
    expect(await refused?.json()).toEqual({
      error: "A measurement is running. Try again in a few seconds.",
    });
    const costs: Costs | undefined = await measured?.json();
    const soon = await post(url);
    expect([soon.status, await soon.json()]).toEqual([
      409,
      { error: "A measurement has just ended. Try again in a few seconds." },
    ]);
    const { kinds, settings } = costs as Costs;
    expect(kinds).toEqual(["a price, 60 B", "random, 60 B", "prices, 16 kB", "random, 16 kB"]);
    expect(settings.map(({ name }) => name)).toEqual([
      "off",
      "on, remembers the last 32 kB",
      "on, remembers the last 1 kB",
      "on, forgets after each message",
      "on, forgets, only 1 kB or more",
    ]);
    const [off = [], long = [], short = [], forgets = [], threshold = []] = settings.map(
      ({ bytes }) => bytes,
    );
    const half = (bytes = 0) => bytes / 2;
    expect(off).toEqual([62, 62, 16_348, 16_388]);
    // Only a connection that remembers the messages before can shorten a small one.
    for (const remembers of [long, short]) expect(remembers[0]).toBeLessThan(half(off[0]));
    expect(forgets[0]).toBeGreaterThan(off[0] ?? 0);
    for (const on of [long, short, forgets, threshold]) {
      expect(on[2]).toBeLessThan(half(off[2]));
      expect(on[1]).toBeGreaterThanOrEqual(off[1] ?? 0);
      expect(on[3]).toBeGreaterThan(off[3] ?? 0);
    }
    expect(threshold.slice(0, 2)).toEqual(off.slice(0, 2));
    for (const { cpuMs } of settings) for (const ms of cpuMs) expect(ms).toBeGreaterThan(0);
    const [none = 0, large = 0, small = 0] = settings.map(({ memoryBytes }) => memoryBytes);
    expect(large - none).toBeGreaterThan(100_000);
    expect(small).toBeLessThan(large);
  });

  test("refuses a foreign page, and a GET", async () => {
    const { url } = server;
    const foreign = await post(url, { Origin: "http://evil.example" });
    expect([foreign.status, await foreign.json()]).toEqual([
      403,
      { error: "Only the workshop's own page may do this." },
    ]);
    expect((await fetch(`${url}/compression`)).status).toBe(405);
  });

  test("leaves the lesson's own connections uncompressed", async () => {
    const client = new WebSocket(`ws://127.0.0.1:${server.port}`, { perMessageDeflate: true });
    await once(client, "open");
    expect(client.extensions).toBe("");
    client.terminate();
  });
});

test("the page shows the figures when the button is pressed, and axe-core finds no fault with them", async () => {
  const { startServer, openPage } = await lessonPorts(lesson);
  await startServer();
  // Narrow: its charts are small, and cost less while it waits.
  const page = await openPage((page) => page.setViewportSize({ width: 390, height: 900 }));
  const panel = page.getByRole("region", { name: "Compression", exact: true });
  expect(await panel.locator("table").count()).toBe(0);
  await panel.getByRole("button", { name: "Measure compression" }).dispatchEvent("click");
  const row = (title: string, name: string) =>
    panel.getByRole("table", { name: title }).getByRole("row", { name }).getByRole("cell").allTextContents();
  await panel.getByText(/^Measured just now/).waitFor();
  const bytes = await row("Bytes on the wire for each message, and memory for each connection", "off");
  expect(bytes.slice(0, 4)).toEqual(["62 B", "62 B", "16,348 B", "16,388 B"]);
  expect(bytes[4]).toMatch(/^\S+ kB$/);
  const cpu = await row("CPU time for 1,000 messages", "on, remembers the last 32 kB");
  expect(cpu).toHaveLength(4);
  for (const text of cpu) expect(text).toMatch(/^\S+ ms$/);
  expect(await faults(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
}, 120_000);
