// Promises of lesson 8's page: four lanes, counted and not estimated, through freeze, cut and heal.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browser } from "../../shared/machinery/testing/browser.ts";
import { faults } from "../../shared/machinery/testing/every-page.ts";
import { type LessonServer, lessonPorts, until } from "../../shared/machinery/testing/lesson.ts";
import { lanes } from "./settings.ts";

let ports: Awaited<ReturnType<typeof lessonPorts>>;
let server: LessonServer;
beforeAll(async () => {
  ports = await lessonPorts("09-compare");
  server = await ports.startServer();
});

/** One page for most of the tests: what one leaves behind, the next one begins with. */
let page: Page;
beforeAll(async () => {
  page = await ports.openPage();
  await opens(page);
});

const opens = (page: Page) => until(async () => (await status(page)).startsWith("open"), 20_000);

const status = async (page: Page) => (await page.locator(".status").textContent()) ?? "";

/** A figure of a lane, as a number, times in ms; NaN while there is none. */
async function figure(page: Page, lane: string, name: string): Promise<number> {
  const text = await page.locator(`[data-transport="${lane}"] [data-figure="${name}"]`).textContent();
  return Number.parseFloat((text ?? "").replace(/\u2009/g, "")) * (text?.endsWith(" s") ? 1_000 : 1);
}

const inAll = async (page: Page, name: string) => Promise.all(lanes.map((lane) => figure(page, lane, name)));

/** Sets a slider to one of its steps, and waits until the server has taken it. */
async function slide(page: Page, label: string, step: number): Promise<void> {
  const taken = page.waitForResponse((response) => response.request().method() === "POST");
  await page.getByLabel(label).fill(String(step));
  expect((await taken).status()).toBe(200);
}

/** Waits until each lane has got so many messages more. */
async function receive(page: Page, more: number): Promise<void> {
  const before = await inAll(page, "received");
  await until(
    async () => (await inAll(page, "received")).every((received, n) => received > (before[n] ?? 0) + more),
    15_000,
  );
}

test("all four lanes show the stream, and the sentence says what is seen", async () => {
  await slide(page, "messages a second", 8);
  await receive(page, 20);
  await until(async () =>
    /^Polling every second: .+ late on average, [\d\u2009]+ bytes for each message of 100\..+WebSocket: .+ bytes\./.test(
      (await page.locator(".seen").textContent()) ?? "",
    ),
  );
});

test("a message costs the socket its bytes and two to four more, however many read beside this page; and each lane's CPU time is shown", async () => {
  await slide(page, "clients in each lane", 3);
  await until(async () => (await inAll(page, "cpu")).every((micros) => micros > 0), 20_000);
  const bytes = await figure(page, "websocket", "bytes");
  // 100 and a header of two; half a percent for what was on its way when it was counted.
  expect(bytes).toBeGreaterThanOrEqual(101);
  expect(bytes).toBeLessThanOrEqual(106);
  expect(await figure(page, "polling", "bytes")).toBeLessThan(200);
  expect(await figure(page, "long-polling", "bytes")).toBeGreaterThan(2 * bytes);
  expect(await figure(page, "websocket", "connections")).toBe(1);
  // A request for nearly every message, against two bytes in front of it.
  expect(await figure(page, "long-polling", "cpu")).toBeGreaterThan(await figure(page, "websocket", "cpu"));
  await slide(page, "clients in each lane", 0);
});

test("frozen, no lane gets anything; healed, all go on with nothing lost, doubled or out of order", async () => {
  await page.getByRole("button", { name: "Freeze" }).click();
  await until(async () => (await status(page)).startsWith("frozen"));
  const before = await inAll(page, "received");
  await page.waitForTimeout(1_200);
  expect(await inAll(page, "received")).toEqual(before);
  await page.getByRole("button", { name: "Heal" }).click();
  await receive(page, 20);

  await page.getByRole("button", { name: "Cut" }).click();
  await until(
    async () => (await inAll(page, "connections")).every((connections) => connections >= 2),
    15_000,
  );
  await receive(page, 20);
  for (const fault of ["lost", "doubled", "outOfOrder"])
    expect(await inAll(page, fault)).toEqual([0, 0, 0, 0]);
}, 60_000);

