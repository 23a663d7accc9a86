// When `npm run reset` ran last. A page's drawer forgets how it was left before then.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../launcher/lessons.ts";

const file = join(root, ".workshop", "last-reset");

/** As text; "" if it has never run here. */
export function lastReset(): string {
  try {
    return readFileSync(file, "utf8").replace(/[^\w-]/g, "");
  } catch {
    return "";
  }
}

export function rememberReset(): void {
  mkdirSync(join(root, ".workshop"), { recursive: true });
  writeFileSync(file, String(Date.now()));
}
