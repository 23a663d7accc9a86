// Tests of lesson 3's page.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { everyPage, shows } from "../../shared/machinery/testing/every-page.ts";
import { say, shown, until } from "../../shared/machinery/testing/lesson.ts";

everyPage("03-chat", (ports, server, tabs) => {
  test("shows open and close with code 1000, and opens again", async () => {
    const { grace } = tabs();
    await grace.reload();
    await shows(grace, "open");
    await grace.getByRole("button", { name: "Close" }).click();
    await shows(grace, "close 1000, see you, clean");
    expect(await grace.getByRole("status").textContent()).toBe("closed (1000, see you)");
    await grace.getByRole("button", { name: "Open again" }).click();
    await until(async () => (await grace.getByRole("status").textContent()) === "open");
    await say(grace, "Grace", "I am back");
    await shows(grace, "I am back");
    expect(await shown(grace, "sent")).toBe(1);
    expect(await shown(grace, "received")).toBe(1);
  });

  test("reads messages aloud with the chosen voice, where the browser has voices", async () => {
    const page = await ports().openPage(giveVoices);
    await until(async () => (await page.getByRole("status").textContent()) === "open");
    await say(page, "Ada", "unheard");
    await shows(page, "unheard");
    await page.getByLabel("read messages aloud").check();
    await page.getByLabel("voice").selectOption("Bass");
    await say(page, "Ada", "heard");
    await shows(page, "heard");
    expect(await page.evaluate(() => (window as never as { spoken: unknown }).spoken)).toEqual([
      ["Ada: heard", "Bass"],
    ]);
    await page.close();
  });

  test.each([
    ["that shuts down causes a clean close with 1001", "end", "close 1001, server going away, clean"],
    ["that is killed causes an unclean close with 1006", "kill", "close 1006, unclean"],
  ] as const)("a server %s", async (_what, how, event) => {
    const { grace } = tabs();
    await grace.reload();
    await shows(grace, "open");
    await server()[how]();
    await shows(grace, event);
    Object.assign(server(), await ports().startServer());
  });
});

/** A headless browser has no voices. This page gets two, and records what it is asked to say. */
const giveVoices = (page: Page) =>
  page.addInitScript(() => {
    const spoken: [string, string | undefined][] = [];
    const voices = ["Alto", "Bass"].map((name) => ({ name, lang: "en", voiceURI: name }));
    Object.assign(window, { spoken });
    Object.defineProperty(window, "speechSynthesis", {
      value: Object.assign(new EventTarget(), {
        getVoices: () => voices,
        speak: ({ text, voice }: SpeechSynthesisUtterance) => spoken.push([text, voice?.name]),
      }),
    });
    window.SpeechSynthesisUtterance = class {
      text: string;
      voice = null;
      constructor(text: string) {
        this.text = text;
      }
    } as never;
  });
