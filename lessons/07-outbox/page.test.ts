// What lesson 7's page promises.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { everyPage, shows } from "../../shared/machinery/testing/every-page.ts";
import { Freezer } from "../../shared/machinery/testing/freezer.ts";
import { Client, say, shown, until } from "../../shared/machinery/testing/lesson.ts";
import { freePort } from "../../shared/machinery/testing/process.ts";

const texts = (page: Page) => page.getByRole("log").locator("li.message .text").allTextContents();
const numberIs = (page: Page, name: string, value: number) =>
  until(async () => (await shown(page, name)) === value);
const press = (page: Page, name: string) => page.getByRole("button", { name }).click();

async function isOpen(page: Page) {
  const tryNow = page.getByRole("button", { name: "Try now" });
  await until(async () => {
    if (await tryNow.isEnabled()) await tryNow.click({ timeout: 300 }).catch(() => {});
    return /^open/.test((await page.getByRole("status").textContent()) ?? "");
  });
}

everyPage("07-outbox", (ports, server, tabs) => {
  /** Ada's tab, loaded again. */
  async function fresh(page = tabs().ada): Promise<Page> {
    await page.reload();
    await isOpen(page);
    return page;
  }

  test("a message said without a connection waits, and goes out when the page comes back", async () => {
    const [ada, grace] = [await fresh(), await fresh(tabs().grace)];
    await say(grace, "Grace", "before");
    await shows(ada, "before");
    const before = (await texts(ada)).length;
    const replayed = await shown(ada, "replayed");
    await press(ada, "Leave");
    await until(async () => (await ada.getByRole("status").textContent()) === "closed (1000)");
    await say(grace, "Grace", "meanwhile");
    await shows(grace, "meanwhile");
    await say(ada, "Ada", "typed while away");
    await numberIs(ada, "outbox", 1);
    expect(await ada.getByRole("log").locator("li.waiting").textContent()).toBe("Adawaitingtyped while away");
    await press(ada, "Come back");
    await shows(grace, "typed while away");
    await numberIs(ada, "outbox", 0);
    await numberIs(ada, "acknowledged", 1);
    await numberIs(ada, "replayed", replayed + 1);
    await until(async () => (await texts(ada)).length === before + 2);
    expect((await texts(ada)).slice(-2)).toEqual(["meanwhile", "typed while away"]);
    expect([await shown(ada, "gaps"), await shown(ada, "lost")]).toEqual([0, 0]);
  });

  test("a message that is sent twice is shown once, and counted", async () => {
    const page = await fresh();
    await page.getByLabel(/send everything twice/).check();
    await say(page, "Ada", "twice");
    await numberIs(page, "doubles", 1);
    await numberIs(page, "acknowledged", 1);
    await shows(page, "twice");
    expect((await texts(page)).filter((text) => text === "twice")).toHaveLength(1);
  });

  test("waiting messages survive a reload, and a duplicated tab speaks under a name of its own", async () => {
    const page = await fresh();
    await press(page, "Leave");
    await say(page, "Ada", "before the reload");
    await numberIs(page, "outbox", 1);
    await page.reload();
    await shows(page, "before the reload");
    await numberIs(page, "outbox", 0);
    // A duplicated tab would find nothing.
    expect(await page.evaluate(() => sessionStorage.getItem("outbox"))).toBeNull();
  });

  test("a full outbox says so until it is empty, and the text stays in its box", async () => {
    const page = await fresh();
    await press(page, "Leave");
    const sayTogether = (count: number) =>
      page.evaluate((count) => {
        const form = document.querySelector("chat-room form") as HTMLFormElement;
        for (let n = 1; n <= count; n++) {
          (form.elements.namedItem("text") as HTMLInputElement).value = `${n}`;
          form.requestSubmit();
        }
        return document.querySelector("[role=alert]")?.textContent;
      }, count);
    await sayTogether(100);
    await numberIs(page, "outbox", 100);
    await say(page, "Ada", "101");
    await until(async () => /100 messages wait/.test((await page.getByRole("alert").textContent()) ?? ""));
    expect(await page.getByLabel("Message", { exact: true }).inputValue()).toBe("101");
    expect(await shown(page, "outbox")).toBe(100);

    await press(page, "Come back");
    await numberIs(page, "outbox", 0);
    // The replay takes the words back, too. So once more, without a replay.
    expect(await sayTogether(101)).toMatch(/100 messages wait/);
    await numberIs(page, "outbox", 0);
    expect(await page.getByRole("alert").textContent()).toBe("");
  });

  test("a restarted server and a gap larger than the history are declared, each once", async () => {
    const page = await fresh();
    await say(page, "Ada", "old times");
    await shows(page, "old times");
    await server().kill();
    Object.assign(server(), await ports().startServer({ HISTORY: "10" }));
    // Until then, a busy page may still take its old connection for open.
    await page.getByText(/history starts again/).waitFor();
    await say(page, "Ada", "new times");
    await shows(page, "new times");
    expect(await page.getByText(/history starts again/).count()).toBe(1);
    expect([await shown(page, "gaps"), await shown(page, "lost")]).toEqual([1, 0]);

    await press(page, "Leave");
    const other = await Client.open(ports().serverPort);
    other.send({ type: "resume", after: 0 });
    for (let n = 1; n <= 30; n++) other.send({ type: "say", from: "Alan", text: `gap ${n}` });
    await other.receives("message", ({ text }) => text === "gap 30");
    await press(page, "Come back");
    await shows(page, "gap 30");
    expect(await page.getByText(/^a gap: /).count()).toBe(1);
    expect([await shown(page, "gaps"), await shown(page, "lost")]).toEqual([2, 0]);
  });

  test("connections that break all the time lose nothing and duplicate nothing, on either page", async () => {
    await server().kill();
    const behind = await freePort();
    const other = await ports().startServer({ PORT: String(behind) });
    const network = await Freezer.start(ports().serverPort, behind);
    try {
      const [ada, grace] = [await fresh(), await fresh(tabs().grace)];
      const said: string[] = [];
      for (let n = 1; n <= 12; n++) {
        said.push(`${n}`);
        await say(n % 2 ? ada : grace, n % 2 ? "Ada" : "Grace", `${n}`);
        if (n % 4 === 0) network.cut();
        if (n % 3 === 0) for (const page of [ada, grace]) await isOpen(page);
      }
      for (const page of [ada, grace]) {
        await isOpen(page);
        await numberIs(page, "outbox", 0);
        await expect.poll(async () => (await texts(page)).sort()).toEqual([...said].sort());
        expect(await shown(page, "lost")).toBe(0);
      }
      expect(await texts(ada)).toEqual(await texts(grace));
    } finally {
      await network.end();
      await other.kill();
      Object.assign(server(), await ports().startServer());
    }
  });
});
