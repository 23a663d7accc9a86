// Promises of lesson 9's page: four lanes, measured through freeze, cut and heal, and an answer at the top.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { browser } from "../../shared/machinery/testing/browser.ts";
import { faults, saysSo } from "../../shared/machinery/testing/every-page.ts";
import { type LessonServer, lessonPorts } from "../../shared/machinery/testing/lesson.ts";
import { type Lane, lanes } from "./settings.ts";

let ports: Awaited<ReturnType<typeof lessonPorts>>;
let server: LessonServer;
/** One page for all tests. Each begins where the one before has ended. */
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  ports = await lessonPorts("09-compare");
  server = await ports.startServer();
  // The moving pictures cost more than all the rest: they stand still.
  const still = { viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" } as const;
  page = await (await browser()).newPage(still);
  page.setDefaultTimeout(30_000);
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!["localhost", ""].includes(new URL(request.url()).hostname)) complaints.push(request.url());
  });
  await page.goto(ports.url);
  await isOpen();
});
afterAll(() => server.kill());

const text = async (selector: string) => (await page.locator(selector).textContent()) ?? "";
const status = () => text(".status");
const isOpen = () => until(async () => (await status()).startsWith("open"));

/** Asks four times a second: the page writes its figures twice a second, and each question costs some milliseconds. */
const until = (check: () => Promise<boolean>, timeout = 60_000) =>
  vi.waitUntil(check, { interval: 250, timeout });

/** A figure of each lane, as a number, times in ms. NaN until it has a value. */
async function inAll(name: string): Promise<number[]> {
  const all = await page.locator(`[data-transport] [data-figure="${name}"]`).allTextContents();
  return all.map(
    (shown) => Number.parseFloat(shown.replace(/,|< /g, "")) * (shown.endsWith(" s") ? 1_000 : 1),
  );
}
const figure = async (lane: Lane, name: string) => Number((await inAll(name))[lanes.indexOf(lane)]);

/** Moves a slider to one of its steps, and waits until the server has accepted it. */
async function slide(label: string, step: number): Promise<void> {
  const accepted = page.waitForResponse((response) => response.request().method() === "POST");
  await page.getByLabel(label).fill(String(step));
  expect((await accepted).status()).toBe(200);
}

/** Waits until each lane has received that many more messages. */
async function receive(more: number): Promise<void> {
  const before = await inAll("received");
  const enough = async () => (await inAll("received")).every((now, n) => now > (before[n] ?? 0) + more);
  await until(enough, 60_000);
}

describe("looked at by axe-core, it has no faults, doesn't scroll sideways, and prints no errors", () => {
  test.each<[string, "light" | "dark", number]>([
    ["wide", "light", 1280],
    ["narrow", "light", 390],
    ["in the dark", "dark", 1280],
  ])("%s", async (_how, colorScheme, width) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    expect(await faults(page)).toEqual([]);
    const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(tooWide).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
  });
});

test("the answer has three lines, all of them on the first screen", async () => {
  await slide("messages a second", 5);
  await until(async () => /^Bytes per message: polling \d/.test(await text(".answer li:nth-child(2)")));
  expect(await text(".answer li:nth-child(1)")).toMatch(/^Latency: polling \d+.*, WebSocket .*\.$/);
  expect(await text(".answer li:nth-child(3)")).toMatch(/\w\.$/);
  const lines = await page
    .locator(".answer li")
    .evaluateAll((all) => all.map((one) => one.getClientRects()[0]));
  expect(lines.map((line) => Number(line?.height) < 40)).toEqual([true, true, true]);
  expect(lines[2]?.bottom).toBeLessThan(400);
});

test("two sliders moved in the same moment both apply, and one button sets all of them back", async () => {
  await page.getByLabel("network delay, each way").fill("500");
  await page.getByLabel("messages a second").fill("5");
  await until(async () => (await inAll("p50")).every((late) => late >= 500));
  await page.getByLabel("clients in each lane").fill("1");
  await page.getByLabel("give or take").fill("50");
  await page.getByRole("button", { name: "Set all sliders back" }).click();
  const values = () =>
    page.locator("output").evaluateAll((outputs) => outputs.map(({ textContent }) => textContent));
  expect(await values()).toEqual(["1", "100 B", "1", "1 s", "0 ms", "0 ms"]);
  await until(async () => (await figure("websocket", "p50")) < 500);
  expect(await values()).toEqual(["1", "100 B", "1", "1 s", "0 ms", "0 ms"]);
});

test("after a slider has moved, messages from before are no longer in the figures", async () => {
  await slide("messages a second", 6);
  await receive(20);
  await slide("size of a message", 5);
  // Among twenty messages of 100 bytes, the average would take a minute and a half to come this close to 2,000.
  const near = (bytes: number) => bytes > 1_960 && bytes <= 2_000;
  await until(async () => (await inAll("message")).every(near), 45_000);
  await slide("size of a message", 1);
}, 120_000);

