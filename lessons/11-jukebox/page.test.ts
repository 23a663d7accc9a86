// Tests of lesson 11's page: it shows and plays what the room agrees on, and sends what its reader presses, nothing else.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { everyPage } from "../../shared/machinery/testing/every-page.ts";
import { shown, until } from "../../shared/machinery/testing/lesson.ts";
import { driftOf } from "./drift.ts";

const text = async (page: Page, selector: string) => (await page.locator(selector).textContent()) ?? "";
const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();
const says = (page: Page, words: RegExp) => until(async () => words.test(await text(page, ".pressed")));
const track = (page: Page) => text(page, ".track");
const playing = async (page: Page) => (await text(page, "#play")) === "Pause";
/** A number with its sign and unit, such as "−2,000 ms". */
const signed = async (page: Page, name: string) =>
  Number((await text(page, `[data-number="${name}"]`)).replace("−", "-").replace(/[+,]| ms$/g, ""));
const heardMs = (page: Page) =>
  page.locator(".jukebox").evaluate(({ dataset }) => (dataset.heard ? Number(dataset.heard) : undefined));

/** From now on the page's messages of these types wait until `release` is called. Also remembers all that it sends. */
async function hold(page: Page, ...types: string[]) {
  await page.evaluate((types) => {
    const send = WebSocket.prototype.send;
    const kept: (() => void)[] = [];
    WebSocket.prototype.send = function (data) {
      const pass = () => send.call(this, data);
      if (types.includes(JSON.parse(String(data)).type)) kept.push(pass);
      else pass();
    };
    Object.assign(window, {
      release() {
        WebSocket.prototype.send = send;
        for (const pass of kept) pass();
      },
    });
  }, types);
  return () => page.evaluate(() => (window as unknown as { release(): void }).release());
}

