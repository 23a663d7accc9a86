// Shows our way beside the learner's: `npm run solution 3`. `npm run solution 3 run` starts the lesson with ours.
import { createRequire } from "node:module";
import { relative } from "node:path";
import { findLesson, listLessons, root } from "../launcher/lessons.ts";
import { difference, withoutImports } from "./difference.ts";
import { hasExercise, pathOf, solutionFiles } from "./files.ts";

main(process.argv[2], process.argv[3]);

function main(wanted: string | undefined, what: string | undefined) {
  const lesson = wanted === undefined ? undefined : findLesson(wanted);
  if (!lesson) {
    const why = wanted === undefined ? "Say which lesson: npm run solution 3." : `No lesson ${wanted}.`;
    return refuse(`${why} There is:\n\n${listLessons()}`);
  }
  const { folder, number } = lesson;
  if (!hasExercise(lesson)) return refuse(`Lesson ${number} has no exercise yet.`);
  if (what !== undefined && what !== "run")
    return refuse(`Say npm run solution ${number}, or npm run solution ${number} run.`);
  if (what === "run") {
    console.log(`Lesson ${number} with our solution. Your own files stay as they are.`);
    process.env.SERVER_FILE = relative(root, pathOf(lesson, "solution", "server.ts"));
    process.argv.splice(2, 2, String(number));
    return createRequire(import.meta.url)("../launcher/lesson.ts");
  }
  try {
    const differences = solutionFiles(lesson)
      .map((file) =>
        difference(`lessons/${folder}/${file}`, `lessons/${folder}/solution/${file}`, withoutImports),
      )
      .join("");
    if (!differences) return console.log("\nYour files are the same as ours.\n");
    console.log(`\nFrom your file (-) to ours (+). Yours is as good if npm run check ${number} says so.\n`);
    console.log(differences);
    console.log(`To see ours at work: npm run solution ${number} run`);
    console.log(`To start over:       git restore lessons/${folder}\n`);
  } catch (error) {
    refuse((error as Error).message);
  }
}

function refuse(why: string) {
  console.error(why);
  process.exitCode = 1;
}