test("all four lanes show the stream, and the sentence says what can be seen", async () => {
  const sentence =
    /^Polling every second: .+ late on average, [\d,]+ bytes for each message of 100\..+WebSocket: .+ bytes\./;
  await until(async () => sentence.test(await text(".seen")));
});

test("a message costs the socket its bytes and what lesson 7 wraps around it, however many others read; CPU time is shown", async () => {
  await slide("clients in each lane", 2);
  await until(async () => (await inAll("cpu")).every((micros) => micros > 0));
  // 100, the 17 of "type":"message", and a header of two. A little more for beats and what was on its way.
  let bytes = 0;
  await until(async () => {
    bytes = await figure("websocket", "bytes");
    return bytes >= 115 && bytes <= 135;
  }, 30_000);
  await until(async () => (await figure("polling", "bytes")) < 2 * bytes);
  await until(async () => (await figure("long-polling", "bytes")) > 2 * bytes);
  expect(await figure("websocket", "connections")).toBe(1);
  expect(await figure("websocket", "asked")).toBe(0);
  await until(async () => (await figure("long-polling", "asked")) > (await figure("polling", "asked")));
  await slide("clients in each lane", 0);
});

test("while frozen, no lane receives anything, and after healing nothing is lost, duplicated or out of order", async () => {
  await page.getByRole("button", { name: "Freeze" }).click();
  await until(async () => (await status()).startsWith("frozen"));
  await page.getByRole("button", { name: "Freeze", pressed: true }).waitFor();
  // Bytes that had passed before may still be counted. After that, nothing for more than a second.
  await until(async () => {
    const before = await inAll("received");
    await page.waitForTimeout(1_200);
    return (await inAll("received")).join() === before.join();
  }, 30_000);
  await page.getByRole("button", { name: "Heal" }).click();
  await page.getByRole("button", { name: "Freeze", pressed: false }).waitFor();
  await receive(20);

  await page.getByRole("button", { name: "Cut" }).click();
  await until(async () => (await inAll("connections")).every((connections) => connections >= 2));
  await receive(10);
  for (const fault of ["lost", "duplicated", "outOfOrder"]) expect(await inAll(fault)).toEqual([0, 0, 0, 0]);
}, 120_000);

test("the figures can be copied as a table and saved as CSV, and all of them are about the same time", async () => {
  await until(async () => (await inAll("bytes")).every((bytes) => bytes > 0));

  await page.context().clearPermissions();
  await page.getByRole("button", { name: /Copy/ }).click();
  await page.getByText("The browser doesn't allow that.").waitFor();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: /Copy/ }).click();
  await page.getByText("Copied.").waitFor();
  const copied = (await page.evaluate(() => navigator.clipboard.readText())).split("\n");
  const firsts = copied.map((row) => row.split("\t")[0]);
  expect(firsts).toEqual(["lane", "Polling", "Long polling", "Server-sent events", "WebSocket"]);

  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: /CSV/ }).click();
  const download = await saved;
  expect(download.suggestedFilename()).toBe("compare.csv");
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  const [head = [], ...rows] = Buffer.concat(chunks)
    .toString()
    .trimEnd()
    .split("\r\n")
    .map((row) => row.split(","));
  expect(rows.map((row) => row.length)).toEqual(lanes.map(() => head.length));
  expect(head).toEqual(expect.arrayContaining(["clients", "server CPU us per message"]));
  for (const row of rows) {
    const of = (name: string) => Number(row[head.indexOf(name)]);
    const perMessage = (of("bytes up") + of("bytes down")) / of("messages");
    expect(of("bytes per message")).toBeCloseTo(perMessage, 1);
  }
});

test("a tab that was hidden says how many messages came meanwhile", async () => {
  const hide = (hidden: boolean) =>
    page.evaluate((now) => {
      Object.defineProperty(document, "hidden", { value: now, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  await hide(true);
  await page.waitForTimeout(1_000);
  await hide(false);
  expect(await text(".hidden-for")).toMatch(/^Hidden for \d(\.\d)? s\. Messages meanwhile: Polling \d+/);
});

test("the import map is above every module, since many browsers accept none later", async () => {
  const html = await (await fetch(ports.url, { headers: { Accept: "text/html" } })).text();
  expect(html).toMatch(/type="importmap"/);
  expect(html.indexOf('type="importmap"')).toBeLessThan(html.indexOf('type="module"'));
});

test("says within a second and a half that the server is gone, and starts over when it is back", async () => {
  await server.kill();
  expect(await saysSo(page, ports.serverPort)).toBe(true);
  server = await ports.startServer();
  await isOpen();
  await until(async () => (await inAll("received")).every((received) => received > 0));
  for (const fault of ["lost", "duplicated", "outOfOrder"]) expect(await inAll(fault)).toEqual([0, 0, 0, 0]);
}, 120_000);
