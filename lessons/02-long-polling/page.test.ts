// Tests of lesson 2's page.
import { expect, test } from "vitest";
import { openPage } from "../../shared/machinery/testing/browser.ts";
import { everyPage, hears } from "../../shared/machinery/testing/every-page.ts";
import { say, shown, startPages, startServer, until } from "../../shared/machinery/testing/lesson.ts";
import { freePort } from "../../shared/machinery/testing/process.ts";

everyPage("02-long-polling", (ports, server) => {
  test("one request waits while nobody says anything", async () => {
    const page = await ports().openPage();
    await until(async () => (await page.getByRole("status").textContent()) === "waiting for an answer");
    await until(async () => (await (await fetch(`${server().url}/waiting`)).json()).waiting >= 1);
    const before = await shown(page, "requests");
    await say(page, "Ada", "Go");
    await hears(page, "Go");
    await until(async () => (await shown(page, "requests")) === before + 1);
    await page.close();
  });

  test("twenty quick messages all arrive with the cursor; without it some never come, and the page counts them", async () => {
    const page = await ports().openPage();
    await page.getByRole("slider").fill("200");
    await page.getByRole("button", { name: /twenty/ }).click();
    // Over six connections, the twentieth may arrive before others.
    const some = page.getByRole("log").getByText(/of 20$/);
    await until(async () => (await some.count()) === 20);
    expect(await shown(page, "lost")).toBe(0);

    await page.getByLabel(/forget the cursor/).check();
    // The request that is waiting was sent with the cursor.
    await say(page, "Ada", "from here on without");
    await hears(page, "from here on without");
    await page.getByRole("button", { name: /twenty/ }).click();
    await until(async () => (await shown(page, "lost")) > 0);
    await page.close();
  });

  test("two pages come back after a restart, and each says once that history starts again", async () => {
    const pages = [await ports().openPage(), await ports().openPage()];
    await say(pages[0] as never, "Ada", "old times");
    for (const page of pages) await hears(page, "old times");
    await server().kill();
    const again = await ports().startServer();
    await until(async () => (await (await fetch(`${again.url}/waiting`)).json()).waiting >= 2, 15_000);
    for (const page of pages) {
      await page.getByText(/history starts again/).waitFor();
      expect(await page.getByText(/history starts again/).count()).toBe(1);
    }
    await say(pages[0] as never, "Ada", "new times");
    for (const page of pages) await hears(page, "new times");
    await Promise.all(pages.map((page) => page.close()));
    await again.kill();
    Object.assign(server(), await ports().startServer());
  });

  test("says which lesson is running when it is another one, and asks that server no more than once a second", async () => {
    const page = await ports().openPage();
    const status = (which: typeof page) => which.getByRole("status").textContent();
    await until(async () => (await status(page)) === "waiting for an answer");
    await server().kill();
    const { serverPort, pagePort } = ports();
    const env = { PORT: String(serverPort), PAGE_PORT: String(pagePort) };
    const other = await startServer("01-polling", env);
    const sentence =
      "This page belongs to lesson 2, but lesson 1 is running. Press Ctrl-C, then `npm run lesson 2`.";
    await until(async () => (await status(page)) === sentence);
    const fresh = await ports().openPage();
    await until(async () => (await status(fresh)) === sentence);
    const before = await shown(page, "requests");
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await shown(page, "requests")).toBeLessThanOrEqual(before + 3);
    await other.kill();
    Object.assign(server(), await ports().startServer());
    for (const each of [page, fresh])
      await until(async () => (await status(each)) === "waiting for an answer");
    await Promise.all([page.close(), fresh.close()]);
  });

  test("knows from the launcher which lesson is running, even when nobody answers", async () => {
    const [serverPort, pagePort] = [await freePort(), await freePort()];
    await startPages(serverPort, pagePort, { LESSON: "01-polling" });
    const page = await openPage(`http://localhost:${pagePort}/lessons/03-chat/`);
    await page.getByText(/^This page belongs to lesson 3, but lesson 1 is running/).waitFor();
    await page.close();
  });
});
