// For tests: runs an exercise's checks.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { type Check, inBackground } from "./checks.ts";
import { pathOf } from "./files.ts";
import { type Doubt, type Result, runChecks } from "./run.ts";
import { wrongAnswers } from "./wrong-answers.ts";

// Other tests keep this computer busy.
process.env.CHECK_PATIENCE_MS = "60000";

/** For a test that waits for its turn. */
export const patient = { timeout: 600_000 };

type Folder = { folder: string };

export async function checksOf(lesson: Folder): Promise<Check[]> {
  return (await import(/* @vite-ignore */ pathToFileURL(pathOf(lesson, "check.ts")).href)).checks;
}

/** What is replaced in our solution. Each must be found there. */
export type Change = [from: string | RegExp, to: string];

/** Our solution of a lesson, changed. */
export function solutionWith(lesson: string, changes: Change[]): string {
  let source = readFileSync(pathOf({ folder: lesson }, "solution/server.ts"), "utf8").replaceAll(
    "\r\n",
    "\n",
  );
  for (const [from, to] of changes) {
    const changed = source.replace(from, () => to);
    if (changed === source) throw new Error(`${from} must be found in lessons/${lesson}/solution/server.ts`);
    source = changed;
  }
  return source;
}

/**
 * Runs a lesson's checks whose titles begin with `only`.
 * @param file the server, in the lesson's folder
 * @param source what is run in place of the file's own text
 * @param doubt which results of a slow computer don't count: "failures" of what is right, "passes" of what is wrong
 */
export async function resultsOf(
  lesson: Folder,
  file: string,
  only = "",
  source?: string,
  doubt: Doubt = "passes",
): Promise<Result[]> {
  const checks = (await checksOf(lesson)).filter(({ title }) => title.startsWith(only));
  for (let asked = 1; ; asked++) {
    const report = await runChecks(checks, pathOf(lesson, file), source, doubt);
    if ("compileError" in report)
      throw new Error(`${report.compileError.where}: ${report.compileError.text}`);
    // "Too busy to tell" is no result, neither right nor wrong. The tests beside this one end some time.
    const isUnsure = report.results.some(({ fault }) => fault?.kind === "unsure");
    if (!isUnsure || asked === 5) return report.results;
  }
}

/** Tests that each wrong answer to the exercises of these lessons fails the check that is meant for it. */
export function everyWrongAnswer(isOf: (lesson: string) => boolean): void {
  // All of them begin now, each in its turn: most of a check is waiting.
  const answers = wrongAnswers
    .filter(([lesson]) => isOf(lesson))
    .map(([lesson, what, failing, ...changes]) => {
      return { lesson, what, failing, source: solutionWith(lesson, changes) };
    });
  let running: Promise<Result[]>[] = [];
  test.for(answers.map((answer, n) => ({ ...answer, n })))(
    "in $lesson: $what",
    patient,
    async ({ lesson, failing, n }) => {
      if (running.length === 0)
        running = answers.map(({ lesson, failing, source }) =>
          inBackground(resultsOf({ folder: lesson }, "solution/server.ts", failing, source)),
        );
      const results = (await running[n]) ?? [];
      expect(
        results.map(({ title }) => title),
        `one check of lesson ${lesson} begins with "${failing}"`,
      ).toEqual([expect.stringContaining(failing)]);
      expect(results[0]?.fault, `"${failing}" must fail`).toBeDefined();
      expect(results[0]?.fault?.kind, results[0]?.fault?.happened).not.toBe("unsure");
    },
  );
}
