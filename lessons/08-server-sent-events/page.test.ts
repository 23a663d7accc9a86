// Promises of lesson 7's page.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { everyPage, hears } from "../../shared/machinery/testing/every-page.ts";
import { Freezer } from "../../shared/machinery/testing/freezer.ts";
import { lessonPorts, say, shown, until } from "../../shared/machinery/testing/lesson.ts";
import { freePort } from "../../shared/machinery/testing/process.ts";

// Shorter than the real pause before a browser comes back, and long enough to look at the page meanwhile.
process.env.RETRY_MS = "1500";

const texts = (page: Page) => page.getByRole("log").locator("li.message .text").allTextContents();
const status = async (page: Page) => (await page.getByRole("status").textContent()) ?? "";
const isOpen = (page: Page) => until(async () => (await status(page)) === "open", 15_000);
const press = (page: Page, name: string) => page.getByRole("button", { name }).click();
const post = ({ url }: { url: string }, text: string) =>
  fetch(`${url}/messages`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ from: "Grace", text }),
  });

everyPage("08-server-sent-events", (ports, server) => {
  test("the browser comes back by itself, with what was said meanwhile", async () => {
    const page = await ports().openPage();
    await isOpen(page);
    await say(page, "Ada", "before");
    await hears(page, "before");
    await press(page, "End all streams");
    await until(async () => /^reconnecting/.test(await status(page)));
    expect(await page.locator('[data-number="ready-state"]').textContent()).toBe("0 connecting");
    await say(page, "Ada", "meanwhile");
    expect(await texts(page)).not.toContain("meanwhile");
    await hears(page, "meanwhile");
    expect(await shown(page, "alone")).toBe(1);
    expect([await shown(page, "gaps"), await shown(page, "lost")]).toEqual([0, 0]);
    expect(await page.locator('[data-number="last-event-id"]').textContent()).toMatch(/^[0-9a-f]{8}:\d+$/);
    await page.close();
  });

  test("three more, then 204: the browser stays away, until told to listen again", async () => {
    const page = await ports().openPage();
    await isOpen(page);
    await press(page, "Three more");
    for (const text of ["one", "two", "three", "four"]) await say(page, "Ada", text);
    await hears(page, "three");
    await until(async () => (await status(page)) === "closed (204, the end)");
    expect(await texts(page)).not.toContain("four");
    // Whoever was told to stay away does so, also when the network comes back.
    await page.evaluate(() => dispatchEvent(new Event("online")));
    expect(await status(page)).toBe("closed (204, the end)");
    await press(page, "Listen again");
    await hears(page, "four");
    await page.close();
  });

  test("over HTTP/1.1 six streams open, the others wait, and so does what is said; a socket opens", async () => {
    const page = await ports().openPage();
    await isOpen(page);
    // A connection that is kept open after a request is one of the six; here they are all for streams.
    await press(page, "Open seven more");
    await page.getByText(/^a WebSocket opened after/).waitFor();
    await until(async () => (await shown(page, "streams-open")) === 6);
    await page.waitForTimeout(500);
    expect(await shown(page, "streams-open")).toBe(6);
    expect(await shown(page, "streams-waiting")).toBe(2);
    await say(page, "Ada", "stuck");
    await page.waitForTimeout(500);
    expect(await texts(page)).not.toContain("stuck");
    await press(page, "Close the seven");
    await hears(page, "stuck");
    expect(await shown(page, "streams-waiting")).toBe(0);
    await page.close();
  });

  test("a restarted server is a declared new beginning, also before anything was said, and so is a gap; said once each", async () => {
    const page = await ports().openPage();
    await isOpen(page);
    for (let n = 1; n <= 2; n++) {
      await server().kill();
      await until(async () => /^reconnecting/.test(await status(page)));
      Object.assign(server(), await ports().startServer({ HISTORY: "10" }));
      await isOpen(page);
      await until(async () => (await shown(page, "gaps")) === n);
      expect(await page.getByText(/history began anew/).count()).toBe(n);
    }
    await say(page, "Ada", "new times");
    await hears(page, "new times");

    await page.route("**/events?*", (route) => route.abort());
    await press(page, "End all streams");
    await until(async () => /^reconnecting/.test(await status(page)));
    for (let n = 1; n <= 30; n++) await post(server(), `gap ${n}`);
    await page.unroute("**/events?*");
    await hears(page, "gap 30");
    expect(await page.getByText(/^a gap: /).count()).toBe(1);
    expect([await shown(page, "gaps"), await shown(page, "lost")]).toEqual([3, 0]);
    await page.close();
  });

  test("an answer that is no stream ends it for the browser; the page comes back itself", async () => {
    const page = await ports().openPage();
    await isOpen(page);
    await page.route("**/events?*", (route) => route.fulfill({ status: 502 }));
    await press(page, "End all streams");
    await until(async () => /we do it ourselves/.test(await status(page)));
    await page.unroute("**/events?*");
    await isOpen(page);
    await page.close();
  });

  test("the network's return, and the tab's, end the pause at once", async () => {
    const page = await ports().openPage();
    await isOpen(page);
    await server().kill();
    Object.assign(server(), await ports().startServer({ RETRY_MS: "60000" }));
    await isOpen(page);
    for (const event of ["online", "visibilitychange"]) {
      await press(page, "End all streams");
      await until(async () => /^reconnecting/.test(await status(page)));
      await page.evaluate(
        (name) => (name === "online" ? window : document).dispatchEvent(new Event(name)),
        event,
      );
      await until(async () => (await status(page)) === "open", 1_000);
    }
    await server().kill();
    Object.assign(server(), await ports().startServer());
    await page.close();
  });

  test("words whose answer was lost keep their id, and are shown once", async () => {
    const page = await ports().openPage();
    await isOpen(page);
    await page.route("**/messages", async (route) => {
      await route.fetch();
      await route.abort();
    });
    await say(page, "Ada", "arrived all the same");
    await until(async () => /Not sent/.test((await page.getByRole("alert").textContent()) ?? ""));
    await page.unroute("**/messages");
    await page.getByLabel("Message", { exact: true }).press("Enter");
    await until(async () => (await page.getByLabel("Message", { exact: true }).inputValue()) === "");
    await say(page, "Ada", "the last");
    await hears(page, "the last");
    expect((await texts(page)).filter((text) => text === "arrived all the same")).toHaveLength(1);
    await page.close();
  });
});

test("a network that falls silent is noticed after one and a half beats, and nothing is lost", async () => {
  const ports = await lessonPorts("08-server-sent-events");
  const behind = await freePort();
  const server = await ports.startServer({ PORT: String(behind), BEAT_EVERY_MS: "2000" });
  const network = await Freezer.start(ports.serverPort, behind);
  const page = await ports.openPage();
  await isOpen(page);
  await until(async () => (await page.locator('[data-number="last-event-id"]').textContent()) !== "–");
  network.silenceSome(1);
  await post(server, "into the silence");
  await hears(page, "into the silence");
  expect(await page.getByText(/nothing heard for too long/).count()).toBe(1);
  expect(await shown(page, "alone")).toBe(0);
  expect(await shown(page, "gaps")).toBe(0);
  await page.close();
});
