// Says which promises of an exercise hold: `npm run check 3`, `npm run check:watch 3`, `npm run check` for all.
import { watch } from "node:fs";
import { createRequire } from "node:module";
import { findLesson, findLessons, type Lesson, listLessons } from "../launcher/lessons.ts";
import { rememberPassed } from "../launcher/progress.ts";
import { bundle } from "./bundle.ts";
import type { Check } from "./checks.ts";
import { hasExercise, lessonsWithExercise, pathOf } from "./files.ts";
import { readReadme } from "./readme.ts";
import { type Report, runChecks } from "./run.ts";

const coloured = Boolean(process.stdout.isTTY && !process.env.NO_COLOR);
const paint = (code: number) => (text: string) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text);
const [green, red, bold] = [paint(32), paint(31), paint(1)];

void main(process.argv.slice(2));

async function main(args: string[]) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));
  const watching = args.includes("--watch");
  const [wanted] = args.filter((each) => each !== "--watch");
  if (wanted === undefined) {
    if (!watching) return checkAll();
    return refuse("Say which lesson to watch: npm run check:watch 3");
  }
  const lesson = findLesson(wanted);
  if (!lesson) return refuse(`No lesson ${wanted}. There is:\n\n${listLessons()}`);
  if (!hasExercise(lesson))
    return refuse(`Lesson ${lesson.number} has no exercise. Its README says what to try.`);
  if (watching) return watchLesson(lesson);
  const holds = await check(lesson);
  process.exit(holds ? 0 : 1);
}

function refuse(why: string) {
  console.error(why);
  process.exitCode = 1;
}

async function run(lesson: Lesson): Promise<Report> {
  const compileError = await bundle(pathOf(lesson, "client.ts"));
  if (compileError) return { compileError };
  const { checks }: { checks: Check[] } = createRequire(import.meta.url)(pathOf(lesson, "check.ts"));
  const report = await runChecks(checks, pathOf(lesson, "server.ts"));
  if (count(report).every) rememberPassed(lesson.folder);
  return report;
}

function count(report: Report) {
  if ("compileError" in report) return { kept: 0, all: 0, every: false };
  const kept = report.results.filter(({ fault }) => !fault).length;
  return { kept, all: report.results.length, every: kept === report.results.length };
}

/** Checks one lesson and prints all about it. True when everything holds. */
async function check(lesson: Lesson): Promise<boolean> {
  const readme = readReadme(lesson);
  console.log(`\n${bold(`Lesson ${lesson.number} · ${lesson.title}: ${readme.exercise}`)}\n`);
  const report = await run(lesson);
  if ("compileError" in report) {
    const { where, text, code } = report.compileError;
    console.log(`  This file does not compile: ${where}\n  ${red(text)}\n`);
    if (code) console.log(`${code.replace(/^/gm, "    ")}\n`);
    return false;
  }
  const { results } = report;
  for (const { title, fault } of results) console.log(`  ${fault ? red("✗") : green("✓")} ${title}`);

  const broken = results.find(({ fault }) => fault);
  if (broken?.fault) {
    const { kind, expected, happened } = broken.fault;
    // A server that fell has said where, and one that never listened has not come to what a hint is about.
    const read = readme.where(broken.read) ?? `lessons/${lesson.folder}/README.md`;
    console.log(`
  ${bold(`Broken: ${broken.title}`)}

    Expected   ${expected}
    Happened   ${happened}${kind === "ended" || kind === "silent" ? "" : `\n    Read       ${read}`}
`);
    return false;
  }
  const next = findLessons().find(({ number }) => number === lesson.number + 1);
  console.log(`
  All hold.

    Learned    ${readme.learned}
    Next       ${readme.nextQuestion}${next ? `\n    Go on      npm run lesson ${next.number}` : ""}
`);
  return true;
}

/** One line for each lesson. */
async function checkAll() {
  const lessons = lessonsWithExercise();
  const width = Math.max(...lessons.map(({ name }) => name.length));
  let every = true;
  console.log("\nThe exercises:\n");
  for (const lesson of lessons) {
    const report = await run(lesson);
    const counted = count(report);
    every &&= counted.every;
    const mark = counted.every ? green("✓") : red("✗");
    const held =
      "compileError" in report
        ? `does not compile: ${report.compileError.where}`
        : `${counted.kept} of ${counted.all} hold   ${readReadme(lesson).exercise}`;
    console.log(`  ${mark} ${lesson.number}  ${lesson.name.padEnd(width)}  ${held}`);
  }
  console.log("\nOne of them in detail: npm run check 1\n");
  process.exit(every ? 0 : 1);
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
    running = false;
    if (again) return checkNow();
    console.log("  Waiting for you to save a file. End with Ctrl-C.");
  };
  watch(pathOf(lesson), (_event, file) => {
    if (!/\.ts$/.test(file ?? "")) return;
    // Editors write a file in several steps.
    clearTimeout(timer);
    timer = setTimeout(checkNow, 100);
  });
  await checkNow();
}
