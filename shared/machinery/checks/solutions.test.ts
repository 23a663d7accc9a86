// Promises of our solutions as lessons: the tests of the lesson hold for them too, and so do its types.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../launcher/lessons.ts";
import { runNode } from "../testing/process.ts";
import { lessonsWithExercise, overlaySolution } from "./solution-copy.ts";

const folders = lessonsWithExercise().map(({ folder }) => folder);
const made: string[] = [];
beforeAll(() => {
  for (const lesson of folders) made.push(overlaySolution(lesson));
});
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

test("passes the lesson's own tests as well", { timeout: 180_000 }, async () => {
  const { VITEST: _, VITEST_WORKER_ID: __, ...env } = process.env;
  const run = runNode(
    [
      join("node_modules", "vitest", "vitest.mjs"),
      ...["run", "--config", "shared/machinery/testing/vitest.config.ts"],
      ...folders.map((lesson) => `lessons/${lesson}/server.test.ts`),
      // The lesson's own promises; those of every server are about what is in shared/, which no solution changes.
      ...["-t", "^(?!.*(as an HTTP server|as a WebSocket server|is ended within 20 s))"],
    ],
    { ...env, LESSONS_FOLDER: ".workshop" },
    [],
  );
  expect(await run.ended, run.output()).toBe(0);
});

test("is free of type errors", async () => {
  const config = join(root, ".workshop", "tsconfig.json");
  const { compilerOptions } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8"));
  writeFileSync(config, JSON.stringify({ compilerOptions, include: folders }));
  made.push(config);
  const tsc = runNode([join("node_modules", "typescript", "bin", "tsc"), "-p", config], {}, []);
  expect(await tsc.ended, tsc.output()).toBe(0);
});
