// Tests of lesson 1's page.
import { describe, expect, test } from "vitest";
import { everyPage, shows } from "../../shared/machinery/testing/every-page.ts";
import { say, shown, until } from "../../shared/machinery/testing/lesson.ts";

everyPage("01-polling", (_ports, server, tabs) => {
  test("counts requests and empty answers, and shows how late a message came", async () => {
    const { grace } = tabs();
    await until(async () => (await shown(grace, "empty")) >= 2);
    expect(await shown(grace, "requests")).toBeGreaterThan(await shown(grace, "empty"));
    await say(grace, "Grace", "How late am I?");
    await shows(grace, "How late am I?");
    expect(await grace.locator('[data-number="age"]').textContent()).toMatch(/^[\d.]+ m?s$/);
  });

  test("a shorter interval sends more requests", async () => {
    const { grace } = tabs();
    const before = await shown(grace, "requests");
    const began = performance.now();
    await grace.getByRole("slider").fill("100");
    await until(async () => (await shown(grace, "requests")) >= before + 8);
    // At one a second this would take seven seconds.
    expect(performance.now() - began).toBeLessThan(6_500);
    await grace.getByRole("slider").fill("1000");
  });

  describe.concurrent("with slow answers and with none", () => {
    test("with slow answers, setInterval lets requests overlap, setTimeout doesn't, and the list stays in order", async () => {
      const { ada } = tabs();
      await ada.getByLabel(/slow answers/).check();
      await ada.getByRole("slider").fill("200");
      await ada.getByLabel(/setInterval/).check();
      for (let n = 0; n < 10 || (await shown(ada, "overtaken")) < 2; n++)
        await say(ada, "Ada", `message ${n}`);
      await until(async () => (await shown(ada, "under-way")) > 1);
      await shows(ada, "message 9");
      const ids = await ada
        .getByRole("log")
        .locator("li.message")
        .evaluateAll((entries) => entries.map((entry) => Number((entry as HTMLElement).dataset.id)));
      expect(ids).toEqual([...ids].sort((a, b) => a - b));
      expect(new Set(ids).size).toBe(ids.length);

      await ada.getByLabel(/setTimeout/).check();
      // All requests of the interval have their answers.
      await until(async () => (await shown(ada, "under-way")) === 0);
      const overtaken = await shown(ada, "overtaken");
      const before = await shown(ada, "requests");
      await until(async () => {
        expect(await shown(ada, "under-way")).toBeLessThanOrEqual(1);
        return (await shown(ada, "requests")) > before + 2;
      });
      expect(await shown(ada, "overtaken")).toBe(overtaken);
      await ada.getByLabel(/slow answers/).uncheck();
    });

    test("failed answers cause no reset", async () => {
      const { grace } = tabs();
      const failed = grace.waitForEvent("requestfailed");
      await grace.route("**/messages?*", (route) => route.abort());
      await failed;
      await fetch(`${server().url}/messages`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ from: "Alan", text: "after" }),
      });
      await grace.unroute("**/messages?*");
      await shows(grace, "after");
      expect(await grace.getByText(/history starts again/).count()).toBe(0);
    });
  });
});
