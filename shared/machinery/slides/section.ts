// A section of a Markdown file, for the slides that show its table.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../launcher/lessons.ts";

/**
 * The text under a heading of the second level, and the whole file.
 * @param path from the root of the project
 * @throws when there is no such heading
 */
export function readSection(path: string, heading: string): { section: string; text: string } {
  const text = readFileSync(join(root, path), "utf8").replaceAll("\r\n", "\n");
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (!section) throw new Error(`${path}: there is no heading "${heading}"`);
  return { section, text };
}