test("the figures can be copied as a table and saved as CSV", async () => {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await until(async () => (await inAll(page, "bytes")).every((bytes) => bytes > 0), 15_000);

  await page.getByRole("button", { name: /Copy/ }).click();
  await page.getByText("Copied.").waitFor();
  const copied = (await page.evaluate(() => navigator.clipboard.readText())).split("\n");
  expect(copied.map((row) => row.split("\t")[0])).toEqual([
    "lane",
    "Polling",
    "Long polling",
    "Server-sent events",
    "WebSocket",
  ]);

  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: /CSV/ }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("compare.csv");
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  const csv = Buffer.concat(chunks).toString().trimEnd().split("\r\n");
  expect(csv).toHaveLength(5);
  expect(new Set(csv.map((row) => row.split(",").length)).size).toBe(1);
  const head = csv[0]?.split(",") ?? [];
  expect(Number(csv[4]?.split(",")[head.indexOf("bytes per message")])).toBeGreaterThan(50);
  expect(head).toEqual(expect.arrayContaining(["clients", "server CPU us per message"]));
});

test("a hidden tab is told, when it is seen again, what came meanwhile", async () => {
  const hide = (hidden: boolean) =>
    page.evaluate((now) => {
      Object.defineProperty(document, "hidden", { value: now, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  await hide(true);
  await page.waitForTimeout(1_000);
  await hide(false);
  expect(await page.locator(".hidden-for").textContent()).toMatch(
    /^Hidden for \d(\.\d)? s\. Messages meanwhile: Polling \d+/,
  );
});

describe("looked at by axe-core, it is without fault, never scrolls sideways, and complains of nothing", () => {
  const complaints: string[] = [];
  let fresh: Page;
  beforeAll(async () => {
    fresh = await (await browser()).newPage();
    fresh.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    fresh.on("pageerror", (error) => complaints.push(error.message));
    fresh.on("request", (request) => {
      if (!["localhost", ""].includes(new URL(request.url()).hostname)) complaints.push(request.url());
    });
    await fresh.goto(ports.url);
    await until(async () => (await inAll(fresh, "bytes")).every((bytes) => bytes > 0), 15_000);
  });
  test.each<[string, "light" | "dark", number]>([
    ["wide", "light", 1280],
    ["narrow", "light", 390],
    ["in the dark", "dark", 1280],
  ])("%s", async (_how, colorScheme, width) => {
    await fresh.emulateMedia({ colorScheme });
    await fresh.setViewportSize({ width, height: 900 });
    expect(await faults(fresh)).toEqual([]);
    expect(await fresh.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    );
    expect(complaints).toEqual([]);
  });
  afterAll(() => fresh.close());
});

test("the import map stands before every module: many browsers take none later", async () => {
  const html = await (await fetch(ports.url, { headers: { Accept: "text/html" } })).text();
  expect(html).toMatch(/type="importmap"/);
  expect(html.indexOf('type="importmap"')).toBeLessThan(html.indexOf('type="module"'));
});

test("the delay of the network is felt in all four lanes", async () => {
  await slide(page, "network delay, each way", 300);
  await until(async () => (await inAll(page, "p50")).every((late) => late >= 290), 15_000);
});

// The last one: it takes the server away.
test("says within a second and a half that the server is gone, and begins anew when it is back", async () => {
  await server.kill();
  await until(async () => (await status(page)).startsWith("reconnecting"), 1_500);
  server = await ports.startServer();
  await opens(page);
  await until(async () => (await inAll(page, "received")).every((received) => received > 0), 15_000);
  for (const fault of ["lost", "doubled", "outOfOrder"])
    expect(await inAll(page, fault)).toEqual([0, 0, 0, 0]);
}, 40_000);

afterAll(() => server.kill());
