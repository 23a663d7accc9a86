// Finds the lessons: the folders lessons/NN-name, described by their README.md.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the whole workshop. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

export type Lesson = {
  /** "03-chat" */
  folder: string;
  /** 3 */
  number: number;
  /** "chat" */
  name: string;
  /** "Chat" */
  title: string;
  /** "A WebSocket: open, send, receive, close." */
  line: string;
  /** In class. */
  minutes: number;
  /** In how many windows its page is watched. */
  windows: 1 | 2;
};

/** All lessons, in their order. */
export function findLessons(): Lesson[] {
  const folders = readdirSync(join(root, "lessons"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  return folders.flatMap((folder) => describe(folder) ?? []).sort((a, b) => a.number - b.number);
}

function describe(folder: string): Lesson | undefined {
  const [, digits, name] = folder.match(/^(\d\d)-([a-z0-9-]+)$/) ?? [];
  if (!digits || !name) return;
  const readme = readStart(join(root, "lessons", folder, "README.md"));
  const [, title = name] = readme.match(/^# \d+ · (.+)$/m) ?? [];
  const [, line = "", minutes = 0] = readme.match(/^> (.+) · (\d+) minutes$/m) ?? [];
  const windows = /in two windows/.test(readme) ? 2 : 1;
  return { folder, number: Number(digits), name, title, line, minutes: Number(minutes), windows };
}

function readStart(file: string): string {
  try {
    return readFileSync(file, "utf8").replaceAll("\r\n", "\n");
  } catch {
    return ""; // A lesson that is being written has no README yet.
  }
}

/** Finds a lesson by "3", "03", "chat" or "03-chat". */
export function findLesson(wanted: string, lessons = findLessons()): Lesson | undefined {
  return lessons.find(
    ({ folder, name, number }) =>
      [folder, name].includes(wanted.toLowerCase()) ||
      (/^\d{1,3}$/.test(wanted) && Number(wanted) === number),
  );
}

/** The lessons as lines of text: number, name, line, minutes, and the day on which the exercise was done. */
export function listLessons(lessons = findLessons(), done = new Map<string, string>()): string {
  const width = Math.max(0, ...lessons.map(({ name }) => name.length));
  return lessons
    .map(({ folder, number, name, line, minutes }) => {
      const time = minutes ? ` (${minutes} min)` : "";
      const day = done.has(folder) ? `, done ${done.get(folder)}` : "";
      const mark = done.has(folder) ? "✓" : " ";
      return `${mark} ${String(number).padStart(2)}  ${name.padEnd(width)}  ${line}${time}${day}`;
    })
    .join("\n");
}

/** "No lesson 20. The lessons are: …", with number and name alone: short enough that all of it stays in sight. */
export function withLessons(why: string, lessons = findLessons()): string {
  const names = lessons.map(({ number, name }) => `  ${String(number).padStart(2)}  ${name}`);
  return `${why} The lessons are:\n\n${names.join("\n")}`;
}
