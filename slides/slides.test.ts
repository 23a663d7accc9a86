// Promises of the slides in a real browser: every one fits, by day and by night, and the lessons run in their slides.
import axe from "axe-core";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { findDecks } from "../shared/machinery/slides/decks.ts";
import { browser } from "../shared/machinery/testing/browser.ts";
import { say, until } from "../shared/machinery/testing/lesson.ts";
import { freePort, type Running, runNode } from "../shared/machinery/testing/process.ts";

const slides = (await findDecks()).flatMap((deck) => deck.slides);
const ids = slides.map(({ id }) => id);
let command: Running;
let at: string;
let ports: { PORT: string; PAGE_PORT: string };
/** One page for all tests. */
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  ports = { PORT: String(await freePort()), PAGE_PORT: String(await freePort()) };
  at = `http://localhost:${ports.PAGE_PORT}/slides/`;
  command = runNode(["shared/machinery/start.cjs", "slides/slides", "3"], ports, []);
  await command.prints(/Open +http/);
  page = await (await browser()).newPage({
    viewport: { width: 1280, height: 800 },
    colorScheme: "light",
    reducedMotion: "reduce",
  });
  page.setDefaultTimeout(60_000);
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol !== "data:" && hostname !== "localhost") complaints.push(request.url());
  });
  await load();
});

/** Loads all slides. */
async function load(address = at) {
  // By way of an empty page: another hash alone would not load them again.
  await page.goto("about:blank");
  await page.goto(address);
  await page.locator("html[data-ready]").waitFor();
}

/** Shows one slide. */
async function show(id: string) {
  // Again until it is there: Reveal writes the address of the slide before some time later.
  await until(() =>
    page.evaluate((id) => {
      location.hash = `#/${id}`;
      return document.querySelector(`#${id}.present`) !== null;
    }, id),
  );
  await page.locator(`#${id}.present`).waitFor();
}

const frame = (nth: number) => page.frames().filter((one) => one.url().includes("/lessons/"))[nth];

const present = "section.present section.present";

/**
 * Shows, as Reveal does, the first and last slide of each deck and each slide on which something runs. The others differ
 * only in what is on them.
 */
const walk = async () => {
  for (const slide of document.querySelectorAll(".slides section section")) {
    if (!slide.matches(":first-child, :last-child, :has(.live, .join, .countdown)")) continue;
    location.hash = `#/${slide.id}`;
    while (!slide.matches(".present .present")) await new Promise((resolve) => setTimeout(resolve, 2));
  }
};

/** Lays out all slides. Reveal hides all but one. In the same place, each has the same size as alone. */
const layOutAll = () => {
  for (const section of document.querySelectorAll<HTMLElement>(".slides section"))
    section.style.display = "block";
};

/** Measures each slide with all its steps, and returns what reaches beyond its edge or into the line of the folio. */
const findOverflow = () => {
  const found: string[] = [];
  const measured: string[] = [];
  for (const slide of document.querySelectorAll<HTMLElement>(".slides .slide")) {
    const { id = "" } = slide.closest("section") ?? {};
    for (const fragment of slide.querySelectorAll(".fragment")) fragment.classList.add("visible");
    measured.push(id);
    const edge = slide.getBoundingClientRect();
    const scale = edge.width / 1280;
    if (scale === 0 || edge.width > innerWidth + 1 || edge.height > innerHeight + 1)
      found.push(`${id} has no size, or is larger than the window`);
    if (slide.scrollHeight > slide.clientHeight || slide.scrollWidth > slide.clientWidth)
      found.push(`${id} overflows`);
    for (const element of slide.querySelectorAll("*")) {
      const { left, right, bottom, width } = element.getBoundingClientRect();
      const beyond = left < edge.left - 1 || right > edge.right + 1 || bottom > edge.bottom - 34 * scale;
      if (width > 0 && beyond) found.push(`${id}: <${element.tagName}> ${element.textContent?.slice(0, 40)}`);
    }
    for (const code of slide.querySelectorAll("pre code"))
      if (code.scrollWidth > code.clientWidth) found.push(`${id}: a line of code is too long`);
    for (const code of slide.querySelectorAll("pre"))
      if (Number.parseFloat(getComputedStyle(code).fontSize) < 18)
        found.push(`${id}: code too small to read`);
  }
  return { found, measured };
};

