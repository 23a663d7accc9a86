// Remembers which exercises hold, in a file that git ignores.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./lessons.ts";

const file = join(root, ".workshop", "progress.json");

/** The folders of the lessons whose exercise has held once. A missing or broken file is no progress, and no fault. */
export function readProgress(): Set<string> {
  try {
    return new Set(JSON.parse(readFileSync(file, "utf8")).passed);
  } catch {
    return new Set();
  }
}

export function rememberPassed(folder: string): void {
  const passed = readProgress();
  if (passed.has(folder)) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ passed: [...passed, folder].sort() }, null, 2)}\n`);
}
