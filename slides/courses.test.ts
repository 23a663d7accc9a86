// Promises of the courses: slides/?course=90 shows one course, in order, with its minutes. The handout has two pages.
// That a course that there isn't shows every slide is tested in slides.test.ts.
import type { Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { findDecks } from "../shared/machinery/slides/decks.ts";
import { browser } from "../shared/machinery/testing/browser.ts";
import { lessonPorts } from "../shared/machinery/testing/lesson.ts";

const slides = (await findDecks()).flatMap((deck) => deck.slides);
let at: string;
/** The course of 90 minutes, for several tests: loading all slides takes longest. */
let page: Page;

beforeAll(async () => {
  const { pagePort } = await lessonPorts("01-polling"); // any lesson's pages server shows the slides, too
  at = `http://localhost:${pagePort}/slides/`;
  page = await open("?course=90");
});

async function open(search: string) {
  const page = await (await browser()).newPage({
    viewport: { width: 1280, height: 720 },
    reducedMotion: "reduce",
  });
  page.setDefaultTimeout(60_000);
  await page.goto(at + search);
  await page.locator("html[data-ready]").waitFor();
  return page;
}

test("a course shows its own slides in order, and the speaker's view gets their seconds", async () => {
  const shown = await page
    .locator(".slides section section")
    .evaluateAll((sections) =>
      sections.map((section) => [section.id, Number(section.getAttribute("data-timing"))]),
    );
  expect(shown).toEqual(slides.flatMap(({ id, minutes }) => (minutes[90] ? [[id, 60 * minutes[90]]] : [])));
  expect(shown.reduce((sum, [, seconds]) => sum + Number(seconds), 0)).toBe(90 * 60);
  expect(await page.locator(".plan:visible ol:visible").count()).toBeLessThanOrEqual(1);
});

test("two days have the later lessons, too", async () => {
  const twoDays = await open("?course=two-days");
  expect(await twoDays.locator("#shared-cursors-live").getAttribute("data-timing")).toBe("360");
  await twoDays.close();
});

test("the clock of a Now-you slide counts down once it is started, and can be stopped", async () => {
  await page.evaluate(() => {
    location.hash = "#/chat-now-you-whispers";
  });
  const slide = page.locator("#chat-now-you-whispers.present");
  await slide.getByRole("timer").getByText("18:00", { exact: true }).waitFor();
  await slide.getByRole("button", { name: "Start" }).click();
  await slide.getByText(/17:5\d/).waitFor();
  await slide.getByRole("button", { name: "Stop" }).click();
  await slide.getByRole("button", { name: "Start" }).waitFor();
});

test("the speaker's window shows all notes of each slide without scrolling, beside clock and pace", async () => {
  const [view] = await Promise.all([page.waitForEvent("popup"), page.keyboard.press("s")]);
  // As large as reveal.js opens it.
  await view.setViewportSize({ width: 1100, height: 700 });
  await view.locator(".pacing").filter({ visible: true }).waitFor();
  await view.locator(".speaker-controls-notes").getByText("Say.").waitFor();
  const cut = await view.evaluate(
    (slides) =>
      slides.filter(({ notes }) => {
        const [value, controls] = [".value", "#speaker-controls"].map((name) => document.querySelector(name));
        if (!value || !controls) return true;
        value.innerHTML = notes;
        return controls.scrollHeight > controls.clientHeight;
      }),
    slides.map(({ id, notes }) => ({ id, notes })),
  );
  expect(cut.map(({ id }) => id)).toEqual([]);
  await view.close();
});

test("the handout prints on two pages", async () => {
  await page.goto(`${at}handout.md`, { waitUntil: "load" });
  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
  expect(pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length).toBe(2);
});