describe("the keys", () => {
  test("go through all slides and all steps, deck after deck", async () => {
    await show("opening-the-log-and-the-cursor");
    const steps = await page.locator(`${present} .fragment`).count();
    await expect.poll(() => page.locator(`${present} .fragment.visible`).count()).toBe(0);
    for (let step = 1; step < 6; step++) await page.keyboard.press("ArrowRight");
    await expect.poll(() => page.locator(`${present} .fragment.visible`).count()).toBe(5);
    expect(steps).toBe(6);
    for (let step = 0; step < 3; step++) await page.keyboard.press("PageDown");
    await page.locator("#polling.present").waitFor();
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => new URL(page.url()).hash).toMatch(/^#\/opening/);
  });

  test("nothing moves for those who asked for less motion", async () => {
    await show("polling-a-question-each-second");
    await page.keyboard.press("ArrowRight");
    await page.locator(`${present} .fragment.visible`).waitFor();
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  });

  test("point out lines of code one after the other", async () => {
    await show("polling-the-server-in-one-route");
    const lines = () => page.locator(`${present} .line.here`).allTextContents();
    expect(await lines()).toEqual([]);
    await page.keyboard.press("ArrowRight");
    await expect.poll(async () => (await lines()).join()).toContain("log.after");
    await page.keyboard.press("ArrowRight");
    await expect.poll(async () => (await lines()).join()).toContain("sendJson");
  });

  test("open a menu that leads to each deck", async () => {
    await page.keyboard.press("m");
    await page.getByRole("dialog").getByRole("link", { name: "Heartbeat" }).press("Enter");
    await page.locator("#heartbeat-reconnect.present").waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);
  });

  test("switch between light and dark", async () => {
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const day = await paper();
    await page.keyboard.press("d");
    expect(await paper()).not.toBe(day);
    await page.keyboard.press("d");
    expect(await paper()).toBe(day);
    // From now on it is again as the system has it.
    await page.evaluate(() => sessionStorage.clear());
  });
});

