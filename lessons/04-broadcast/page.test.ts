// Tests of lesson 4's page.
import { expect, test } from "vitest";
import { everyPage, hears } from "../../shared/machinery/testing/every-page.ts";
import { shown, until } from "../../shared/machinery/testing/lesson.ts";

everyPage("04-broadcast", (ports, _server, tabs) => {
  test("shows the greeting, the tick and how many are here", async () => {
    const { ada, grace } = tabs();
    await hears(ada, "greeting Hello. Say something, everybody receives it.");
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
    await hears(ada, "open");
    await ada.getByRole("button", { name: "Close" }).click();
    await hears(ada, "close 1000, see you, clean");
    await ada.getByRole("button", { name: "Open again" }).click();
    await until(async () => (await shown(ada, "here")) === 2);
  });

  test("lays out its list once for a hundred messages that arrive together, and shows their end", async () => {
    // As text: it runs in the page as it stands here.
    const [measured, isAtEnd] = await tabs().ada.evaluate<[number, boolean]>(`(async () => {
      const { room } = await import("/shared/page/chat-room.ts");
      const log = document.querySelector(".log");
      await new Promise((resolve) => requestAnimationFrame(resolve));
      let measured = 0;
      const { get } = Object.getOwnPropertyDescriptor(Element.prototype, "scrollHeight");
      Object.defineProperty(log, "scrollHeight", { configurable: true, get: () => ++measured && get.call(log) });
      for (let id = 1; id <= 100; id++) room.show({ id: 1e9 + id, from: "Eve", text: String(id), at: 0 });
      const before = measured;
      delete log.scrollHeight;
      await new Promise((resolve) => requestAnimationFrame(resolve));
      return [before, log.scrollTop + log.clientHeight > log.scrollHeight - 2];
    })()`);
    expect(measured).toBe(1);
    expect(isAtEnd).toBe(true);
  });
});
