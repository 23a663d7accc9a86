// Promises of lesson 2's page.
import { expect, test } from "vitest";
import { everyPage, hears } from "../../shared/machinery/testing/every-page.ts";
import { say, shown, until } from "../../shared/machinery/testing/lesson.ts";

everyPage("02-long-polling", (ports, server) => {
  test("one request waits while nobody speaks", async () => {
    const page = await ports().openPage();
    await until(async () => (await page.getByRole("status").textContent()) === "waiting for an answer");
    await until(async () => (await (await fetch(`${server().url}/waiting`)).json()).waiting >= 1);
    const before = await shown(page, "requests");
    await say(page, "Ada", "Go");
    await hears(page, "Go");
    await until(async () => (await shown(page, "requests")) === before + 1);
    await page.close();
  });

  test("with the cursor twenty quick messages all arrive; without it some never come, and the page counts them", async () => {
    const page = await ports().openPage();
    await page.getByRole("slider").fill("200");
    await page.getByRole("button", { name: /twenty/ }).click();
    await hears(page, "20 of 20");
    expect(
      await page
        .getByRole("log")
        .getByText(/of 20$/)
        .count(),
    ).toBe(20);
    expect(await shown(page, "lost")).toBe(0);

    await page.getByLabel(/forget the cursor/).check();
    // The request under way still knows the cursor.
    await say(page, "Ada", "from here on without");
    await hears(page, "from here on without");
    await page.getByRole("button", { name: /twenty/ }).click();
    await until(async () => (await shown(page, "lost")) > 0);
    await page.close();
  });

  test("two pages are back after a restart, and are told once that history began anew", async () => {
    const pages = [await ports().openPage(), await ports().openPage()];
    await say(pages[0] as never, "Ada", "old times");
    for (const page of pages) await hears(page, "old times");
    await server().kill();
    const again = await ports().startServer();
    await until(async () => (await (await fetch(`${again.url}/waiting`)).json()).waiting >= 2, 15_000);
    for (const page of pages) {
      await page.getByText(/history began anew/).waitFor();
      expect(await page.getByText(/history began anew/).count()).toBe(1);
    }
    await say(pages[0] as never, "Ada", "new times");
    for (const page of pages) await hears(page, "new times");
    await Promise.all(pages.map((page) => page.close()));
    await again.kill();
    Object.assign(server(), await ports().startServer());
  });
});
