// Tests of lesson 4's page.
import { expect, test } from "vitest";
import { everyPage, shows } from "../../shared/machinery/testing/every-page.ts";
import { shown, until } from "../../shared/machinery/testing/lesson.ts";

everyPage("04-broadcast", (ports, _server, tabs) => {
  test("shows the greeting, the tick and how many are here", async () => {
    const { ada, grace } = tabs();
    await shows(ada, "greeting Hello. Everybody receives what you say.");
    await until(async () => (await shown(ada, "here")) === 2);
    await grace.goto("about:blank");
    await until(async () => (await shown(ada, "here")) === 1);
    await grace.goto(ports().url);
    await until(async () => (await shown(ada, "here")) === 2);
    await ada
      .getByRole("log")
      .getByText(/^tick /)
      .first()
      .waitFor();
  });

  test('shows how many are here on the first screen of a phone: the slide "Everybody join" asks for it', async () => {
    const { ada } = tabs();
    const { width, height } = ada.viewportSize() as { width: number; height: number };
    await ada.setViewportSize({ width: 390, height: 844 });
    const { bottom } = await ada
      .locator('[data-number="here"]')
      .evaluate((number) => (number.parentElement as HTMLElement).getBoundingClientRect());
    expect(bottom).toBeLessThan(700); // a phone's browser takes some of the height itself
    await ada.setViewportSize({ width, height });
  });

  test("shows that Ada is typing on every page except Ada's", async () => {
    const { ada, grace } = tabs();
    await ada.getByLabel("Name").fill("Ada");
    // It is shown for a moment only, so Ada types until Grace has seen it.
    await until(async () => {
      await ada.getByLabel("Message", { exact: true }).press("m");
      return (await grace.getByText("Ada is typing").count()) > 0;
    });
    expect(await ada.getByText("Ada is typing").count()).toBe(0);
  });

  test("shows that it was closed, and opens again", async () => {
    const { ada } = tabs();
    await shows(ada, "open");
    await ada.getByRole("button", { name: "Close" }).click();
    await shows(ada, "close 1000, see you, clean");
    await ada.getByRole("button", { name: "Open again" }).click();
    await until(async () => (await shown(ada, "here")) === 2);
  });

  /** Ada's page in front, since a browser draws few frames of others, and closed: a tick could add a line in any frame. */
  async function stopMessages() {
    const { ada } = tabs();
    await ada.bringToFront();
    const close = ada.getByRole("button", { name: "Close" });
    if (await close.isEnabled()) await close.click();
    await ada.getByRole("button", { name: "Open again" }).and(ada.locator(":enabled")).waitFor();
  }

  test("measures nothing while messages arrive, keeps the last 500 rows, and shows their end", async () => {
    await stopMessages();
    // As text, because it runs in the page.
    const [measured, rows, isInOrder, isAtEnd] = await tabs().ada.evaluate<
      [number, number, boolean, boolean]
    >(`(async () => {
      const { room } = await import("/shared/page/chat-room.ts");
      const log = document.querySelector(".log");
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      log.scrollTop = log.scrollHeight;
      for (let n = 0; n < 2; n++) await frame();
      let measured = 0;
      const { get } = Object.getOwnPropertyDescriptor(Element.prototype, "scrollHeight");
      Object.defineProperty(log, "scrollHeight", { configurable: true, get: () => ++measured && get.call(log) });
      for (let id = 1; id <= 1_100; id++) room.show({ id: 1e9 + id, from: "Eve", text: String(id), at: 0 });
      const before = measured;
      delete log.scrollHeight;
      await frame();
      for (let n = 0; n < 10 && log.scrollTop + log.clientHeight < log.scrollHeight - 2; n++) await frame();
      const shown = [...log.querySelectorAll(".text")].map(({ textContent }) => Number(textContent));
      return [
        before,
        log.querySelectorAll("li").length,
        shown.every((text, index) => text === 1_100 - shown.length + 1 + index),
        log.scrollTop + log.clientHeight > log.scrollHeight - 2,
      ];
    })()`);
    expect(measured).toBe(0);
    expect(rows).toBeGreaterThan(400);
    expect(rows).toBeLessThanOrEqual(500);
    expect(isInOrder).toBe(true);
    expect(isAtEnd).toBe(true);
  });

  test("doesn't scroll while somebody reads further up, and follows again from its end", async () => {
    await stopMessages();
    const seen = await tabs().ada.evaluate<(number | boolean)[]>(`(async () => {
      const { room } = await import("/shared/page/chat-room.ts");
      const log = document.querySelector(".log");
      const fromEnd = () => Math.round(log.scrollHeight - log.clientHeight - log.scrollTop);
      const frames = async () => {
        for (let n = 0; n < 3; n++) await new Promise((resolve) => requestAnimationFrame(resolve));
      };
      let id = 2e9;
      const say = async () => {
        room.show({ id: ++id, from: "Eve", text: "more", at: 0 });
        await frames();
      };
      for (let n = 0; n < 20; n++) room.show({ id: ++id, from: "Eve", text: "more", at: 0 });
      await frames();
      log.scrollTop -= 100;
      await frames();
      const before = fromEnd();
      await say();
      const after = fromEnd();
      log.scrollTop = log.scrollHeight;
      await frames();
      await say();
      return [before >= 100, after > before, fromEnd()];
    })()`);
    expect(seen).toEqual([true, true, 0]);
  });
});
