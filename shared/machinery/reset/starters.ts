// Keeps a copy of the lessons as they came, for learners who have the workshop without git.
import { cpSync, existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "../launcher/lessons.ts";

/** Where the copy is. Each version of the workshop has its own. */
export function startersFolder(): string {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return join(root, ".workshop", `lessons-as-they-came-${version}`);
}

/**
 * Makes the copy when the first lesson is started or checked, and never again: later the lessons may have been edited. It never
 * throws, because everything else works without the copy.
 */
export function keepStarters(): void {
  try {
    const folder = startersFolder();
    if (existsSync(folder)) return;
    // Half a copy must not pass for a whole one.
    const unfinished = `${folder}.${process.pid}`;
    try {
      cpSync(join(root, "lessons"), unfinished, { recursive: true });
      renameSync(unfinished, folder);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  } catch {
    // The disk is full or read-only: `npm run reset` says that there is no copy.
  }
}
