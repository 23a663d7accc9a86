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
});