describe("every slide on a screen", () => {
  test("fits, asks no other host for anything, and logs no error when it is shown", async () => {
    await page.evaluate(walk);
    await page.evaluate(layOutAll);
    const { found, measured } = await page.evaluate(findOverflow);
    expect(measured).toEqual(ids);
    expect(found).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test("fits on a large one in the dark, too", async () => {
    await page.setViewportSize({ width: 1920, height: 1080 });
    await page.emulateMedia({ colorScheme: "dark" });
    await expect.poll(async () => (await page.locator(`${present} .slide`).boundingBox())?.width).toBe(1920);
    const { found, measured } = await page.evaluate(findOverflow);
    expect(measured).toEqual(ids);
    expect(found).toEqual([]);
  });
});

describe("the lesson in its slide", () => {
  test("runs twice, side by side, and the two talk; Escape gives the keys back to the slides", async () => {
    await show("chat-live");
    await until(() => frame(1));
    const [left, right] = [frame(0), frame(1)] as unknown as [Page, Page];
    for (const side of [left, right])
      await side
        .getByRole("status")
        .filter({ hasText: /^open$/ })
        .waitFor();
    const overflows = await page
      .locator("#chat-live .slide")
      .evaluate(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight);
    expect(overflows).toBe(false);
    expect(await left.getByLabel("Name").inputValue()).toBe("Ada");
    expect(await right.getByLabel("Name").inputValue()).toBe("Grace");
    await say(left, "Ada", "Is anybody there?");
    await right.getByRole("log").getByText("Is anybody there?").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("ArrowRight");
    await page.locator("#chat-how-it-ends.present").waitFor();
    // Within its deck the lesson goes on; outside it ends.
    expect(frame(1)).toBeDefined();
    await show("closing");
    await until(() => !frame(0));
  });

  test("shows all that its hint and its notes name, and its states and numbers can be read from the last row", async () => {
    const lives = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>(".live")].map((live) => {
        const bold = [...live.querySelectorAll(".hint strong")].map(({ textContent }) => textContent);
        const notes = live.closest("section")?.querySelector(".notes")?.textContent ?? "";
        const quoted = [...notes.matchAll(/"(.+?)"/g)].map(([, words]) => words);
        return { lesson: live.dataset.lesson, named: [...bold, ...quoted] };
      }),
    );
    const tab = await (await browser()).newPage({
      viewport: { width: 600, height: 490 },
      reducedMotion: "reduce",
    });
    const hidden: string[] = [];
    const small: string[] = [];
    let found = 0;
    for (const { lesson, named } of lives) {
      await tab.goto(`${new URL(at).origin}/lessons/${lesson}/`);
      await tab.addStyleTag({ url: "/slides/frame.css" });
      const parts = await tab.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>("main :is(button, label, dt, a)")].map((part) => ({
          words: part.textContent?.trim(),
          isShown: part.checkVisibility() && part.getClientRects().length > 0,
        })),
      );
      for (const { words, isShown } of parts.filter(({ words }) => named.includes(words ?? ""))) {
        found++;
        if (!isShown) hidden.push(`${lesson}: ${words}`);
      }
      // Full HD enlarges the slide's 1280 pixels by half: 20 of them are 30 there.
      const tooSmall = await tab.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>("main :is(.status, .state, .place, dd, output, td)")]
          .filter((one) => one.checkVisibility() && Number.parseFloat(getComputedStyle(one).fontSize) < 20)
          .map((one) => one.outerHTML),
      );
      small.push(...tooSmall.map((one) => `${lesson}: ${one}`));
    }
    await tab.close();
    expect(hidden).toEqual([]);
    expect(small).toEqual([]);
    expect(found).toBeGreaterThan(25);
  });

  test("whose server is not running says so and how to start it, and comes when it is started there", async () => {
    await show("broadcast-live");
    await page.locator(present).getByText("In the terminal of the slides, type 4 and press Enter.").waitFor();
    await page.locator(present).getByText("npm run slides 4").waitFor();
    command.child.stdin?.write("4\n");
    const here = () => frame(1)?.evaluate(() => document.querySelector('[data-number="here"]')?.textContent);
    await until(async () => (await here()?.catch(() => "")) === "2", 40_000);
  });

  test("has one drawer below both, which works after a change of lesson, and leaves the keys to the slides", async () => {
    // Larger than the slide's own 1280 × 720: Reveal enlarges it.
    await page.setViewportSize({ width: 1920, height: 1080 });
    const drawers = page.locator("wire-panel:visible");
    expect(await drawers.count()).toBe(1);
    const [drawer, frames] = [drawers, page.locator(`${present} .frames`)].map((one) => one.boundingBox());
    const { y = 0, height = 0 } = (await frames) ?? {};
    expect((await drawer)?.y).toBeGreaterThanOrEqual(y + height);
    await drawers.getByRole("button", { name: "The cable" }).click();
    await drawers.getByText(/^cable open; 2 connections open/).waitFor();
    // All that can be pressed or chosen is in sight, without scrolling.
    const hidden = await drawers.locator(".wire-steer").evaluate((controls) => {
      const { bottom } = (controls.parentElement as HTMLElement).getBoundingClientRect();
      return [...controls.querySelectorAll("button, select")].filter(
        (one) => one.getBoundingClientRect().bottom > bottom,
      ).length;
    });
    expect(hidden).toBe(0);
    for (const nth of [0, 1]) expect(await frame(nth)?.locator("wire-panel").isVisible()).toBe(false);
    await page.keyboard.press("Escape");
    await page.keyboard.press("ArrowLeft");
    await page.locator("#broadcast-everybody-join.present").waitFor();
  });
});

