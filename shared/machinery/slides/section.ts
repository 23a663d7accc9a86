// A section of a Markdown file, for the slides that show its table.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../launcher/lessons.ts";

/**
 * The text under a heading of the second level, and the whole file.
 * @param path from the root of the project
 * @param headings a heading, or several with " | " between them: the first one that is there
 * @throws when there is no such heading
 */
export function readSection(path: string, headings: string): { section: string; text: string } {
  const text = readFileSync(join(root, path), "utf8").replaceAll("\r\n", "\n");
  const sections = text.split(/^## /m);
  const [section] = headings
    .split(" | ")
    .flatMap((heading) => sections.filter((part) => part.startsWith(`${heading}\n`)));
  if (!section) throw new Error(`${path}: there is no heading "${headings}"`);
  return { section, text };
}
