// Our solutions pass the tests of their lessons, too.
import { join } from "node:path";
import { expect, test } from "vitest";
import { runNode } from "../testing/process.ts";
import { lessonsWithExercise } from "./files.ts";

test("pass the lessons' own tests", { timeout: 180_000 }, async () => {
  const { VITEST: _, VITEST_WORKER_ID: __, ...env } = process.env;
  const run = runNode(
    [
      join("node_modules", "vitest", "vitest.mjs"),
      ...["run", "--config", "shared/machinery/testing/vitest.config.ts"],
      ...lessonsWithExercise().map(({ folder }) => `lessons/${folder}/server.test.ts`),
      // What every server is tested for is in shared/, which no solution changes.
      ...["-t", "^(?!.*(as an HTTP server|as a WebSocket server|is ended within 20 s))"],
    ],
    { ...env, SOLUTIONS: "1" },
    [],
  );
  expect(await run.ended, run.output()).toBe(0);
});
