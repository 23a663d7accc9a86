// Promises of the slides on paper. That each slide fits on its page is tested in slides.test.ts.
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

test("the speaker's PDF has a page of A4's shape for each slide", async () => {
  const file = join(folder, "slides.pdf");
  const env = { CHROME_PATH: inject("browserPath"), NOTES: "1" };
  const run = runNode(["shared/machinery/start.cjs", "slides/slides-pdf", file], env, []);
  expect(await run.ended, run.output()).toBe(0);
  const pdf = await readFile(file, "latin1");
  expect(pdf.slice(0, 5)).toBe("%PDF-");
  expect(pdf.match(/\/Type\s*\/Page\b/g)).toHaveLength(count);
  const [, width, height] = pdf.match(/\/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]/)?.map(Number) ?? [];
  expect(Number(height) / Number(width)).toBeCloseTo(Math.SQRT2, 2);
});
