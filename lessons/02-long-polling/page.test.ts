// Tests of lesson 2's page.
import { expect, test } from "vitest";
import { openPage } from "../../shared/machinery/testing/browser.ts";
import { everyPage, shows } from "../../shared/machinery/testing/every-page.ts";
import { say, shown, startPages, startServer, until } from "../../shared/machinery/testing/lesson.ts";
import { freePort } from "../../shared/machinery/testing/process.ts";

everyPage("02-long-polling", (ports, server, tabs) => {
  const waiting = async () => (await (await fetch(`${server().url}/waiting`)).json()).waiting;

  test("one request waits while nobody says anything", async () => {
    const { grace } = tabs();
    // From here on, 25 s pass until a request that waits gets an empty answer.
    await say(grace, "Grace", "Ready");
    await shows(grace, "Ready");
    await until(async () => (await grace.getByRole("status").textContent()) === "waiting for an answer");
    await until(async () => (await waiting()) === 2);
    const before = await shown(grace, "requests");
    await say(grace, "Grace", "Go");
    await shows(grace, "Go");
    await until(async () => (await shown(grace, "requests")) === before + 1);
  });

  test("twenty quick messages all arrive with the cursor; without it some never come, and the page counts them", async () => {
    const { ada, grace } = tabs();
    const sayTwenty = () => ada.getByRole("button", { name: /twenty/ }).click();
    // Over six connections, the twentieth may arrive before others.
    const count = (page: typeof ada) =>
      page
        .getByRole("log")
        .getByText(/of 20$/)
        .count();
    await ada.getByRole("slider").fill("200");
    await sayTwenty();
    await until(async () => (await count(ada)) === 20);
    expect(await shown(ada, "lost")).toBe(0);

    // Both requests that are waiting were sent with the cursor. Ada's next one will be without, a second later.
    await until(async () => (await waiting()) === 2);
    await ada.getByLabel(/forget the cursor/).check();
    await ada.getByRole("slider").fill("1000");
    await say(ada, "Ada", "from here on without");
    await shows(ada, "from here on without");
    await sayTwenty();
    await until(async () => (await count(grace)) === 40);
    // A message that is said while this page waits reaches it, and its id shows the gap.
    await until(async () => (await waiting()) === 2);
    await say(grace, "Grace", "one more");
    await shows(ada, "one more");
    expect(await shown(ada, "lost")).toBeGreaterThan(0);
    expect(await shown(grace, "lost")).toBe(0);
    await ada.getByLabel(/forget the cursor/).uncheck();
  });

  test("two pages come back after a restart, and each says once that history starts again", async () => {
    const pages = Object.values(tabs());
    await server().kill();
    Object.assign(server(), await ports().startServer());
    await until(async () => (await waiting()) === 2);
    for (const page of pages) {
      await page.getByText(/history starts again/).waitFor();
      expect(await page.getByText(/history starts again/).count()).toBe(1);
    }
    // A page that opens in an empty room has no history: it shows how late the first message is.
    const first = await openPage(`http://localhost:${ports().pagePort}/lessons/02-long-polling/`);
    await until(async () => (await waiting()) === 3);
    await say(tabs().ada, "Ada", "new times");
    for (const page of [...pages, first]) await shows(page, "new times");
    expect(await first.locator('[data-number="age"]').textContent()).toMatch(/^[\d.]+ m?s$/);
    await first.close();
  });

  test("says which lesson is running when it is another one, and asks that server no more than once a second", async () => {
    const { ada, grace } = tabs();
    const statusIs = (page: typeof ada, text: string) =>
      until(async () => (await page.getByRole("status").textContent()) === text);
    await statusIs(ada, "waiting for an answer");
    await server().kill();
    const { serverPort, pagePort } = ports();
    const env = { PORT: String(serverPort), PAGE_PORT: String(pagePort) };
    const other = await startServer("01-polling", env);
    const sentence =
      "This page belongs to lesson 2, but lesson 1 is running. Press Ctrl-C in the terminal, then run npm run lesson 2.";
    await statusIs(ada, sentence);
    // A page that is opened now says so, too.
    await grace.reload();
    await statusIs(grace, sentence);
    const before = await shown(ada, "requests");
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await shown(ada, "requests")).toBeLessThanOrEqual(before + 3);
    await other.kill();
    Object.assign(server(), await ports().startServer());
    for (const page of [ada, grace]) await statusIs(page, "waiting for an answer");
  });

  test("knows from the launcher which lesson is running, even when nobody answers", async () => {
    const [serverPort, pagePort] = [await freePort(), await freePort()];
    await startPages(serverPort, pagePort, { LESSON: "01-polling" });
    const page = await openPage(`http://localhost:${pagePort}/lessons/03-chat/`);
    await page.getByText(/^This page belongs to lesson 3, but lesson 1 is running/).waitFor();
    await page.close();
  });
});
