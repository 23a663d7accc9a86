// Our solutions pass the tests of their lessons' servers, too.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, runNode } from "../testing/process.ts";
import { lessonsWithExercise } from "./files.ts";

const files = lessonsWithExercise().map(({ folder }) => `lessons/${folder}/server.test.ts`);

/** Parts of names of tests that are left out here: they test what no solution changes, or what its checks test. */
const leftOut = [
  // Limits, which all lessons have from shared/.
  ...["as an HTTP server", "as a WebSocket server", "sent ahead on one connection"],
  ...["stops reading", "reads slowly", "a reader that leaves more than 1 MiB", "ten thousand and one ids"],
  // Timers that stay as they are.
  ...["sends everyone a tick", "counts once a second", "answers no pings in time", "after it was paused"],
  ...["a sign of life again and again", "the average is what was asked for"],
  // Passwords and bodies, slow on purpose, and a program of its own.
  ...["logging in", "what `send` tells"],
];

test("pass the lessons' own tests", { timeout: 180_000 }, async () => {
  const { VITEST: _, VITEST_WORKER_ID: __, ...env } = process.env;
  const run = runNode(
    [
      join("node_modules", "vitest", "vitest.mjs"),
      ...["run", "--config", "shared/machinery/testing/vitest.config.ts", ...files],
      ...["-t", `^(?!.*(${leftOut.join("|")}))`],
    ],
    { ...env, SOLUTIONS: "1" },
    [],
  );
  expect(await run.ended, run.output()).toBe(0);
  const [, passed] = run.output().match(/Tests .*?(\d+) passed/) ?? [];
  expect(Number(passed)).toBeGreaterThan(100);
});

test("leave out tests that exist", () => {
  const texts = [...files, "shared/machinery/testing/every-server.ts"].map((file) =>
    readFileSync(join(root, file), "utf8"),
  );
  expect(leftOut.filter((name) => !texts.some((text) => text.includes(name)))).toEqual([]);
});