everyPage(
  "11-jukebox",
  (ports, server, tabs) => {
    const both = () => [tabs().ada, tabs().grace];

    test("each page shows who is here, HTML as text, and who has left", async () => {
      const { ada, grace } = tabs();
      await ada.getByLabel("Name").fill("<b>Ada</b>");
      await ada.getByLabel("Name").press("Enter");
      await grace.getByLabel("Name").fill("Grace");
      await grace.getByLabel("Name").press("Enter");
      await until(async () => (await text(grace, ".people")).includes("<b>Ada</b>"));
      await until(async () => (await text(ada, ".people")).includes("Grace"));
      await press(ada, "Leave");
      await until(async () => (await shown(grace, "here")) === 1);
      await press(ada, "Come back");
      await until(async () => (await shown(grace, "here")) === 2);
      await grace.getByLabel("Name").fill(" ");
      await grace.getByLabel("Name").press("Enter");
      await until(async () => /blank/.test(await text(grace, "[role=alert]")));
      await grace.getByLabel("Name").fill("Grace");
      await grace.getByLabel("Name").press("Enter");
    });

    test("a press in one page happens in both, and both say who it was", async () => {
      const { ada, grace } = tabs();
      await press(ada, "Play");
      for (const page of both()) await until(() => playing(page));
      await says(ada, /^You pressed Play\. Confirmed: revision \d+\.$/);
      await says(grace, /^<b>Ada<\/b> pressed Play/);
      const beat = await text(grace, ".beat");
      await until(async () => (await text(grace, ".beat")) !== beat);
      await press(grace, "Next");
      for (const page of both()) await until(async () => (await track(page)).startsWith("2 of 3"));
      await press(grace, "Pause");
      for (const page of both()) await until(async () => !(await playing(page)));
      await ada.getByRole("slider").press("End");
      for (const page of both())
        await until(async () => (await page.getByRole("slider").getAttribute("aria-valuetext")) === "0.0 s");
      await ada.getByRole("slider").press("PageDown");
      await says(grace, /moved the slider\. Confirmed/);
    });

    test("a press is shown without waiting, and confirmed when the server has answered", async () => {
      const { ada, grace } = tabs();
      const release = await hold(ada, "play");
      await press(ada, "Play");
      await until(() => playing(ada)); // shown in the next frame of the screen
      expect(await text(ada, ".pressed")).toBe("You pressed Play. Waiting for the server.");
      expect(await playing(grace)).toBe(false);
      await release();
      await says(ada, /Confirmed/);
      await until(() => playing(grace));
    });

    test("of two pages that press together one is refused, says why, and shows what the other one wanted", async () => {
      const { ada, grace } = tabs();
      const release = await hold(ada, "pause");
      await press(ada, "Pause");
      await press(grace, "Next");
      await until(async () => (await track(ada)).startsWith("3 of 3"));
      // The page's guess is gone: the music plays on.
      await until(() => playing(ada));
      await release();
      await says(ada, /^Grace was first\. Your Pause was for revision \d+, and the room is at \d+\.$/);
      expect(await shown(ada, "stale")).toBe(1);
      expect(await playing(grace)).toBe(true);
    });

    test("a page sends back nothing that comes from the server", async () => {
      const { ada, grace } = tabs();
      const commands = ["play", "pause", "next", "seek"];
      await ada.evaluate((commands) => {
        const send = WebSocket.prototype.send;
        const sent: string[] = [];
        Object.assign(window, { sent });
        WebSocket.prototype.send = function (data) {
          const { type } = JSON.parse(String(data));
          if (commands.includes(type)) sent.push(type);
          send.call(this, data);
        };
      }, commands);
      const before = await shown(ada, "revision");
      await press(grace, "Pause");
      await press(grace, "Play");
      await press(grace, "Next");
      await grace.getByRole("slider").press("PageUp");
      await until(async () => (await shown(ada, "revision")) >= before + 4);
      await press(ada, "Pause");
      await until(async () => !(await playing(grace)));
      expect(await ada.evaluate(() => (window as unknown as { sent: string[] }).sent)).toEqual(["pause"]);
      await ada.reload();
      await until(async () => (await ada.getByRole("status").textContent()) === "open");
    });

    test("after Join the sound follows the room, also muted, and two pages hear the same", async () => {
      const { ada, grace } = tabs();
      expect(await heardMs(ada)).toBeUndefined();
      await press(grace, "Play");
      await ada.getByLabel("Muted").check();
      for (const page of both()) await press(page, "Join");
      for (const page of both()) {
        await until(async () => (await heardMs(page)) !== undefined);
        await until(async () => Math.abs(await signed(page, "drift")) < 10);
      }
      // At one moment of the clock that both have. Again when a busy computer has let the sound stop.
      const position = (page: Page) =>
        page
          .locator(".jukebox")
          .evaluate(({ dataset }) => Number(dataset.heard) - (Number(dataset.at) % 9_600));
      await until(async () => Math.abs(driftOf(await position(ada), await position(grace), 9_600)) < 50);
    });

    test("a knocked needle is corrected: a little by the speed, a lot by a jump", async () => {
      const { ada } = tabs();
      await until(async () => Math.abs(await signed(ada, "drift")) < 5);
      await press(ada, "40 ms ahead");
      await until(async () => /^9[89]\.\d%$/.test(await text(ada, '[data-number="rate"]')));
      await until(async () => Math.abs(await signed(ada, "drift")) < 5);
      const jumps = await shown(ada, "jumps");
      await press(ada, "1 s ahead");
      await until(async () => (await shown(ada, "jumps")) >= jumps + 2);
      await until(async () => Math.abs(await signed(ada, "drift")) < 10);
    });

    test("a clock that is wrong makes no difference to a page that follows the server's clock", async () => {
      const { ada } = tabs();
      await ada.getByLabel("pretends to be 2 s fast").check();
      await until(async () => Math.abs((await signed(ada, "offset")) + 2_000) < 100);
      await until(async () => Math.abs(await signed(ada, "drift")) < 10);
      await ada.getByRole("radio", { name: "this computer's clock" }).check();
      await until(async () => Math.abs((await signed(ada, "drift")) - 2_000) < 100);
      await ada.getByLabel("the server's clock").check();
      await ada.getByLabel("is as it is").check();
      await until(async () => Math.abs(await signed(ada, "drift")) < 10);
    });

    test("where the reader wants no motion, the beat is a number and doesn't move", async () => {
      const { grace } = tabs();
      const scale = () => grace.locator(".beat").evaluate((beat) => getComputedStyle(beat).scale);
      await grace.emulateMedia({ reducedMotion: "no-preference" });
      await until(async () => Number(await scale()) < 0.98);
      await grace.emulateMedia({ reducedMotion: "reduce" });
      expect(await scale()).toBe("1");
    });

    test("a server that was restarted has forgotten the music, and the page says so", async () => {
      const { ada } = tabs();
      await server().kill();
      Object.assign(server(), await ports().startServer());
      const tryNow = ada.getByRole("button", { name: "Try now" });
      if (await tryNow.isEnabled()) await tryNow.click({ timeout: 1_000 }).catch(() => {});
      await says(ada, /^The server has restarted, and has forgotten what was playing\.$/);
      await until(async () => !(await playing(ada)));
      expect(await shown(ada, "revision")).toBe(0);
    });
  },
  { chat: false },
);
