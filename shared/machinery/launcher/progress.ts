// Remembers which exercises are done, and since when, in a file that git ignores.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./lessons.ts";

const file = join(root, ".workshop", "progress.json");

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
  const done = Object.fromEntries([...readProgress().set(folder, today.join("-"))].sort());
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ done }, null, 2)}\n`);
}