describe("every slide on paper", () => {
  test("is on one page with its notes for the speaker, and the live slides are pictures", async () => {
    await load(`${at}?view=print&showNotes=true`);
    await expect.poll(() => page.locator(".pdf-page > .speaker-notes-pdf").count()).toBe(slides.length);
    const found = await page.evaluate(async () => {
      const found: string[] = [];
      for (const paper of document.querySelectorAll<HTMLElement>(".pdf-page")) {
        const slide = paper.querySelector(".slide");
        const notes = paper.querySelector(".speaker-notes-pdf");
        const id = slide?.closest("section")?.id;
        if (!slide || !notes) return [`${id} has no notes`];
        const [whole, upper, lower] = [paper, slide, notes].map((one) => one.getBoundingClientRect());
        if (!whole || !upper || !lower) continue;
        if (upper.bottom > lower.top + 1 || lower.bottom > whole.bottom + 1) found.push(`${id}: overlaps`);
        if (lower.width < whole.width - 1) found.push(`${id}: narrow`);
        if (notes.scrollHeight > notes.clientHeight) found.push(`${id}: notes are cut off`);
      }
      for (const picture of document.querySelectorAll<HTMLImageElement>(".live img")) {
        await picture.decode();
        if (picture.clientWidth < 900) found.push(`${picture.src} is small`);
      }
      return found;
    });
    expect(found).toEqual([]);
    const lives = slides.filter(({ html }) => html.includes('class="live"'));
    // A live slide without one says so in words: node shared/machinery/start.cjs slides/posters 3
    expect(await page.locator(".live img").count()).toBeGreaterThanOrEqual(lives.length - 2);
  });

  test("has a page of its own, and fits there", async () => {
    await load(`${at}?view=print`);
    const { found, measured } = await page.evaluate(findOverflow);
    expect(measured).toEqual(ids);
    expect(found).toEqual([]);
    const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
    expect(pdf.match(/\/Type\s*\/Page\b/g)).toHaveLength(slides.length);
  });

  // On paper all slides are laid out, one below the other. In the dark only the colors are others.
  test.each([
    ["light", []],
    ["dark", ["color-contrast"]],
  ])("can be read by everybody: axe-core finds no fault, %s", async (scheme, only) => {
    await page.evaluate((colorScheme) => {
      document.documentElement.style.colorScheme = colorScheme;
      // Reveal gives these pages the color that the paper had.
      for (const paper of document.querySelectorAll<HTMLElement>(".pdf-page"))
        paper.style.background = "var(--paper)";
    }, scheme);
    await page.evaluate(axe.source);
    const faults = await page.evaluate(async (only) => {
      const { run } = (globalThis as unknown as { axe: typeof axe }).axe;
      const rules = only.length > 0 ? { runOnly: only } : {};
      const { violations } = await run({ include: [[".slide"]] }, { resultTypes: ["violations"], ...rules });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
    }, only);
    expect(faults).toEqual([]);
  });
});

describe("in the speaker's view", () => {
  // Two addresses in one, since loading all slides takes longest.
  beforeAll(() => load(`${at}?receiver&course=91#/broadcast-live`));

  test("the lesson is named, and does not run a third and fourth time", async () => {
    await page.locator(present).getByAltText("The lesson itself runs here").waitFor();
    expect(frame(0)).toBeUndefined();
  });

  test("with a course that there isn't, every slide is shown", async () => {
    expect(await page.locator(".slides section section").count()).toBe(slides.length);
  });
});

describe("npm run slides", () => {
  test("answers a number that is no lesson's with the list", async () => {
    const run = runNode(["shared/machinery/start.cjs", "slides/slides", "99"], ports, []);
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(/^No lesson 99\. The lessons are:/);
  });

  test("a second one says immediately that they are open, and starts nothing", async () => {
    for (const args of [[], ["3"], ["4"]]) {
      const second = runNode(["shared/machinery/start.cjs", "slides/slides", ...args], ports, []);
      expect(await second.ended).toBe(1);
      expect(second.output()).toMatch(
        /^The slides are open already: http:\/\/localhost:\d+\/slides\/ \(lesson 0\d-[a-z-]+\)\n.*\n.*\n$/,
      );
    }
  });

  test("ends with all that it started, and frees the ports", async () => {
    command.child.kill("SIGTERM");
    await command.ended;
    await until(async () => !(await fetch(at).catch(() => undefined)));
    await until(async () => !(await fetch(`http://localhost:${ports.PORT}`).catch(() => undefined)));
  });
});
