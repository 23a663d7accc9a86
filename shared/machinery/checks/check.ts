// Checks exercises: `npm run check 3`, `npm run check:watch 3` at each save, `npm run check` for all.
import { readdirSync, rmSync, statSync, watch } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { folder } from "../doctor/computer.ts";
import { findLesson, findLessons, type Lesson, root, withLessons } from "../launcher/lessons.ts";
import { rememberDone } from "../launcher/progress.ts";
import { fitTerminal } from "../launcher/wrap.ts";
import { keepStarters } from "../reset/starters.ts";
import { joinRoom, noteForRoom, tellRoom } from "../room/tell.ts";
import { bundle } from "./bundle.ts";
import type { Check } from "./checks.ts";
import { hasExercise, lessonsWithExercise, pathOf } from "./files.ts";
import { readReadme } from "./readme.ts";
import { type Report, type Result, runChecks } from "./run.ts";

const coloured = Boolean(process.stdout.isTTY && !process.env.NO_COLOR);
const paint = (code: number) => (text: string) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text);
const [green, red, yellow, bold] = [paint(32), paint(31), paint(33), paint(1)];

main(process.argv.slice(2)).catch((error) => {
  console.error(error); // a mistake in a lesson's check.ts, say
  process.exit(1);
});

async function main(args: string[]) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));
  // Whatever a server answers, the list of checks must appear. A check may have begun work that it no longer waits for.
  process.on("unhandledRejection", () => {});
  const { verdict, found, advice } = folder();
  if (verdict === "stop") return refuse(`Checks can't run here: ${found} ${advice}`);
  keepStarters();
  removeLeftovers();
  const watching = args.includes("--watch");
  let wanted: string | undefined;
  try {
    [wanted] = await joinRoom(args.filter((each) => each !== "--watch"));
  } catch (error) {
    return refuse((error as Error).message);
  }
  if (wanted === undefined) {
    if (!watching) return checkAll();
    return refuse("Say which lesson to watch: npm run check:watch 3");
  }
  const lesson = findLesson(wanted);
  if (!lesson) return refuse(withLessons(`No lesson ${wanted}.`));
  if (!hasExercise(lesson))
    return refuse(`Lesson ${lesson.number} has no exercise. Its README says what to try.`);
  if (watching) return watchLesson(lesson);
  const passes = await check(lesson);
  await tellRoom();
  process.exit(passes ? 0 : 1);
}

function refuse(why: string) {
  console.error(fitTerminal(why));
  process.exitCode = 1;
}

/** Removes the folders of earlier checks that were killed. */
function removeLeftovers() {
  const place = join(root, ".workshop");
  try {
    for (const name of readdirSync(place).filter((name) => name.startsWith("check-")))
      if (Date.now() - statSync(join(place, name)).mtimeMs > 3_600_000)
        rmSync(join(place, name), { recursive: true, force: true });
  } catch {
    // There is no such folder yet, or another check was faster.
  }
}

async function run(lesson: Lesson): Promise<Report> {
  const compileError = await bundle(pathOf(lesson, "client.ts"));
  if (compileError) return { compileError };
  const { checks }: { checks: Check[] } = createRequire(import.meta.url)(pathOf(lesson, "check.ts"));
  const report = await runChecks(checks, pathOf(lesson, "server.ts"));
  if (allPass(report)) rememberDone(lesson.folder);
  return report;
}

const allPass = (report: Report) => "results" in report && report.results.every(({ fault }) => !fault);

function mark({ fault }: Result): string {
  if (!fault) return green("✓");
  return fault.kind === "unsure" ? yellow("?") : red("✗");
}

/** Checks one lesson and prints all about it. True when every check passes. */
async function check(lesson: Lesson): Promise<boolean> {
  const readme = readReadme(lesson);
  console.log(`\n${bold(`Lesson ${lesson.number} · ${lesson.title}: ${readme.exercise}`)}\n`);
  const report = await run(lesson);
  noteForRoom(lesson.folder, report);
  if ("compileError" in report) {
    const { where, text, code } = report.compileError;
    console.log(`  This file does not compile: ${where}\n  ${red(fitTerminal(`  ${text}`).trimStart())}\n`);
    if (code) console.log(`${code.replace(/^/gm, "    ")}\n`);
    return false;
  }
  const { results } = report;
  for (const result of results)
    console.log(`  ${mark(result)} ${fitTerminal(`    ${result.title}`).trimStart()}`);
  const failed = results.find(({ fault }) => fault && fault.kind !== "unsure");
  const unsure = results.find(({ fault }) => fault?.kind === "unsure");
  if (failed) explain(failed, lesson);
  else if (unsure) console.log(`\n  ${bold(`Unsure: ${unsure.title}`)}\n\n    ${unsure.fault?.happened}\n`);
  if (failed || unsure) return false;

  const next = findLessons().find(({ number }) => number === lesson.number + 1);
  console.log(
    fitTerminal(`
  All checks pass.

    Learned    ${readme.learned}
    Next       ${readme.nextQuestion}${next ? `\n    Go on      npm run lesson ${next.number}` : ""}
`),
  );
  return true;
}

/** What the learner can do about a check that fails. */
function explain({ title, read, fault }: Result, lesson: Lesson) {
  if (!fault) return;
  const lines = [
    ["Expected", fault.expected],
    ["Happened", fault.happened],
  ];
  // No hint is about a server that crashes, loops or never listens.
  if (fault.kind === "failed" || fault.kind === "late")
    lines.push(
      ["Read", readReadme(lesson).where(read) ?? `lessons/${lesson.folder}/README.md`],
      ["Stuck?", `npm run solution ${lesson.number} shows our solution beside yours`],
    );
  console.log(`\n  ${bold(`Broken: ${title}`)}\n`);
  for (const [name = "", text] of lines) console.log(fitTerminal(`    ${name.padEnd(9)}  ${text}`));
  console.log();
}

/** One line for each lesson. */
async function checkAll() {
  const lessons = lessonsWithExercise();
  const reports = lessons.map(run);
  const width = Math.max(...lessons.map(({ name }) => name.length));
  console.log("\nThe exercises:\n");
  for (const [n, lesson] of lessons.entries()) {
    const report = (await reports[n]) as Report;
    noteForRoom(lesson.folder, report);
    const number = String(lesson.number).padStart(2);
    const start = `  ${allPass(report) ? green("✓") : red("✗")} ${number}  ${lesson.name.padEnd(width)}`;
    if ("compileError" in report) console.log(`${start}  does not compile: ${report.compileError.where}`);
    else {
      const passing = report.results.filter(({ fault }) => !fault).length;
      console.log(`${start}  ${passing} of ${report.results.length} pass   ${readReadme(lesson).exercise}`);
    }
  }
  console.log("\nTo see one of them in detail: npm run check 1\n");
  await tellRoom();
  process.exit((await Promise.all(reports)).every(allPass) ? 0 : 1);
}

/** Checks now, and again whenever a file of the lesson is saved. */
async function watchLesson(lesson: Lesson) {
  let timer: NodeJS.Timeout | undefined;
  let running = false;
  let again = false;
  const checkNow = async () => {
    again = running;
    if (running) return;
    running = true;
    await check(lesson);
    await tellRoom();
    running = false;
    if (again) return checkNow();
    console.log("  Waiting for you to save a file. Press Ctrl-C to end.");
  };
  watch(pathOf(lesson), (_event, file) => {
    if (!/\.ts$/.test(file ?? "")) return;
    // Editors write a file in several steps.
    clearTimeout(timer);
    timer = setTimeout(checkNow, 100);
  });
  await checkNow();
}
