// Promises of the slides in a real browser: every one fits, by day and by night, and the lessons live in theirs.
import axe from "axe-core";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { findDecks } from "../shared/machinery/slides/decks.ts";
import { browser } from "../shared/machinery/testing/browser.ts";
import { say, until } from "../shared/machinery/testing/lesson.ts";
import { freePort, type Running, runNode } from "../shared/machinery/testing/process.ts";

const slides = (await findDecks()).flatMap((deck) => deck.slides);
let command: Running;
let at: string;
let ports: { PORT: string; PAGE_PORT: string };

beforeAll(async () => {
  ports = { PORT: String(await freePort()), PAGE_PORT: String(await freePort()) };
  at = `http://localhost:${ports.PAGE_PORT}/slides/`;
  command = runNode(["shared/machinery/start.cjs", "slides/slides", "3"], ports, []);
  await command.prints(/Open +http/);
});

async function open(id = "", options: Parameters<Awaited<ReturnType<typeof browser>>["newPage"]>[0] = {}) {
  const page = await (await browser()).newPage({ viewport: { width: 1280, height: 720 }, ...options });
  page.setDefaultTimeout(10_000);
  await page.goto(`${at}${id && `#/${id}`}`);
  await page.locator("html[data-ready]").waitFor();
  return page;
}

const present = "section.present section.present";

/** Shows each slide with all its steps, and tells what reaches beyond its edge or into the line of the folio. */
const findOverflow = () =>
  (async () => {
    const found: string[] = [];
    const shown: string[] = [];
    for (const { id } of document.querySelectorAll(".slides section section")) {
      location.hash = `#/${id}`;
      const slide = document.querySelector(`#${id} .slide`) as HTMLElement;
      while (!slide.closest("section.present")?.parentElement?.matches(".present"))
        await new Promise((resolve) => setTimeout(resolve, 2));
      for (const fragment of slide.querySelectorAll(".fragment")) fragment.classList.add("visible");
      shown.push(id);
      const edge = slide.getBoundingClientRect();
      const scale = edge.width / 1280;
      if (edge.width > innerWidth + 1 || edge.height > innerHeight + 1)
        found.push(`${id} is larger than the window`);
      if (slide.scrollHeight > slide.clientHeight || slide.scrollWidth > slide.clientWidth)
        found.push(`${id} overflows`);
      for (const element of slide.querySelectorAll("*")) {
        const { left, right, bottom, width } = element.getBoundingClientRect();
        const beyond = left < edge.left - 1 || right > edge.right + 1 || bottom > edge.bottom - 34 * scale;
        if (width > 0 && beyond)
          found.push(`${id}: <${element.tagName}> ${element.textContent?.slice(0, 40)}`);
      }
      for (const code of slide.querySelectorAll("pre code"))
        if (code.scrollWidth > code.clientWidth) found.push(`${id}: a line of code is too long`);
      for (const code of slide.querySelectorAll("pre"))
        if (Number.parseFloat(getComputedStyle(code).fontSize) < 18)
          found.push(`${id}: code too small to read`);
    }
    return { found, shown };
  })();

describe("every slide", () => {
  test.each<[number, number, "light" | "dark"]>([
    [1280, 720, "light"],
    [1920, 1080, "dark"],
  ])(
    "at %i × %i, %s, fits, asks no other host for anything, and has nothing to complain of",
    async (width, height, colorScheme) => {
      const page = await open("", { viewport: { width, height }, colorScheme, reducedMotion: "reduce" });
      const complaints: string[] = [];
      page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("request", (request) => {
        const { hostname, protocol } = new URL(request.url());
        if (protocol !== "data:" && hostname !== "localhost") complaints.push(request.url());
      });
      await page.reload();
      await page.locator("html[data-ready]").waitFor();
      const { found, shown } = await page.evaluate(findOverflow);
      expect(shown).toEqual(slides.map(({ id }) => id));
      expect(found).toEqual([]);
      expect(complaints).toEqual([]);
      await page.close();
    },
  );

  test.each(["light", "dark"] as const)(
    "can be read by everybody: axe-core finds no fault, %s",
    async (colorScheme) => {
      const page = await open("", { colorScheme, reducedMotion: "reduce" });
      await page.evaluate(axe.source);
      const kinds = [
        "opening",
        "opening-four-ways-to-be-told",
        "polling-what-breaks",
        "long-polling-the-gap",
      ];
      kinds.push(
        "chat-the-server",
        "chat-how-it-ends",
        "heartbeat-reconnect-live",
        "heartbeat-reconnect-the-heartbeat",
      );
      for (const id of kinds) {
        await page.evaluate((hash) => {
          location.hash = hash;
        }, `#/${id}`);
        await page.locator(`#${id}.present`).waitFor();
        const faults = await page.evaluate(async () => {
          const run = (globalThis as unknown as { axe: typeof axe }).axe.run;
          const { violations } = await run(
            document.querySelector("section.present section.present .slide") as Element,
          );
          return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
        });
        expect(faults, id).toEqual([]);
      }
      await page.close();
    },
  );
});

describe("the keys", () => {
  test("go through all slides and all steps, deck after deck", async () => {
    const page = await open("opening-the-log-and-the-cursor");
    const steps = await page.locator(`${present} .fragment`).count();
    await expect.poll(() => page.locator(`${present} .fragment.visible`).count()).toBe(0);
    for (let step = 1; step < 7; step++) await page.keyboard.press("ArrowRight");
    await expect.poll(() => page.locator(`${present} .fragment.visible`).count()).toBe(6);
    expect(steps).toBe(7);
    for (let step = 0; step < 3; step++) await page.keyboard.press("PageDown");
    await page.locator("#polling.present").waitFor();
    await page.keyboard.press("ArrowLeft");
    await page.locator("#opening > .slide, .present.present").first().waitFor();
    expect(new URL(page.url()).hash).toMatch(/^#\/opening/);
    await page.close();
  });

  test("point out lines of code one after the other", async () => {
    const page = await open("polling-the-server-in-one-route");
    const lines = () => page.locator(`${present} .line.here`).allTextContents();
    expect(await lines()).toEqual([]);
    await page.keyboard.press("ArrowRight");
    await expect.poll(async () => (await lines()).join()).toContain("log.after");
    await page.keyboard.press("ArrowRight");
    await expect.poll(async () => (await lines()).join()).toContain("sendJson");
    await page.close();
  });

  test("open a menu that leads to each deck", async () => {
    const page = await open();
    await page.keyboard.press("m");
    await page.getByRole("dialog").getByRole("link", { name: "Heartbeat" }).press("Enter");
    await page.locator("#heartbeat-reconnect.present").waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);
    await page.close();
  });

  test("turn day into night", async () => {
    const page = await open("", { colorScheme: "light" });
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const day = await paper();
    await page.keyboard.press("d");
    expect(await paper()).not.toBe(day);
    await page.close();
  });

  test("nothing moves for those who asked for less motion", async () => {
    const page = await open("polling-a-question-each-second", { reducedMotion: "reduce" });
    await page.keyboard.press("ArrowRight");
    await page.locator(`${present} .fragment.visible`).waitFor();
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
    await page.close();
  });
});

describe("the lesson in its slide", () => {
  const frame = (page: Page, nth: number) =>
    page.frames().filter((one) => one.url().includes("/lessons/"))[nth];

  test("runs twice, side by side, and the two talk; Escape gives the keys back to the slides", async () => {
    const page = await open("chat-live");
    await until(() => frame(page, 1));
    const [left, right] = [frame(page, 0), frame(page, 1)];
    await until(async () => (await left?.getByRole("status").textContent()) === "open");
    await until(async () => (await right?.getByRole("status").textContent()) === "open");
    expect(await left?.getByLabel("Name").inputValue()).toBe("Ada");
    expect(await right?.getByLabel("Name").inputValue()).toBe("Grace");
    await say(left as unknown as Page, "Ada", "Is anybody there?");
    await right?.getByRole("log").getByText("Is anybody there?").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("ArrowRight");
    await page.locator("#chat-how-it-ends.present").waitFor();
    // Within its deck the lesson goes on; outside it ends.
    expect(frame(page, 1)).toBeDefined();
    await page.evaluate(() => {
      location.hash = "#/closing";
    });
    await until(() => !frame(page, 0));
    await page.close();
  });

  test("in the speaker's view is named, and does not run a third and fourth time", async () => {
    const page = await (await browser()).newPage();
    await page.goto(`${at}?receiver#/chat-live`);
    await page.locator(present).getByText("Here the lesson itself runs").waitFor();
    expect(frame(page, 0)).toBeUndefined();
    await page.close();
  });

  test("whose server is not running says so and how to start it, and comes when it is started there", async () => {
    const page = await open("broadcast-live");
    await page.locator(present).getByText("In the terminal of the slides, type 4 and press Enter.").waitFor();
    await page.locator(present).getByText("npm run slides 4").waitFor();
    command.child.stdin?.write("4\n");
    const here = () =>
      frame(page, 1)?.evaluate(() => document.querySelector('[data-number="here"]')?.textContent);
    await until(async () => (await here()?.catch(() => "")) === "2", 40_000);
    await page.close();
  }, 60_000);
});

describe("npm run slides", () => {
  test("answers a number that is no lesson's with the list", async () => {
    const run = runNode(["shared/machinery/start.cjs", "slides/slides", "99"], ports, []);
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(/^No lesson 99\. There is:/);
  });

  test("ends with all that it started, and frees the ports", async () => {
    command.child.kill("SIGTERM");
    await command.ended;
    await until(async () => !(await fetch(at).catch(() => undefined)));
    await until(async () => !(await fetch(`http://localhost:${ports.PORT}`).catch(() => undefined)));
  });
});
