// What every lesson's page promises: two tabs talk, text is text, no typed text is lost, and everybody can use the page.
import axe from "axe-core";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { type LessonServer, lessonPorts, say, until } from "./lesson.ts";

type Ports = Awaited<ReturnType<typeof lessonPorts>>;
type Tabs = { ada: Page; grace: Page };

/**
 * Promises of every page, and those that `more` adds about this one. Opening a tab is what costs most in these tests:
 * `more` may use the two that are open. It may stop and start the server, and leaves one running. A page without a chat
 * tests by itself that its two tabs talk, and that text from outside is shown as text. `env`: variables for the first
 * server.
 */
export function everyPage(
  lesson: string,
  more: (lesson: () => Ports, server: () => LessonServer, tabs: () => Tabs) => void = () => {},
  { chat = true, env = {} }: { chat?: boolean; env?: Record<string, string> } = {},
) {
  describe(`the page of ${lesson}`, () => {
    let ports: Ports;
    let server: LessonServer;
    let ada: Page;
    let grace: Page;
    const complaints: string[] = [];
    beforeAll(async () => {
      ports = await lessonPorts(lesson);
      server = await ports.startServer(env);
      ada = await ports.openPage(async (page) => {
        await still(page);
        page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
        page.on("pageerror", (error) => complaints.push(error.message));
        page.on("request", (request) => {
          if (new URL(request.url()).hostname !== "localhost") complaints.push(request.url());
        });
      });
      grace = await ports.openPage(still);
      for (const page of [ada, grace]) await connected(page);
    });

    const isBack = () =>
      until(
        async () => /^(open|polling|waiting)/.test((await ada.getByRole("status").textContent()) ?? ""),
        30_000,
      );

    describe("in two tabs", () => {
      if (chat) {
        test("lets the two talk", async () => {
          await say(ada, "Ada", "Is anybody there?");
          await shows(grace, "Is anybody there?");
          await say(grace, "Grace", "I am.");
          await shows(ada, "I am.");
          expect(await ada.getByLabel("Message", { exact: true }).inputValue()).toBe("");
        });

        test("shows HTML and script as the text they are", async () => {
          const text = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
          await say(ada, "<b>Ada</b>", text);
          await shows(ada, text);
          expect(await ada.getByRole("log").locator("img, script, b").count()).toBe(0);
          expect(await ada.title()).not.toBe("1");
        });
      }

      test("asks no other machine for anything, and logs no error", () => {
        expect(complaints).toEqual([]);
      });

      // After the test above: where messages are requests, the browser logs the refusal as an error.
      if (chat)
        test("says what is wrong with a blank message", async () => {
          await say(ada, "Ada", " ");
          await until(async () => /blank/.test((await ada.getByRole("alert").textContent()) ?? ""));
        });

      test("leads to the lesson before, the one after, and its README", async () => {
        const links = grace.getByRole("navigation").getByRole("link");
        const hrefs = await links.evaluateAll((all) => all.map((a) => (a as HTMLAnchorElement).href));
        expect(hrefs.length).toBeGreaterThanOrEqual(3);
        for (const href of hrefs) expect((await fetch(href)).status, href).toBe(200);
      });

      test("is found without fault by axe-core, wide, narrow and in the dark, and never scrolls sideways", async () => {
        for (const [colorScheme, width] of [
          ["dark", 390],
          ["light", 1280],
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
      () => ({ ada, grace }),
    );

    test("says within a second that the server was killed, keeps what was typed, and goes on when it is back", async () => {
      await ada.reload();
      await connected(ada);
      await server.kill();
      expect(await saysSo(ada, ports.serverPort)).toBe(true);
      if (!chat) {
        server = await ports.startServer();
        return isBack();
      }
      await say(ada, "Ada", "typed meanwhile");
      const box = ada.getByLabel("Message", { exact: true });
      const waiting = ada.getByRole("log").getByText("waiting", { exact: true });
      // Either it stays in its box, or it waits in the list: from lesson 6 on the page sends it by itself.
      await until(
        async () =>
          (await waiting.count()) === 1 ||
          (/Not sent/.test((await ada.getByRole("alert").textContent()) ?? "") &&
            (await box.inputValue()) === "typed meanwhile"),
      );
      server = await ports.startServer();
      // Lessons 3 and 4 do not come back by themselves: that is where lesson 5 begins.
      const again = ada.getByRole("button", { name: "Open again" });
      if (await again.isVisible()) await again.click();
      await isBack();
      if ((await box.inputValue()) !== "") await box.press("Enter");
      await until(async () => (await waiting.count()) === 0);
      await shows(ada, "typed meanwhile");
    });
  });
}

/**
 * Whether the status of the page tells of a lost connection within 1.5 s, by the page's own clock. A busy computer gets
 * longer: as long as a request of this page needs to fail.
 */
export const saysSo = (page: Page, serverPort: number) =>
  page.evaluate(
    (port) =>
      new Promise<boolean>((resolve) => {
        const status = document.querySelector("[role=status]") as HTMLElement;
        const look = () => /reconnecting|closed/.test(status.textContent ?? "") && resolve(true);
        new MutationObserver(look).observe(status, { childList: true, characterData: true, subtree: true });
        look();
        const request = () => fetch(`http://localhost:${port}/lesson`).catch(() => {});
        setTimeout(() => request().then(() => resolve(false)), 1_500);
      }),
    serverPort,
  );

/** Nothing moves in a page that isn't tested for it: pictures cost more than all the rest. */
const still = (page: Page) => page.emulateMedia({ reducedMotion: "reduce" });

const connected = (page: Page) =>
  until(async () => (await page.getByRole("status").textContent()) !== "connecting");

/** Resolves when `text` is in the page's log. */
export async function shows(page: Page, text: string): Promise<void> {
  await page.getByRole("log").getByText(text, { exact: true }).first().waitFor();
}

/** What axe-core finds on the page, in words; nothing, when all is well. */
export async function faults(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    const { violations } = await axe.run({ resultTypes: ["violations"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
}
