// Shows our solution beside the learner's: `npm run solution 3`. `npm run solution 3 run` starts the lesson with our server.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { relative } from "node:path";
import { findLesson, type Lesson, root, withLessons } from "../launcher/lessons.ts";
import { fitTerminal } from "../launcher/wrap.ts";
import { difference, type File } from "./difference.ts";
import { hasExercise, pathOf, solutionFiles } from "./files.ts";

main(process.argv[2], process.argv[3]);

function main(wanted: string | undefined, what: string | undefined) {
  const lesson = wanted === undefined ? undefined : findLesson(wanted);
  if (!lesson) {
    const why = wanted === undefined ? "Name a lesson: npm run solution 3." : `No lesson ${wanted}.`;
    return refuse(withLessons(why));
  }
  const { number } = lesson;
  if (!hasExercise(lesson)) return refuse(`Lesson ${number} has no exercise.`);
  if (what === undefined) return show(lesson);
  if (what === "run") return start(lesson);
  refuse(`Use npm run solution ${number}, or npm run solution ${number} run.`);
}

function show(lesson: Lesson) {
  const { folder, number } = lesson;
  try {
    const differences = solutionFiles(lesson).map((name) =>
      difference(read(`lessons/${folder}/${name}`), read(`lessons/${folder}/solution/${name}`)),
    );
    if (!differences.some(Boolean)) return console.log("\nYour files are the same as ours.\n");
    console.log(
      fitTerminal(`\nFrom your file (-) to ours (+). If npm run check ${number} passes, yours is as good.\n`),
    );
    console.log(differences.join(""));
    console.log(`To start ours:       npm run solution ${number} run`);
    console.log(`To start over:       npm run reset ${number}\n`);
  } catch (error) {
    refuse((error as Error).message);
  }
}

/** A file that is missing counts as an empty one. */
function read(name: string): File {
  const path = `${root}/${name}`;
  return { name, text: existsSync(path) ? readFileSync(path, "utf8") : "" };
}

function start(lesson: Lesson) {
  console.log(`Lesson ${lesson.number} with our solution. Your own files stay as they are.`);
  process.env.SERVER_FILE = relative(root, pathOf(lesson, "solution", "server.ts"));
  process.argv.splice(2, 2, String(lesson.number));
  createRequire(import.meta.url)("../launcher/lesson.ts");
}

function refuse(why: string) {
  console.error(fitTerminal(why));
  process.exitCode = 1;
}
