// Promises of the courses: slides/?course=90 shows one course, in order, with its minutes. The handout has two pages.
import { beforeAll, expect, test } from "vitest";
import { findDecks } from "../shared/machinery/slides/decks.ts";
import { browser } from "../shared/machinery/testing/browser.ts";
import { startPages } from "../shared/machinery/testing/lesson.ts";
import { freePort } from "../shared/machinery/testing/process.ts";

const slides = (await findDecks()).flatMap((deck) => deck.slides);
let at: string;

beforeAll(async () => {
  const [port, pagePort] = [await freePort(), await freePort()];
  await startPages(port, pagePort);
  at = `http://localhost:${pagePort}/slides/`;
});

async function open(search: string) {
  const page = await (await browser()).newPage({ viewport: { width: 1280, height: 720 } });
  await page.goto(at + search);
  await page.locator("html[data-ready]").waitFor();
  return page;
}

test("a course shows its own slides in order, and the speaker's view gets their seconds", async () => {
  const page = await open("?course=90");
  const shown = await page
    .locator(".slides section section")
    .evaluateAll((sections) =>
      sections.map((section) => [section.id, Number(section.getAttribute("data-timing"))]),
    );
  expect(shown).toEqual(slides.flatMap(({ id, minutes }) => (minutes[90] ? [[id, 60 * minutes[90]]] : [])));
  expect(shown.reduce((sum, [, seconds]) => sum + Number(seconds), 0)).toBe(90 * 60);
  expect(await page.locator(".plan:visible ol:visible").count()).toBeLessThanOrEqual(1);
  await page.close();
});

test("two days have the later lessons, too", async () => {
  const page = await open("?course=two-days");
  expect(await page.locator("#shared-cursors-live").getAttribute("data-timing")).toBe("360");
  await page.close();
});

test("without a course, or with one that there isn't, every slide is shown", async () => {
  for (const search of ["", "?course=91"]) {
    const page = await open(search);
    expect(await page.locator(".slides section section").count()).toBe(slides.length);
    await page.close();
  }
});

test("the speaker's window shows all notes of each slide without scrolling, beside clock and pace", async () => {
  const page = await open("?course=90");
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
  await page.close();
});

test("the clock of a Now-you slide counts down once it is started, and can be stopped", async () => {
  const page = await open("?course=90#/chat-now-you-whispers");
  const slide = page.locator("section.present section.present");
  expect(await slide.getByRole("timer").textContent()).toBe("18:00");
  await slide.getByRole("button", { name: "Start" }).click();
  await slide.getByText("17:59").waitFor();
  await slide.getByRole("button", { name: "Stop" }).click();
  await slide.getByRole("button", { name: "Start" }).waitFor();
  await page.close();
});

test("the handout prints on two pages", async () => {
  const page = await (await browser()).newPage();
  await page.goto(`${at}handout.md`, { waitUntil: "load" });
  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
  expect(pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length).toBe(2);
  await page.close();
});
