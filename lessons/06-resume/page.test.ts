// What lesson 6's page promises.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { everyPage, shows } from "../../shared/machinery/testing/every-page.ts";
import { Client, say, shown, until } from "../../shared/machinery/testing/lesson.ts";

const texts = (page: Page) => page.getByRole("log").locator("li.message .text").allTextContents();
const numberIs = (page: Page, name: string, value: number) =>
  until(async () => (await shown(page, name)) === value);

async function isOpen(page: Page) {
  const tryNow = page.getByRole("button", { name: "Try now" });
  await until(async () => {
    if (await tryNow.isEnabled()) await tryNow.click({ timeout: 300 }).catch(() => {});
    return /^open/.test((await page.getByRole("status").textContent()) ?? "");
  });
}

everyPage("06-resume", (ports, server, tabs) => {
  /** The two tabs, loaded again. */
  async function fresh(): Promise<[Page, Page]> {
    const { ada, grace } = tabs();
    for (const page of [ada, grace]) {
      await page.reload();
      await isOpen(page);
    }
    return [ada, grace];
  }

  test("a page that leaves and comes back finds what was said in the meantime in its place", async () => {
    const [ada, grace] = await fresh();
    await say(grace, "Grace", "before");
    await shows(ada, "before");
    const before = (await texts(ada)).length;
    const replayed = await shown(ada, "replayed");
    await ada.getByRole("button", { name: "Leave" }).click();
    await until(async () => (await ada.getByRole("status").textContent()) === "closed (1000)");
    await say(grace, "Grace", "meanwhile");
    await shows(grace, "meanwhile");
    // A page that has left stays away, even when the network comes back.
    await ada.evaluate(() => dispatchEvent(new Event("online")));
    await ada.getByRole("button", { name: "Come back" }).click();
    await shows(ada, "meanwhile");
    await say(grace, "Grace", "after");
    await shows(ada, "after");
    expect((await texts(ada)).slice(before)).toEqual(["meanwhile", "after"]);
    await numberIs(ada, "replayed", replayed + 1);
    expect([await shown(ada, "gaps"), await shown(ada, "lost")]).toEqual([0, 0]);
  });

  test("a page that comes back while twenty things are said misses none of them", async () => {
    const [ada, grace] = await fresh();
    await grace.getByRole("button", { name: "Say twenty things" }).click();
    await ada.getByRole("button", { name: "Leave" }).click();
    await ada.getByRole("button", { name: "Come back" }).click();
    await shows(ada, "20 of 20");
    expect((await texts(ada)).slice(-20)).toEqual(Array.from({ length: 20 }, (_, n) => `${n + 1} of 20`));
    expect([await shown(ada, "gaps"), await shown(ada, "lost")]).toEqual([0, 0]);
  });

  test("twenty things without a connection are not sent, and the page says so", async () => {
    const [page] = await fresh();
    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByRole("button", { name: "Say twenty things" }).click();
    await until(async () => /Not sent/.test((await page.getByRole("alert").textContent()) ?? ""));
  });

  test("a restarted server and a gap larger than the history are declared, each once", async () => {
    const pages = await fresh();
    await say(pages[0], "Ada", "old times");
    for (const page of pages) await shows(page, "old times");
    await server().kill();
    Object.assign(server(), await ports().startServer({ HISTORY: "10" }));
    // Until then, a busy page may still take its old connection for open.
    for (const page of pages) await page.getByText(/history starts again/).waitFor();
    await say(pages[0], "Ada", "new times");
    for (const page of pages) {
      await shows(page, "new times");
      expect(await page.getByText(/history starts again/).count()).toBe(1);
      expect([await shown(page, "gaps"), await shown(page, "lost")]).toEqual([1, 0]);
    }

    const [ada, grace] = pages;
    await ada.getByRole("button", { name: "Leave" }).click();
    const other = await Client.open(ports().serverPort);
    for (let n = 1; n <= 30; n++) other.send({ type: "say", from: "Alan", text: `gap ${n}` });
    await shows(grace, "gap 30");
    await ada.getByRole("button", { name: "Come back" }).click();
    await shows(ada, "gap 30");
    expect(await ada.getByText(/^a gap: /).count()).toBe(1);
    expect((await texts(ada)).slice(-11)).toEqual([
      "new times",
      ...Array.from({ length: 10 }, (_, n) => `gap ${n + 21}`),
    ]);
    expect([await shown(ada, "gaps"), await shown(ada, "lost")]).toEqual([2, 0]);
  });
});
