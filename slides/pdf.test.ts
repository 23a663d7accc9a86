// Promises of the slides on paper.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { findDecks } from "../shared/machinery/slides/decks.ts";
import { runNode } from "../shared/machinery/testing/process.ts";

const count = (await findDecks()).flatMap((deck) => deck.slides).length;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "slides-"));
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

test.each([
  ["has a page for each slide", {}, count],
  ["with its notes has one more for each", { NOTES: "1" }, 2 * count],
])("the PDF %s", async (_what, env, pages) => {
  const browser = inject("browser");
  if ("missing" in browser) throw new Error(browser.missing);
  const file = join(folder, `${pages}.pdf`);
  const run = runNode(
    ["shared/machinery/start.cjs", "slides/slides-pdf", file],
    { CHROME_PATH: browser.path, ...env },
    [],
  );
  expect(await run.ended, run.output()).toBe(0);
  const pdf = await readFile(file, "latin1");
  expect(pdf.slice(0, 5)).toBe("%PDF-");
  expect(pdf.match(/\/Type\s*\/Page\b/g)?.length).toBe(pages);
});
