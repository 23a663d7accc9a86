// The exercises: every starter fails for the reason that its exercise names, every solution passes, and every wrong
// answer fails the check that is meant for it.
import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { findLessons } from "../launcher/lessons.ts";
import type { Check } from "./checks.ts";
import { lessonsWithExercise, pathOf, solutionFiles } from "./files.ts";
import { readReadme } from "./readme.ts";
import { runChecks } from "./run.ts";
import { wrongAnswers } from "./wrong-answers.ts";

process.env.CHECK_PATIENCE_MS = "60000";

const lessons = lessonsWithExercise();
const folders = lessons.map(({ folder }) => folder);

async function checksOf(lesson: { folder: string }): Promise<Check[]> {
  return (await import(/* @vite-ignore */ pathToFileURL(pathOf(lesson, "check.ts")).href)).checks;
}

// Three runs at a time: most of each is waiting.
const lanes: Promise<unknown>[] = [1, 2, 3].map(() => Promise.resolve());
let turn = 0;

async function resultsOf(folder: string, file: string, only = "", source?: string) {
  const checks = (await checksOf({ folder })).filter(({ title }) => title.startsWith(only));
  const lane = turn++ % lanes.length;
  const running = lanes[lane]?.then(() => runChecks(checks, pathOf({ folder }, file), source)) as ReturnType<
    typeof runChecks
  >;
  lanes[lane] = running.catch(() => {});
  const report = await running;
  if ("compileError" in report) throw new Error(`${report.compileError.where}: ${report.compileError.text}`);
  return report.results;
}

describe.concurrent("a starter", { timeout: 120_000 }, () => {
  test.for<[string, string, RegExp]>([
    ["01-polling", "an answer carries an ETag", /there was none/],
    ["02-long-polling", "five messages sent together", /held 1 of them/],
    ["03-chat", "nobody else receives it", /Alan received it too/],
    ["04-broadcast", "what is said in a room is received in no other", /Alan received it/],
    ["05-heartbeat-reconnect", "a client that sends more than ten", /it stayed open/],
    ["06-resume", "a page that connects again", /it stayed open/],
    ["07-outbox", "twenty messages in a row", /20 came/],
    ["08-server-sent-events", "a page receives the number of open streams", /no event of that name/],
    ["09-compare", "messages come in groups of five", /the gaps between messages were \d+, /],
  ])("of %s fails its exercise: %s", async ([lesson, title, happened]) => {
    const results = await resultsOf(lesson, "server.ts");
    const broken = results.filter(({ fault }) => fault);
    expect(broken[0]?.title).toMatch(title);
    expect(broken[0]?.fault?.happened).toMatch(happened);
    // What the exercise asks for may be missing. Nothing crashes, and nothing keeps the learner waiting.
    for (const { title, fault } of broken) expect(["failed", "unsure"], title).toContain(fault?.kind);
  });
});

describe("a solution", () => {
  describe.concurrent("", { timeout: 120_000 }, () => {
    test.for(folders)("of %s passes every check", async (lesson) => {
      const results = await resultsOf(lesson, "solution/server.ts");
      expect(results.filter(({ fault }) => fault)).toEqual([]);
    });
  });

  test.for(folders)("of %s changes files of the lesson, and has no others", (lesson) => {
    const files = solutionFiles({ folder: lesson });
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const [theirs, ours] = [file, `solution/${file}`].map((name) =>
        readFileSync(pathOf({ folder: lesson }, name), "utf8"),
      );
      expect(ours, file).not.toBe(theirs);
      expect(ours, "no marker is left").not.toContain("Exercise:");
    }
    // `npm run solution 3 run` changes the server; the page comes from the lesson's own folder.
    expect(readFileSync(pathOf({ folder: lesson }, "client.ts"), "utf8")).not.toContain("solution");
    expect(files).not.toContain("client.ts");
  });
});

describe.concurrent("a wrong answer", { timeout: 120_000 }, () => {
  test.for(wrongAnswers)("in %s: %s", async ([lesson, , failing, ...changes]) => {
    const solution = readFileSync(pathOf({ folder: lesson }, "solution/server.ts"), "utf8");
    let source = solution.replaceAll("\r\n", "\n");
    for (const [from, to] of changes) {
      const changed = source.replace(from, () => to);
      expect(changed, `${from} must be found in lessons/${lesson}/solution/server.ts`).not.toBe(source);
      source = changed;
    }
    const results = await resultsOf(lesson, "solution/server.ts", failing, source);
    expect(
      results.map(({ title }) => title),
      `one check of lesson ${lesson} begins with "${failing}"`,
    ).toEqual([expect.stringContaining(failing)]);
    expect(results[0]?.fault, `"${failing}" must fail`).toBeDefined();
  });
});

describe("each exercise", () => {
  test.for(lessons)("of lesson $number points to places that its README has", async (lesson) => {
    const { where, exercise, learned, nextQuestion } = readReadme(lesson);
    for (const { read, title } of await checksOf(lesson))
      expect(where(read), title).toMatch(/README\.md:\d+/);
    expect([exercise, learned].map(Boolean)).toEqual([true, true]);
    expect(nextQuestion).toMatch(/\w/);
    expect(nextQuestion).not.toMatch(/[[\]_`*]/);
  });

  test.for(folders)("of %s is marked in one or two places", (lesson) => {
    const files = readdirSync(pathOf({ folder: lesson })).filter((name) => /(?<!\.test)\.ts$/.test(name));
    const text = files.map((name) => readFileSync(pathOf({ folder: lesson }, name), "utf8")).join("");
    expect([1, 2]).toContain(text.match(/Exercise:/g)?.length);
  });
});

test("every lesson has an exercise", () => {
  expect(folders).toEqual(findLessons().map(({ folder }) => folder));
});
