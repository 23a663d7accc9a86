// Tests of lesson 5's page, with the real times: both sides notice a dead connection within 25 s.
import { afterAll, describe, expect, test } from "vitest";
import { everyPage, hears } from "../../shared/machinery/testing/every-page.ts";
import { Freezer } from "../../shared/machinery/testing/freezer.ts";
import { Client, lessonPorts, say, shown, until } from "../../shared/machinery/testing/lesson.ts";
import { freePort } from "../../shared/machinery/testing/process.ts";

everyPage("05-heartbeat-reconnect", (ports) => {
  test("shows the server's count", async () => {
    const page = await ports().openPage();
    await until(async () => /Hello there #\d+/.test((await page.getByRole("status").textContent()) ?? ""));
    await page.close();
  });
});

test("counts down to the next attempt, tries immediately on demand, and says that history starts again", async () => {
  const ports = await lessonPorts("05-heartbeat-reconnect");
  const server = await ports.startServer();
  const page = await ports.openPage();
  await hears(page, "open");
  server.child.kill("SIGTERM");
  await until(
    async () =>
      /^reconnecting.*\(attempt \d+\).* in \d+ s$/.test((await page.getByRole("status").textContent()) ?? ""),
    2_000,
  );
  await until(async () => (await shown(page, "attempts")) >= 3, 20_000);
  await ports.startServer();
  const button = page.getByRole("button", { name: "Try now" });
  await until(async () => {
    if (await button.isEnabled()) await button.click({ timeout: 500 }).catch(() => {});
    return /^open/.test((await page.getByRole("status").textContent()) ?? "");
  }, 3_000);
  await page.getByText(/history starts again/).waitFor();
  expect(await page.getByText(/history starts again/).count()).toBe(1);
  await say(page, "Ada", "a new beginning");
  await hears(page, "a new beginning");
  await page.close();
}, 40_000);

test("ends the pause when the network returns, and when the tab is visible again", async () => {
  const ports = await lessonPorts("05-heartbeat-reconnect");
  const page = await ports.openPage();
  await until(async () => (await shown(page, "attempts")) >= 3, 30_000);
  for (const event of ["online", "visibilitychange"]) {
    await until(async () => /^reconnecting/.test((await page.getByRole("status").textContent()) ?? ""));
    const before = await shown(page, "attempts");
    await page.evaluate(
      (name) => (name === "online" ? window : document).dispatchEvent(new Event(name)),
      event,
    );
    await until(async () => (await shown(page, "attempts")) > before, 300);
  }
  await page.close();
}, 40_000);

test("stays away after 1008, and says so", async () => {
  const ports = await lessonPorts("05-heartbeat-reconnect");
  await ports.startServer();
  const page = await ports.openPage();
  await hears(page, "open");
  // Ten refusals in ten seconds. A blank message is refused.
  for (let n = 0; n < 10; n++) await say(page, "Ada", " ");
  await until(async () => (await page.getByRole("status").textContent())?.startsWith("closed (1008"));
  const attempts = await shown(page, "attempts");
  await page.waitForTimeout(3_000);
  expect(await shown(page, "attempts")).toBe(attempts);
  await page.close();
});

describe.concurrent("a network that freezes", () => {
  const opened: (() => Promise<void>)[] = [];
  afterAll(() => Promise.all(opened.map((close) => close())).then(() => {}));

  async function behindFreezer() {
    const ports = await lessonPorts("05-heartbeat-reconnect");
    const behind = await freePort();
    await ports.startServer({ PORT: String(behind) });
    const network = await Freezer.start(ports.serverPort, behind);
    const page = await ports.openPage();
    opened.push(() => page.close());
    await hears(page, "open");
    const witness = await Client.open(behind);
    await witness.hears("presence", ({ here }) => here === 2);
    return { network, page, witness };
  }

  test("is noticed by both sides in time, and the page is back once it thaws", async () => {
    const { network, page, witness } = await behindFreezer();
    const began = performance.now();
    network.freeze();
    const since = () => performance.now() - began;
    const left = until(
      async () => /^(reconnecting|connecting)/.test((await page.getByRole("status").textContent()) ?? ""),
      25_000,
    );
    const heard = witness.heard.length;
    const fell = until(() => witness.heard.slice(heard).some(({ here }) => here === 1), 26_000);
    await Promise.all([left, fell]);
    expect(since()).toBeGreaterThan(8_000);
    network.thaw();
    await until(async () => /^open/.test((await page.getByRole("status").textContent()) ?? ""), 15_000);
    expect(await page.getByText(/history starts again/).count()).toBe(0);
  }, 60_000);

  test("doesn't reconnect for five seconds of it", async () => {
    const { network, page } = await behindFreezer();
    network.freeze();
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    network.thaw();
    await say(page, "Ada", "Nothing happened");
    await hears(page, "Nothing happened");
    expect(await shown(page, "attempts")).toBe(1);
    expect(network.opened).toBe(1);
  }, 30_000);
});
