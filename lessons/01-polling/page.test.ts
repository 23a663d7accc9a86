// Tests of lesson 1's page.
import { expect, test } from "vitest";
import { everyPage, hears } from "../../shared/machinery/testing/every-page.ts";
import { say, shown, until } from "../../shared/machinery/testing/lesson.ts";

everyPage("01-polling", (ports) => {
  test("counts requests and empty answers, and shows how late a message came", async () => {
    const page = await ports().openPage();
    await until(async () => (await shown(page, "empty")) >= 2);
    expect(await shown(page, "requests")).toBeGreaterThan(await shown(page, "empty"));
    await say(page, "Ada", "How late am I?");
    await hears(page, "How late am I?");
    expect(await page.locator('[data-number="age"]').textContent()).toMatch(/^[\d.]+ m?s$/);
    await page.close();
  });

  test("a shorter interval sends more requests", async () => {
    const page = await ports().openPage();
    await page.getByRole("slider").fill("100");
    const before = await shown(page, "requests");
    const began = performance.now();
    await until(async () => (await shown(page, "requests")) >= before + 8);
    // At one a second this would take eight seconds.
    expect(performance.now() - began).toBeLessThan(5_000);
    await page.close();
  });

  test("setInterval with slow answers overlaps and overtakes, the list stays in order; chained setTimeout does not", async () => {
    const page = await ports().openPage();
    await page.getByLabel(/slow answers/).check();
    await page.getByRole("slider").fill("200");
    await page.getByLabel(/setInterval/).check();
    for (let n = 0; n < 10 || (await shown(page, "overtaken")) < 2; n++)
      await say(page, "Ada", `message ${n}`);
    expect(await shown(page, "under-way")).toBeGreaterThan(1);
    await hears(page, "message 9");
    const ids = await page
      .getByRole("log")
      .locator("li.message")
      .evaluateAll((entries) => entries.map((entry) => Number((entry as HTMLElement).dataset.id)));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(new Set(ids).size).toBe(ids.length);

    await page.getByLabel(/setTimeout/).check();
    // All requests of the interval have their answers.
    await until(async () => (await shown(page, "under-way")) === 0);
    const overtaken = await shown(page, "overtaken");
    const before = await shown(page, "requests");
    await until(async () => {
      expect(await shown(page, "under-way")).toBeLessThanOrEqual(1);
      return (await shown(page, "requests")) > before + 2;
    });
    expect(await shown(page, "overtaken")).toBe(overtaken);
    await page.close();
  }, 60_000);

  test("answers that failed for a while are no reset", async () => {
    const page = await ports().openPage();
    const other = await ports().openPage();
    await say(page, "Ada", "before");
    await hears(page, "before");
    await page.route("**/messages?*", (route) => route.abort());
    await say(other, "Grace", "after");
    await page.unroute("**/messages?*");
    await hears(page, "after");
    expect(await page.getByText(/history starts again/).count()).toBe(0);
    await Promise.all([page.close(), other.close()]);
  });
});
