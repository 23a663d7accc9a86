// Promises of lesson 8's page.
import type { Page, Route } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { everyPage, shows } from "../../shared/machinery/testing/every-page.ts";
import { Freezer } from "../../shared/machinery/testing/freezer.ts";
import { type LessonServer, say, shown, until } from "../../shared/machinery/testing/lesson.ts";
import { freePort } from "../../shared/machinery/testing/process.ts";

const texts = (page: Page) => page.getByRole("log").locator("li.message .text").allTextContents();
const status = async (page: Page) => (await page.getByRole("status").textContent()) ?? "";
const isOpen = (page: Page) => until(async () => (await status(page)) === "open");
const isReconnecting = (page: Page) => until(async () => /^reconnecting/.test(await status(page)));
const press = (page: Page, name: string) => page.getByRole("button", { name }).click();
const number = (page: Page, name: string) => page.locator(`[data-number="${name}"]`).textContent();

/** The page's next request for a stream waits until the returned function is called. */
async function holdNextStream(page: Page): Promise<() => void> {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const hold = (route: Route) => released.then(() => route.continue()).catch(() => {});
  await page.route("**/events*", hold, { times: 1 });
  return release;
}

everyPage("08-server-sent-events", (ports, normal, tabs) => {
  describe("over a network that fails", () => {
    let page: Page;
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
      page = tabs().ada;
      // One tab for all of this: a stream of the other one would be one of the browser's six connections.
      await tabs().grace.goto("about:blank");
      const behind = String(await freePort());
      // The browser reconnects soon. A test that needs to look at the page before that holds the request back.
      startServer = (env = {}) => ports().startServer({ PORT: behind, RETRY_MS: "100", ...env });
      await normal().kill();
      server = await startServer();
      network = await Freezer.start(ports().serverPort, Number(behind));
    });
    afterAll(async () => {
      await server.kill();
      await network.end();
      Object.assign(normal(), await ports().startServer());
    });
    afterEach(() => page.unrouteAll());

    async function openPage() {
      await page.reload();
      await isOpen(page);
    }

    test("the browser reconnects by itself, and the page gets what it missed", async () => {
      await openPage();
      await say(page, "Ada", "before");
      await shows(page, "before");
      const release = await holdNextStream(page);
      network.cut();
      await isReconnecting(page);
      expect(await number(page, "ready-state")).toBe("0 connecting");
      await say(page, "Ada", "meanwhile");
      const box = page.getByLabel("Message", { exact: true });
      await until(async () => (await box.inputValue()) === "");
      expect(await texts(page)).not.toContain("meanwhile");
      release();
      await shows(page, "meanwhile");
      expect(await shown(page, "alone")).toBe(1);
      expect(await page.getByRole("log").getByText("reconnected by itself").count()).toBe(1);
      expect([await shown(page, "gaps"), await shown(page, "lost"), await shown(page, "double")]).toEqual([
        0, 0, 0,
      ]);
      expect(await number(page, "last-event-id")).toMatch(/^[0-9a-f]{8}:\d+$/);
    });

    test("over HTTP/1.1 six streams open, the others wait, and so do messages to the server. A WebSocket doesn't wait", async () => {
      await openPage();
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
        ports().serverPort,
      );
      expect(await texts(page)).not.toContain("stuck");
      await press(page, "Close the seven");
      await shows(page, "stuck");
      expect(await shown(page, "streams-waiting")).toBe(0);
    });

    test("a new log after a restart is declared, also before the first message, and so is a gap, once each", async () => {
      await openPage();
      for (let n = 1; n <= 2; n++) {
        await server.kill();
        await isReconnecting(page);
        server = await startServer({ HISTORY: "10" });
        await until(async () => (await shown(page, "gaps")) === n);
        expect(await page.getByText(/^history starts again/).count()).toBe(n);
      }
      await say(page, "Ada", "new times");
      await shows(page, "new times");

      const release = await holdNextStream(page);
      network.cut();
      await isReconnecting(page);
      for (let n = 1; n <= 30; n++) await post(`gap ${n}`);
      release();
      await shows(page, "gap 30");
      expect(await page.getByText(/^a gap: /).count()).toBe(1);
      expect([await shown(page, "gaps"), await shown(page, "lost")]).toEqual([3, 0]);
    });

    test.each([
      ["with another status than 200", { status: 502 }],
      ["that isn't an event stream", { status: 200, contentType: "text/html", body: "<h1>Hello</h1>" }],
      ["204", { status: 204 }],
    ])("after an answer %s the browser gives up, and the page retries by itself", async (_what, answer) => {
      await openPage();
      // Everything that the page shows from now on: its pause is random, and may be too short to be seen from here.
      await page.evaluate(() => {
        const text = (selector: string) => document.querySelector(selector)?.textContent;
        const seen: string[] = [];
        const look = () => seen.push(`${text('[data-number="ready-state"]')}, ${text("[role=status]")}`);
        const all = { childList: true, characterData: true, subtree: true };
        new MutationObserver(look).observe(document.body, all);
        Object.assign(globalThis, { seen });
      });
      const seen = () => page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
      const headers = { "Access-Control-Allow-Origin": "*" };
      await page.route("**/events*", (route) => route.fulfill({ ...answer, headers }), { times: 1 });
      network.cut();
      await until(async () => (await seen()).some((words) => /^2 closed.*we do it ourselves/.test(words)));
      await isOpen(page);
    });

    test("copies of messages are counted as copies, and the number of lost messages never falls below zero", async () => {
      await openPage();
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
    });

    test("a message whose answer was lost keeps its id, and is shown once", async () => {
      await openPage();
      const answerIsLost = async (route: Route) => {
        await route.fetch();
        await route.abort();
      };
      await page.route("**/messages", answerIsLost, { times: 1 });
      await say(page, "Ada", "arrived all the same");
      await until(async () => /Not sent/.test((await page.getByRole("alert").textContent()) ?? ""));
      const box = page.getByLabel("Message", { exact: true });
      await box.press("Enter");
      await until(async () => (await box.inputValue()) === "");
      await say(page, "Ada", "the last");
      await shows(page, "the last");
      expect((await texts(page)).filter((text) => text === "arrived all the same")).toHaveLength(1);
    });

    test("the return of the network, or of the reader to the tab, ends the pause", async () => {
      await server.kill();
      server = await startServer({ RETRY_MS: "3600000", BEAT_EVERY_MS: "1500" });
      await openPage();
      for (const event of ["online", "visibilitychange"]) {
        network.cut();
        await isReconnecting(page);
        await page.evaluate(
          (name) => (name === "online" ? window : document).dispatchEvent(new Event(name)),
          event,
        );
        // Without this, the page's own watch over the stream would end the pause after 9.5 s.
        await until(async () => (await status(page)) === "open", 8_000);
      }
    });

    test("the page notices a silent network after 1.4 beats, and loses nothing", async () => {
      await openPage();
      await until(async () => (await number(page, "last-event-id")) !== "–");
      network.silenceSome(1);
      await post("into the silence");
      await shows(page, "into the silence");
      await page
        .getByText(/nothing received for too long/)
        .first()
        .waitFor();
      expect([await shown(page, "alone"), await shown(page, "gaps"), await shown(page, "lost")]).toEqual([
        0, 0, 0,
      ]);
    });
  });
});
