// Reads in a lesson's README what the exercise is called, where its hints are, and what comes after it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Lesson, root } from "../launcher/lessons.ts";

export type Readme = {
  text: string;
  /** "Whispers": the bold words with which the section "Exercise" begins. */
  exercise: string;
  /** What the exercise teaches, in one sentence. */
  learned: string;
  /** The question that opens the next lesson. */
  nextQuestion: string;
  /** Where a heading or hint is: `lessons/03-chat/README.md:97, "Hint 2: who is Grace?"`. */
  where(begins: string): string | undefined;
};

export function readReadme({ folder }: Lesson): Readme {
  const text = readFileSync(join(root, "lessons", folder, "README.md"), "utf8").replaceAll("\r\n", "\n");
  const lines = text.split("\n");
  const find = (pattern: RegExp) => (text.match(pattern)?.[1] ?? "").replace(/\s+/g, " ").trim();
  return {
    text,
    exercise: find(/^## Exercise\n\n\*\*(.+?)\.?\*\*/m),
    learned: plain(find(/^\*\*What it teaches\.\*\* ([\s\S]*?)\n\n/m)),
    nextQuestion: plain(find(/^## Next question\n\n([\s\S]*)$/m).replace(/\s*\[\d+ · [^\]]*\]\([^)]*\)/, "")),
    where(begins) {
      const heading = lines.map((line) => line.match(/^(?:##+ |.*<summary>)(.+?)(?:<\/summary>)?$/)?.[1]);
      const at = heading.findIndex((title) => title?.startsWith(begins));
      return at < 0 ? undefined : `lessons/${folder}/README.md:${at + 1}, "${heading[at]}"`;
    },
  };
}

/** Without Markdown's marks: for a terminal. */
function plain(text: string): string {
  return text.replace(/(\*\*|_|`)(.+?)\1/g, "$2").replace(/\[([^\]]+)\]\([^)]*\)/g, "$1");
}
