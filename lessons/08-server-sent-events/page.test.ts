// Promises of lesson 8's page.
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { everyPage, hears } from "../../shared/machinery/testing/every-page.ts";
import { Freezer } from "../../shared/machinery/testing/freezer.ts";
import { type LessonServer, lessonPorts, say, shown, until } from "../../shared/machinery/testing/lesson.ts";
import { freePort } from "../../shared/machinery/testing/process.ts";

const lesson = "08-server-sent-events";
// Shorter than in the lesson, and long enough to look at the page before the browser reconnects.
process.env.RETRY_MS = "2000";

const texts = (page: Page) => page.getByRole("log").locator("li.message .text").allTextContents();
const status = async (page: Page) => (await page.getByRole("status").textContent()) ?? "";
const isOpen = (page: Page) => until(async () => (await status(page)) === "open", 15_000);
const isReconnecting = (page: Page) => until(async () => /^reconnecting/.test(await status(page)));
const press = (page: Page, name: string) => page.getByRole("button", { name }).click();
const number = (page: Page, name: string) => page.locator(`[data-number="${name}"]`).textContent();

everyPage(lesson);

describe("over a network that fails", () => {
  let ports: Awaited<ReturnType<typeof lessonPorts>>;
  let network: Freezer;
  let server: LessonServer;
  let startServer: (env?: Record<string, string>) => Promise<LessonServer>;
  const post = (text: string) =>
    fetch(`${server.url}/messages`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ from: "Grace", text }),
    });

  beforeAll(async () => {
    ports = await lessonPorts(lesson);
    const behind = String(await freePort());
    startServer = (env = {}) => ports.startServer({ PORT: behind, ...env });
    server = await startServer();
    network = await Freezer.start(ports.serverPort, Number(behind));
  });

  async function openPage() {
    const page = await ports.openPage();
    await isOpen(page);
    return page;
  }

  test("the browser reconnects by itself, and the page gets what it missed", async () => {
    const page = await openPage();
    await say(page, "Ada", "before");
    await hears(page, "before");
    network.cut();
    await isReconnecting(page);
    expect(await number(page, "ready-state")).toBe("0 connecting");
    await say(page, "Ada", "meanwhile");
    expect(await texts(page)).not.toContain("meanwhile");
    await hears(page, "meanwhile");
    expect(await shown(page, "alone")).toBe(1);
    expect(await page.getByRole("log").getByText("reconnected by itself").count()).toBe(1);
    expect([await shown(page, "gaps"), await shown(page, "lost"), await shown(page, "double")]).toEqual([
      0, 0, 0,
    ]);
    expect(await number(page, "last-event-id")).toMatch(/^[0-9a-f]{8}:\d+$/);
    await page.close();
  });

  test("over HTTP/1.1 six streams open, the others wait, and so does what is said. A WebSocket doesn't wait", async () => {
    const page = await openPage();
    // A connection that stays open after a request is one of the six. Here all six are for streams.
    await press(page, "Open seven more");
    await until(async () => (await shown(page, "streams-open")) === 6);
    await page.waitForTimeout(500);
    expect(await shown(page, "streams-open")).toBe(6);
    expect(await shown(page, "streams-waiting")).toBe(2);
    await say(page, "Ada", "stuck");
    // This server has no WebSocket and says so: the handshake is refused, but it didn't have to wait.
    await page.evaluate(
      (port) =>
        new Promise((resolve) => {
          new WebSocket(`ws://localhost:${port}`).onerror = resolve;
        }),
      ports.serverPort,
    );
    expect(await texts(page)).not.toContain("stuck");
    await press(page, "Close the seven");
    await hears(page, "stuck");
    expect(await shown(page, "streams-waiting")).toBe(0);
    await page.close();
  });

  test("a new log after a restart is declared, also before the first message, and so is a gap, once each", async () => {
    const page = await openPage();
    for (let n = 1; n <= 2; n++) {
      await server.kill();
      await isReconnecting(page);
      server = await startServer({ HISTORY: "10" });
      await until(async () => (await shown(page, "gaps")) === n, 15_000);
      expect(await page.getByText(/^history starts again/).count()).toBe(n);
    }
    await say(page, "Ada", "new times");
    await hears(page, "new times");

    await page.route("**/events*", (route) => route.abort());
    network.cut();
    await isReconnecting(page);
    for (let n = 1; n <= 30; n++) await post(`gap ${n}`);
    await page.unroute("**/events*");
    await hears(page, "gap 30");
    expect(await page.getByText(/^a gap: /).count()).toBe(1);
    expect([await shown(page, "gaps"), await shown(page, "lost")]).toEqual([3, 0]);
    await page.close();
  });

  test.each([
    ["with another status than 200", { status: 502 }],
    ["that is no event stream", { status: 200, contentType: "text/html", body: "<h1>Hello</h1>" }],
    ["204", { status: 204 }],
  ])("after an answer %s the browser gives up, and the page retries by itself", async (_what, answer) => {
    const page = await openPage();
    const headers = { "Access-Control-Allow-Origin": "*" };
    await page.route("**/events*", (route) => route.fulfill({ ...answer, headers }));
    network.cut();
    await until(async () => /we do it ourselves/.test(await status(page)));
    // Until the page's own pause is over, which may be short.
    await until(async () => (await number(page, "ready-state")) === "2 closed");
    await page.unroute("**/events*");
    await isOpen(page);
    await page.close();
  });

  test("copies of messages are counted as such, and never as lost below zero", async () => {
    const page = await ports.openPage();
    // The server forgets its ids: everything comes again whenever the browser reconnects.
    const body = [1, 2, 3]
      .map((id) => `data: ${JSON.stringify({ id, from: "Ada", text: `${id}`, at: 0 })}\n\n`)
      .join("");
    const headers = { "Access-Control-Allow-Origin": "*" };
    await page.route("**/events*", (route) =>
      route.fulfill({ contentType: "text/event-stream", headers, body: `retry: 10\n${body}` }),
    );
    network.cut();
    await until(async () => (await shown(page, "double")) >= 6);
    expect(await shown(page, "lost")).toBe(0);
    expect((await texts(page)).filter((text) => /^[123]$/.test(text))).toHaveLength(3);
    await page.close();
  });

  test("the return of the network, or of the reader to the tab, ends the pause", async () => {
    await server.kill();
    server = await startServer({ RETRY_MS: "60000" });
    const page = await openPage();
    for (const event of ["online", "visibilitychange"]) {
      network.cut();
      await isReconnecting(page);
      await page.evaluate(
        (name) => (name === "online" ? window : document).dispatchEvent(new Event(name)),
        event,
      );
      await until(async () => (await status(page)) === "open", 1_000);
    }
    await page.close();
  });

  test("a message whose answer was lost keeps its id, and is shown once", async () => {
    const page = await openPage();
    await page.route("**/messages", async (route) => {
      await route.fetch();
      await route.abort();
    });
    await say(page, "Ada", "arrived all the same");
    await until(async () => /Not sent/.test((await page.getByRole("alert").textContent()) ?? ""));
    await page.unroute("**/messages");
    const box = page.getByLabel("Message", { exact: true });
    await box.press("Enter");
    await until(async () => (await box.inputValue()) === "");
    await say(page, "Ada", "the last");
    await hears(page, "the last");
    expect((await texts(page)).filter((text) => text === "arrived all the same")).toHaveLength(1);
    await page.close();
  });

  test("the page notices a silent network after 1.4 beats, and loses nothing", async () => {
    await server.kill();
    server = await startServer({ BEAT_EVERY_MS: "2000" });
    const page = await openPage();
    await until(async () => (await number(page, "last-event-id")) !== "–");
    network.silenceSome(1);
    await post("into the silence");
    await hears(page, "into the silence");
    expect(await page.getByText(/nothing received for too long/).count()).toBe(1);
    expect([await shown(page, "alone"), await shown(page, "gaps"), await shown(page, "lost")]).toEqual([
      0, 0, 0,
    ]);
    await page.close();
  });
});
