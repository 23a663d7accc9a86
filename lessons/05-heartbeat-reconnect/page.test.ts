// Tests of lesson 5's page. Its clock stands still, and the tests move it: 25 s take them a moment.
import type { Page } from "playwright-core";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { browser } from "../../shared/machinery/testing/browser.ts";
import { everyPage, shows } from "../../shared/machinery/testing/every-page.ts";
import { Freezer } from "../../shared/machinery/testing/freezer.ts";
import {
  Client,
  type LessonServer,
  lessonPorts,
  say,
  shown,
  until,
} from "../../shared/machinery/testing/lesson.ts";
import { freePort } from "../../shared/machinery/testing/process.ts";

everyPage("05-heartbeat-reconnect", (_ports, _server, tabs) => {
  test("shows the server's count", async () => {
    const { grace } = tabs();
    await until(async () => /Hello there #\d+/.test((await grace.getByRole("status").textContent()) ?? ""));
  });
});

describe("the page of 05-heartbeat-reconnect, over a network that fails", () => {
  const behind = freePort();
  let ports: Awaited<ReturnType<typeof lessonPorts>>;
  let network: Freezer;
  let server: LessonServer | undefined;
  let page: Page;

  const status = async () => (await page.getByRole("status").textContent()) ?? "";
  /** Lets time pass on the page, a quarter of a second at a time, until `check` holds. */
  const passUntil = (check: () => unknown) =>
    until(async () => {
      await page.clock.runFor(250);
      return check();
    });
  const isOpen = () => passUntil(async () => /^open/.test(await status()));
  const startServer = async (env: Record<string, string> = {}) => {
    server = await ports.startServer({ PORT: String(await behind), ...env });
  };
  const stopServer = async () => {
    await server?.kill();
    server = undefined;
  };

  beforeAll(async () => {
    ports = await lessonPorts("05-heartbeat-reconnect");
    network = await Freezer.start(ports.serverPort, await behind);
    await startServer();
    // A profile of its own: a clock belongs to all tabs of a profile.
    page = await (await browser()).newPage();
    await page.clock.install();
    await page.goto(ports.url);
    await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 60_000);
  });
  beforeEach(async () => {
    if (!server) await startServer();
    await page.reload();
    await isOpen();
  });

  test("doesn't reconnect when the network freezes for five seconds", async () => {
    const { opened } = network;
    network.freeze();
    await page.clock.runFor(5_000);
    network.thaw();
    await say(page, "Ada", "Nothing happened");
    await shows(page, "Nothing happened");
    expect(await shown(page, "attempts")).toBe(1);
    expect(network.opened).toBe(opened);
  });

  test("ends the pause when the network returns, and when the tab is visible again", async () => {
    await stopServer();
    for (const event of ["online", "visibilitychange"]) {
      await passUntil(async () => /^reconnecting/.test(await status()));
      const before = await shown(page, "attempts");
      // The clock stands still, so the pause doesn't end by itself.
      await page.evaluate(
        (name) => (name === "online" ? window : document).dispatchEvent(new Event(name)),
        event,
      );
      await until(async () => (await shown(page, "attempts")) > before);
    }
  });

  test("counts down to the next attempt, tries immediately on demand, and says that history starts again", async () => {
    await stopServer();
    await passUntil(async () => /^reconnecting.*\(attempt \d+\).* in \d+ s$/.test(await status()));
    await passUntil(async () => (await shown(page, "attempts")) >= 3);
    const button = page.getByRole("button", { name: "Try now" });
    await passUntil(() => button.isEnabled());
    // From here to the click the clock stands still, so the pause doesn't end by itself.
    await startServer();
    const before = await shown(page, "attempts");
    await button.click();
    await isOpen();
    expect(await shown(page, "attempts")).toBe(before + 1);
    await page.getByText(/history starts again/).waitFor();
    expect(await page.getByText(/history starts again/).count()).toBe(1);
    await say(page, "Ada", "a new beginning");
    await shows(page, "a new beginning");
  });

  test("stays away after 1008, and says so", async () => {
    // Ten refusals in ten seconds. A blank message is refused.
    await page.evaluate(() => {
      const form = document.querySelector("chat-room form") as HTMLFormElement;
      for (let n = 0; n < 10; n++) {
        (form.elements.namedItem("text") as HTMLInputElement).value = " ";
        form.requestSubmit();
      }
    });
    await passUntil(async () => (await status()).startsWith("closed (1008"));
    const attempts = await shown(page, "attempts");
    await page.clock.runFor(60_000);
    expect(await shown(page, "attempts")).toBe(attempts);
  });

  test("a frozen network is noticed by both sides within 25 s, and the page is back once it thaws", async () => {
    await stopServer();
    const clockSpeed = new URL("../../shared/machinery/checks/clock-speed.cjs", import.meta.url).href;
    await startServer({ NODE_OPTIONS: `--import ${clockSpeed}`, CLOCK_SPEED: "5" });
    await page.reload();
    await isOpen();
    const witness = await Client.open(await behind);
    await witness.receives("presence", ({ here }) => here === 2);
    const startedAt = witness.received.length;
    network.freeze();

    await page.clock.runFor(20_000);
    expect(await status()).toMatch(/^open/);
    await page.clock.runFor(5_000);
    expect(await status()).toMatch(/^(reconnecting|connecting)/);

    const since = () => witness.received.slice(startedAt);
    await until(() => since().some(({ here }) => here === 1));
    // The server counts, once in each of its seconds.
    const seconds = since().filter(({ type }) => type === "hello").length;
    expect(seconds).toBeGreaterThanOrEqual(8);
    expect(seconds).toBeLessThanOrEqual(25);

    network.thaw();
    await isOpen();
    expect(await page.getByText(/history starts again/).count()).toBe(0);
  });
});
