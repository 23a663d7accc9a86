// Tests of lesson 4's page.
import { expect, test } from "vitest";
import { everyPage, hears } from "../../shared/machinery/testing/every-page.ts";
import { shown, until } from "../../shared/machinery/testing/lesson.ts";

everyPage("04-broadcast", (ports) => {
  test("shows the greeting, the tick and how many are here", async () => {
    const page = await ports().openPage();
    await hears(page, "greeting Hello. Say something, everybody receives it.");
    await until(async () => (await shown(page, "here")) === 1);
    const other = await ports().openPage();
    await until(async () => (await shown(page, "here")) === 2);
    await other.close();
    await until(async () => (await shown(page, "here")) === 1);
    await page
      .getByRole("log")
      .getByText(/^tick /)
      .first()
      .waitFor();
    await page.close();
  });

  test("shows that Ada is typing on every page except Ada's", async () => {
    const [ada, grace] = [await ports().openPage(), await ports().openPage()];
    await until(async () => (await shown(ada, "here")) === 2);
    await ada.getByLabel("Name").fill("Ada");
    await ada.getByLabel("Message", { exact: true }).pressSequentially("Hmm");
    await grace.getByText("Ada is typing").waitFor();
    expect(await ada.getByText("Ada is typing").count()).toBe(0);
    await Promise.all([ada.close(), grace.close()]);
  });

  test("shows that it was closed, and opens again", async () => {
    const page = await ports().openPage();
    await hears(page, "open");
    await page.getByRole("button", { name: "Close" }).click();
    await hears(page, "close 1000, see you, clean");
    await page.getByRole("button", { name: "Open again" }).click();
    await until(async () => (await shown(page, "here")) === 1);
    await page.close();
  });
});
