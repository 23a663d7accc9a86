// Remembers which exercises are done, and on which day, in a file that git ignores.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./lessons.ts";

/** Its path from the workshop's folder. */
export const progressFile = ".workshop/progress.json";
const file = join(root, progressFile);

/** The day on which each exercise was done last, by lesson folder: "03-chat" → "2026-11-21". Without a usable file: none. */
export function readProgress(): Map<string, string> {
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(file, "utf8")).done));
  } catch {
    return new Map();
  }
}

/** All checks of this lesson's exercise pass today, in local time. */
export function rememberDone(folder: string): void {
  const now = new Date();
  const today = [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((n) => String(n).padStart(2, "0"));
  write(readProgress().set(folder, today.join("-")));
}

/** As if these exercises had not been done. */
export function forgetDone(folders: string[]): void {
  if (folders.length === 0) return;
  const done = readProgress();
  for (const folder of folders) done.delete(folder);
  write(done);
}

function write(done: Map<string, string>) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ done: Object.fromEntries([...done].sort()) }, null, 2)}\n`);
}
