// Back to the start: `npm run reset 3` for one lesson, `npm run reset` for all. It keeps everything that it takes
// away in a folder that is named after the time.
import { cpSync, existsSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { findLesson, root, withLessons } from "../launcher/lessons.ts";
import { forgetDone, progressFile, readProgress } from "../launcher/progress.ts";
import { fitTerminal } from "../launcher/wrap.ts";
import { rememberReset } from "./last-reset.ts";
import { findOriginals, type Originals } from "./originals.ts";

main(process.argv[2]);

function main(wanted: string | undefined) {
  try {
    const originals = findOriginals();
    if (!originals)
      return refuse(
        "The lessons can't be restored: git doesn't track them, and there is no copy from\n" +
          "the first start of a lesson. Download the workshop again, into a new folder.",
      );
    const folders = originals.folders.filter((folder) => wanted === undefined || isMeant(wanted, folder));
    if (folders.length === 0) return refuse(withLessons(`No lesson ${wanted}.`));
    reset(originals, folders);
  } catch (error) {
    refuse((error as Error).message);
  }
}

function refuse(why: string) {
  console.error(fitTerminal(why));
  process.exitCode = 1;
}

/** By its folder's name alone, since the folder itself may be gone. */
function isMeant(wanted: string, folder: string): boolean {
  const [, digits, name = ""] = folder.match(/^(\d\d)-(.+)$/) ?? [];
  const lesson = {
    folder,
    number: Number(digits),
    name,
    title: "",
    line: "",
    minutes: 0,
    windows: 1 as const,
  };
  return findLesson(wanted, [lesson]) !== undefined;
}

function reset(originals: Originals, folders: string[]) {
  const lessons = folders.map((folder) => ({ folder, ...originals.changes(folder) }));
  const progress = readProgress();
  const done = folders.filter((folder) => progress.has(folder));
  const taken = lessons.flatMap(({ changed, added }) => [...changed, ...added]);
  if (done.length > 0) taken.push(progressFile);
  // Everything is kept before anything is restored: whatever fails, nothing is lost.
  const kept = taken.length > 0 ? keep(taken) : undefined;
  for (const lesson of lessons) {
    for (const path of lesson.added) remove(path);
    originals.restore(lesson.folder, lesson);
  }
  forgetDone(done);
  rememberReset();

  const list = (what: string, entries: string[]) => entries.map((entry) => `  ${what.padEnd(9)}  ${entry}`);
  const lines = [
    ...lessons.flatMap(({ changed, missing, added }) => [
      ...list("restored", [...changed, ...missing]),
      ...list("removed", added),
    ]),
    ...list(
      "forgotten",
      done.map((folder) => `exercise ${folder}, done ${progress.get(folder)}`),
    ),
  ];
  if (lines.length > 0) console.log(`\n${lines.join("\n")}`);
  const which = folders.length === 1 ? `lessons/${folders[0]} is` : "All lessons are";
  console.log(`\n${which} ${originals.source}.\nPages show the drawer as they did on your first visit.`);
  if (kept) console.log(`A copy of your changes is in ${kept}`);
  console.log();
}

/** Removes a file, and the folders that are empty then. */
function remove(path: string) {
  rmSync(join(root, path));
  try {
    for (let folder = dirname(path); ; folder = dirname(folder)) rmdirSync(join(root, folder));
  } catch {
    // This folder holds something else.
  }
}

/** Copies files into a new folder that is named after the time. Returns its path, from the workshop's folder. */
function keep(paths: string[]): string {
  const now = new Date();
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString();
  const name = `.workshop/before-reset/${local.slice(0, 19).replace(/[T:]/g, "-")}`;
  let folder = name;
  for (let n = 2; existsSync(join(root, folder)); n++) folder = `${name}-${n}`;
  for (const path of paths)
    cpSync(join(root, path), join(root, folder, path), { recursive: true, verbatimSymlinks: true });
  return folder;
}
