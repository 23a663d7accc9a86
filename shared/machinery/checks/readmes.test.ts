// Promises of the READMEs: their quotes are in the files, the commands and files that they name exist, and tests support
// the answers to their questions.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { findLesson, findLessons, root } from "../launcher/lessons.ts";
import { lessonsWithExercise } from "./files.ts";

const read = (...path: string[]) => readFileSync(join(root, ...path), "utf8").replaceAll("\r\n", "\n");
const readmes = [...findLessons().map(({ folder }) => `lessons/${folder}/README.md`), "README.md"].filter(
  (file) => existsSync(join(root, file)),
);
const { scripts } = JSON.parse(read("package.json"));

/** Indentation does not count: an excerpt begins at the margin. */
const flush = (text: string) => text.replace(/^[ \t]+/gm, "").trim();

describe.for(readmes)("%s", (readme) => {
  const text = read(readme);
  const folder = dirname(readme);
  const inFolder = (path: string) => join(root, folder, path);

  test("quotes code that is in the file it names", () => {
    for (const [, file = "", excerpt = ""] of text.matchAll(/^```ts (\S+)\n([\s\S]*?)^```$/gm))
      expect(flush(read(folder, file)), file).toContain(flush(excerpt));
    // Code without a file's name can't be compared with anything.
    expect(text).not.toMatch(/^```ts\n/m);
  });

  test("names commands that exist", () => {
    for (const [, script = "", args = ""] of text.matchAll(/\bnpm run ([\w:]+)((?: [\w-]+)*)/g)) {
      expect(Object.keys(scripts)).toContain(script);
      for (const [number = ""] of args.matchAll(/\d+/g))
        expect(findLesson(number), script + args).toBeDefined();
    }
    for (const [, path = ""] of text.matchAll(/\b(?:npx tsx|cd) ([\w./-]+)/g))
      expect(existsSync(join(root, path)), path).toBe(true);
    for (const [, one = "", other = ""] of text.matchAll(/git diff --no-index ([\w./-]+) ([\w./-]+)/g))
      expect([one, other].map((path) => existsSync(join(root, path)))).toEqual([true, true]);
  });

  test("names files and pages that exist", () => {
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g))
      expect(existsSync(inFolder(target)), target).toBe(true);
    for (const [, path = ""] of text.matchAll(/localhost:8000\/([\w./-]+)/g))
      expect(existsSync(join(root, path)), path).toBe(true);
  });

  if (lessonsWithExercise().some((lesson) => folder === `lessons/${lesson.folder}`))
    test("has an exercise with three hints, and three questions with tests for their answers", () => {
      const folded = [
        ...text.matchAll(/^<details>\n<summary>([\s\S]+?)<\/summary>\n\n([\s\S]+?)\n\n<\/details>$/gm),
      ];
      const hints = folded.filter(([, title]) => title?.startsWith("Hint "));
      expect(hints.map(([, title]) => title?.match(/^Hint (\d): ./)?.[1])).toEqual(["1", "2", "3"]);
      const questions = folded.filter(([, title]) => /^\d\. /.test(title ?? ""));
      expect(questions).toHaveLength(3);
      for (const [, question, answer = ""] of questions) {
        const [, file = "", name = ""] =
          answer.replace(/\s+/g, " ").match(/Tested in \[[^\]]+\]\(([^)]+)\): "(.+)"\./) ?? [];
        expect(file, question).not.toBe("");
        expect(read(folder, file).replaceAll(/%[js]/g, "…"), question).toContain(`"${name}"`);
      }
    });
});

test("README.md's moving picture is under 1 MB, loads nothing, and stands still for people who prefer no motion", () => {
  const [, file = ""] = read("README.md").match(/^!\[[^\]]+\]\((.+\.svg)\)$/m) ?? [];
  const picture = read(file);
  expect(picture.length).toBeLessThan(1_000_000);
  expect([...picture.matchAll(/\b(?:href|src)="(?!data:)|url\(|<script/g)]).toEqual([]);
  expect(picture).toContain("prefers-reduced-motion: reduce");
});
