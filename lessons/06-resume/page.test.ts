// Promises of lesson 6's page.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { everyPage, hears } from "../../shared/machinery/testing/every-page.ts";
import { Freezer } from "../../shared/machinery/testing/freezer.ts";
import { Client, lessonPorts, say, shown, until } from "../../shared/machinery/testing/lesson.ts";
import { freePort } from "../../shared/machinery/testing/process.ts";

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

everyPage("06-resume", (ports, server) => {
  test("who has left finds what was said meanwhile in its place, and what it said itself goes out", async () => {
    const [ada, grace] = [await ports().openPage(), await ports().openPage()];
    for (const page of [ada, grace]) await isOpen(page);
    await say(grace, "Grace", "before");
    await hears(ada, "before");
    const before = (await texts(ada)).length;
    await ada.getByRole("button", { name: "Leave" }).click();
    await until(async () => (await ada.getByRole("status").textContent()) === "closed (1000)");
    await say(grace, "Grace", "meanwhile");
    await hears(grace, "meanwhile");
    await say(ada, "Ada", "typed while away");
    await numberIs(ada, "outbox", 1);
    expect(await ada.getByRole("log").locator("li.waiting").textContent()).toBe("Adawaitingtyped while away");
    // Whoever has left is left in peace, also when the network comes back.
    await ada.evaluate(() => dispatchEvent(new Event("online")));
    const replayed = await shown(ada, "replayed");
    await ada.getByRole("button", { name: "Come back" }).click();
    await hears(grace, "typed while away");
    await numberIs(ada, "outbox", 0);
    await numberIs(ada, "acknowledged", 1);
    await numberIs(ada, "replayed", replayed + 1);
    await until(async () => (await texts(ada)).length === before + 2);
    expect((await texts(ada)).slice(-2)).toEqual(["meanwhile", "typed while away"]);
    expect([await shown(ada, "gaps"), await shown(ada, "lost")]).toEqual([0, 0]);
    await Promise.all([ada.close(), grace.close()]);
  });

  test("what is sent twice is shown once, and counted", async () => {
    const page = await ports().openPage();
    await isOpen(page);
    await page.getByLabel(/send everything twice/).check();
    await say(page, "Ada", "twice");
    await numberIs(page, "doubles", 1);
    await numberIs(page, "acknowledged", 1);
    await hears(page, "twice");
    expect((await texts(page)).filter((text) => text === "twice")).toHaveLength(1);
    await page.close();
  });

  test("a full outbox says so, and the text stays in its box", async () => {
    const page = await ports().openPage();
    await isOpen(page);
    await page.getByRole("button", { name: "Leave" }).click();
    await page.evaluate(() => {
      const form = document.querySelector("chat-room form") as HTMLFormElement;
      for (let n = 1; n <= 100; n++) {
        (form.elements.namedItem("text") as HTMLInputElement).value = `${n}`;
        form.requestSubmit();
      }
    });
    await numberIs(page, "outbox", 100);
    await say(page, "Ada", "101");
    await until(async () => /100 messages wait/.test((await page.getByRole("alert").textContent()) ?? ""));
    expect(await page.getByLabel("Message", { exact: true }).inputValue()).toBe("101");
    expect(await shown(page, "outbox")).toBe(100);
    await page.close();
  });

  test("a restarted server is a declared new beginning, and so is a gap larger than history; each is said once", async () => {
    const pages = [await ports().openPage(), await ports().openPage()] as [Page, Page];
    for (const page of pages) await isOpen(page);
    await say(pages[0], "Ada", "old times");
    for (const page of pages) await hears(page, "old times");
    await server().kill();
    Object.assign(server(), await ports().startServer({ HISTORY: "10" }));
    for (const page of pages) await isOpen(page);
    await say(pages[0], "Ada", "new times");
    for (const page of pages) {
      await hears(page, "new times");
      expect(await page.getByText(/history began anew/).count()).toBe(1);
      expect([await shown(page, "gaps"), await shown(page, "lost")]).toEqual([1, 0]);
    }

    const [ada, grace] = pages;
    await ada.getByRole("button", { name: "Leave" }).click();
    const other = await Client.open(ports().serverPort);
    for (let n = 1; n <= 30; n++) other.send({ type: "say", from: "Alan", text: `gap ${n}`, id: `g-${n}` });
    await hears(grace, "gap 30");
    await ada.getByRole("button", { name: "Come back" }).click();
    await hears(ada, "gap 30");
    expect(await ada.getByText(/^a gap: /).count()).toBe(1);
    expect((await texts(ada)).slice(-11)).toEqual([
      "new times",
      ...Array.from({ length: 10 }, (_, n) => `gap ${n + 21}`),
    ]);
    expect([await shown(ada, "gaps"), await shown(ada, "lost")]).toEqual([2, 0]);
    await Promise.all(pages.map((page) => page.close()));
  });
});

test("connections that break all the time lose nothing, double nothing, and one socket is left in the end", async () => {
  const ports = await lessonPorts("06-resume");
  const behind = await freePort();
  await ports.startServer({ PORT: String(behind) });
  const network = await Freezer.start(ports.serverPort, behind);
  const [ada, grace] = [await ports.openPage(), await ports.openPage()];
  for (const page of [ada, grace]) await isOpen(page);
  const said = [];
  for (let n = 1; n <= 12; n++) {
    said.push(`${n}`);
    await say(n % 2 ? ada : grace, n % 2 ? "Ada" : "Grace", `${n}`);
    if (n % 4 === 0) network.cut();
    if (n % 3 === 0) for (const page of [ada, grace]) await isOpen(page);
  }
  for (const page of [ada, grace]) {
    await isOpen(page);
    await numberIs(page, "outbox", 0);
    await until(async () => (await texts(page)).length === 12);
    expect((await texts(page)).sort()).toEqual([...said].sort());
    expect(await shown(page, "lost")).toBe(0);
  }
  expect(await texts(ada)).toEqual(await texts(grace));
  const witness = await Client.open(behind);
  await witness.hears("presence", ({ here }) => here === 3);
  await Promise.all([ada.close(), grace.close()]);
});
