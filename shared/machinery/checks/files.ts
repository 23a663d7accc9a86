// The files of an exercise: the learner's, our solution, and whether there is one.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { findLessons, type Lesson, root } from "../launcher/lessons.ts";

type Folder = Pick<Lesson, "folder">;

export const pathOf = ({ folder }: Folder, ...names: string[]) => join(root, "lessons", folder, ...names);

export const hasExercise = (lesson: Folder) => existsSync(pathOf(lesson, "check.ts"));

export const lessonsWithExercise = (): Lesson[] => findLessons().filter(hasExercise);

/** Names of the files in solution/. They replace the lesson's files of the same names; the others stay as they are. */
export function solutionFiles(lesson: Folder): string[] {
  const folder = pathOf(lesson, "solution");
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}
