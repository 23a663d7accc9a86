// What every lesson's page promises: two tabs talk, text is text, nothing is lost that was typed, everybody can use it.
import axe from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browser } from "./browser.ts";
import { type LessonServer, lessonPorts, say, until } from "./lesson.ts";

type Ports = Awaited<ReturnType<typeof lessonPorts>>;

/** Promises of every page, and whatever `more` adds about this one. */
export function everyPage(
  lesson: string,
  more: (lesson: () => Ports, server: () => LessonServer) => void = () => {},
) {
  describe(`the page of ${lesson}`, () => {
    let ports: Ports;
    let server: LessonServer;
    beforeAll(async () => {
      ports = await lessonPorts(lesson);
      server = await ports.startServer();
    });

    describe("in two tabs", () => {
      let ada: Page;
      let grace: Page;
      const complaints: string[] = [];
      beforeAll(async () => {
        ada = await (await browser()).newPage();
        ada.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
        ada.on("pageerror", (error) => complaints.push(error.message));
        ada.on("request", (request) => {
          if (new URL(request.url()).hostname !== "localhost") complaints.push(request.url());
        });
        await ada.goto(ports.url);
        await connected(ada);
        grace = await open(ports);
      });
      afterAll(() => Promise.all([ada.close(), grace.close()]));

      test("lets the two talk, asks no other machine for anything, and has nothing to complain of", async () => {
        await say(ada, "Ada", "Is anybody there?");
        await hears(grace, "Is anybody there?");
        await say(grace, "Grace", "I am.");
        await hears(ada, "I am.");
        expect(await ada.getByLabel("Message", { exact: true }).inputValue()).toBe("");
        expect(complaints).toEqual([]);
      });

      test("shows HTML and script as the text they are", async () => {
        const text = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
        await say(ada, "<b>Ada</b>", text);
        await hears(ada, text);
        expect(await ada.getByRole("log").locator("img, script, b").count()).toBe(0);
        expect(await ada.title()).not.toBe("1");
      });

      test("says what is wrong with a blank message", async () => {
        await say(ada, "Ada", " ");
        await until(async () => /blank/.test((await ada.getByRole("alert").textContent()) ?? ""));
      });

      test("leads to the lesson before, the one after, and its README", async () => {
        const links = await grace.getByRole("navigation").getByRole("link").all();
        expect(links.length).toBeGreaterThanOrEqual(3);
        for (const link of links) {
          const href = await link.evaluate((a) => (a as HTMLAnchorElement).href);
          expect((await fetch(href)).status, href).toBe(200);
        }
      });

      test("is found without fault by axe-core, wide, narrow and in the dark, and never scrolls sideways", async () => {
        for (const [colorScheme, width] of [
          ["light", 1280],
          ["light", 390],
          ["dark", 1280],
        ] as const) {
          await grace.emulateMedia({ colorScheme });
          await grace.setViewportSize({ width, height: 900 });
          expect(await faults(grace), `${colorScheme}, ${width} px`).toEqual([]);
          expect(
            await grace.evaluate(() => document.documentElement.scrollWidth - innerWidth),
          ).toBeLessThanOrEqual(0);
        }
      });
    });

    more(
      () => ports,
      () => server,
    );

    test("keeps what was typed when the server is killed, says so within a second, and goes on when it is back", async () => {
      const page = await open(ports);
      await server.kill();
      await until(
        async () => /reconnecting|closed/.test((await page.getByRole("status").textContent()) ?? ""),
        1_500,
      );
      await say(page, "Ada", "typed meanwhile");
      const box = page.getByLabel("Message", { exact: true });
      const waiting = page.getByRole("log").getByText("waiting", { exact: true });
      // Either it stays in its box, or it waits in the list: from lesson 6 on the page sends it by itself.
      await until(
        async () =>
          (await waiting.count()) === 1 ||
          (/Not sent/.test((await page.getByRole("alert").textContent()) ?? "") &&
            (await box.inputValue()) === "typed meanwhile"),
      );
      server = await ports.startServer();
      // Lessons 3 and 4 do not come back by themselves: that is where lesson 5 begins.
      const again = page.getByRole("button", { name: "Open again" });
      if (await again.isVisible()) await again.click();
      await until(
        async () => /^(open|polling|waiting)/.test((await page.getByRole("status").textContent()) ?? ""),
        20_000,
      );
      if ((await box.inputValue()) !== "") await box.press("Enter");
      await until(async () => (await waiting.count()) === 0);
      await hears(page, "typed meanwhile");
      await page.close();
    }, 40_000);
  });
}

async function open(ports: Ports): Promise<Page> {
  const page = await ports.openPage();
  await connected(page);
  return page;
}

const connected = (page: Page) =>
  until(async () => (await page.getByRole("status").textContent()) !== "connecting");

/** Resolves when `text` stands in the page's log. */
export async function hears(page: Page, text: string): Promise<void> {
  await page.getByRole("log").getByText(text, { exact: true }).first().waitFor();
}

/** What axe-core finds on the page, in words; nothing, when all is well. */
export async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<import("axe-core").AxeResults> } }).axe.run(),
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}
