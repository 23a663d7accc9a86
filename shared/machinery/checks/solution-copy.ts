// Our solution of an exercise as a lesson of its own: the lesson's files, and over them those of solution/.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findLessons, type Lesson, root } from "../launcher/lessons.ts";

/** Whether a lesson asks for something. */
export const hasExercise = ({ folder }: { folder: string }) =>
  existsSync(join(root, "lessons", folder, "check.ts"));

export const lessonsWithExercise = (): Lesson[] => findLessons().filter(hasExercise);

/** Files of solution/, which take the place of the lesson's. */
export function solutionFiles(lesson: string): string[] {
  const folder = join(root, "lessons", lesson, "solution");
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** Makes the folder `.workshop/<name>`, as deep in the tree as a lesson's own: ../../shared is found from it too. */
export function overlaySolution(lesson: string, name = lesson): string {
  const from = join(root, "lessons", lesson);
  const to = join(root, ".workshop", name);
  rmSync(to, { recursive: true, force: true, maxRetries: 5 });
  mkdirSync(to, { recursive: true });
  for (const file of readdirSync(from))
    if (file !== "solution")
      cpSync(join(from, file), join(to, file), {
        recursive: true,
        filter: (source) => !source.endsWith(".test.ts"),
      });
  for (const file of solutionFiles(lesson)) cpSync(join(from, "solution", file), join(to, file));
  for (const name of readdirSync(to, { recursive: true }).map(String)) {
    if (!name.endsWith(".ts")) continue;
    const text = readFileSync(join(to, name), "utf8");
    // What a lesson imports from an earlier one stays where it is.
    writeFileSync(join(to, name), text.replace(/(?<= from "(?:\.\.\/)+)(?=\d\d-)/g, "../lessons/"));
  }
  return to;
}
