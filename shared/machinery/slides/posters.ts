// Takes a picture of each lesson in its slide, for the places where the lesson itself can't run: on paper, and in the
// speaker's view. `node shared/machinery/start.cjs slides/posters` for all of them, with a number for one.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Frame, Page } from "playwright-core";
import { findLesson, findLessons, type Lesson, root } from "../launcher/lessons.ts";
import { startBrowser } from "../start-browser.ts";
import { startOnFreePorts } from "../start-on-free-ports.ts";
import { findDecks, posterOf } from "./decks.ts";

/** Before the messages are sent, and again before the picture is taken: numbers are counted meanwhile. */
const waitMs = 4_000;

async function main(wanted: string | undefined) {
  const one = wanted === undefined ? undefined : findLesson(wanted);
  if (wanted !== undefined && !one) throw new Error(`No lesson ${wanted}.`);
  const decks = await findDecks();
  mkdirSync(join(root, "slides", "posters"), { recursive: true });
  const browser = await startBrowser();
  try {
    for (const lesson of one ? [one] : findLessons()) {
      const deck = decks.find(({ file }) => file === lesson.folder);
      const slide = deck?.slides.find(({ html }) => html.includes('class="live"'));
      if (!slide) continue;
      const page = await browser.newPage({
        viewport: { width: 1280, height: 720 },
        colorScheme: "light",
        reducedMotion: "reduce",
      });
      await photograph(lesson, page, slide.id);
      await page.close();
    }
  } finally {
    await browser.close();
  }
}

async function photograph(lesson: Lesson, page: Page, id: string) {
  const slides = await startOnFreePorts("slides/slides", lesson.folder);
  try {
    await page.goto(`http://localhost:${slides.pagePort}/slides/#/${id}`);
    await page.locator(".live .frames:visible iframe").first().waitFor();
    await pause(waitMs);
    // In both pages, whatever the lesson offers: a message, or something that moves.
    const frames = page.frames().filter((frame) => frame.url().includes("/lessons/"));
    const user = frames[0]?.getByLabel("User", { exact: true });
    if (await user?.count()) await logIn(frames);
    for (const [index, frame] of frames.entries()) {
      const message = frame.getByLabel("Message", { exact: true });
      if (!(await message.count())) continue;
      await message.fill(["Is anybody there?", "I am."][index] ?? "");
      await message.press("Enter");
    }
    const robots = frames[0]?.getByLabel("30", { exact: true });
    if (await robots?.count()) await robots?.check();
    for (const [index, frame] of frames.entries())
      for (const name of index === 0 ? ["Join", "Play"] : ["Join"]) {
        const button = frame.getByRole("button", { name, exact: true });
        if (await button.count()) await button.click();
      }
    if (await frames[0]?.locator("#readers").count()) await throttleOne(page, frames);
    await pause(waitMs);
    const path = join(root, posterOf(lesson.folder));
    await page.locator(".live .frames:visible").screenshot({ path, type: "jpeg", quality: 70 });
    console.log(`Written: ${path}`);
  } finally {
    await slides.end();
  }
}

/** On the left. The page on the right has the same cookie, and comes back. */
async function logIn([left, right]: Frame[]) {
  await left?.getByLabel("User", { exact: true }).fill("Ada");
  await left?.getByLabel("Password").fill("correct horse");
  await left?.getByRole("button", { name: "Make this user" }).click();
  await left?.getByText("Ada, member").waitFor();
  await right?.getByRole("button", { name: "Come back" }).click();
  await right?.getByText("Ada, member").waitFor();
}

/** The page on the right, until its bytes wait in the server. */
async function throttleOne(page: Page, [left]: Frame[]) {
  const drawer = page.locator("wire-panel:visible");
  await drawer.getByRole("button", { name: "The cable" }).click();
  const which = drawer.getByLabel("which");
  const sockets = await which.locator("option", { hasText: "WebSocket" }).allTextContents();
  await which.selectOption({ label: sockets.at(-1) ?? "" });
  await drawer.getByLabel("throttle").selectOption("5 kB/s");
  await drawer.getByRole("button", { name: "The cable" }).click();
  // Megabytes in the first column of bytes: first the systems' buffers fill.
  await left?.locator("#readers td:nth-child(3)", { hasText: "MB" }).waitFor({ timeout: 90_000 });
}

main(process.argv[2]).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
