// What is new from one lesson to the next: `npm run diff 3 4`. Imports, ports and exercises are left out.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { findLesson, type Lesson, listLessons, root } from "../launcher/lessons.ts";
import { difference, withoutImports } from "./difference.ts";

function main(from: string | undefined, to: string | undefined) {
  const [one, other] = [from, to].map((wanted) => (wanted === undefined ? undefined : findLesson(wanted)));
  if (!one || !other) {
    console.error(`Say from which lesson to which: npm run diff 3 4. There is:\n\n${listLessons()}`);
    process.exitCode = 1;
    return;
  }
  try {
    const files = [...new Set([...code(one), ...code(other)])].sort(serverFirst);
    const parts = files.map((file) => {
      const [a, b] = [one, other].map(({ folder }) => `lessons/${folder}/${file}`) as [string, string];
      if (!existsSync(join(root, a))) return `${b} is new.\n\n`;
      if (!existsSync(join(root, b))) return `${a} is gone.\n\n`;
      const told = difference(a, b, withoutNoise);
      return told && `${told}\n`;
    });
    console.log(`\n${parts.join("") || "No difference.\n"}`.trimEnd());
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}

/** Without what says nothing about a lesson. */
const withoutNoise = (text: string) =>
  withoutImports(text)
    .replace(/^.*Exercise:.*\n/gm, "")
    .replace(/localhost:\d+/g, "localhost");

/** The lesson's code; its page and its tests tell the same story at greater length. */
const code = ({ folder }: Lesson) =>
  readdirSync(join(root, "lessons", folder)).filter((name) => /(?<!\.test)\.ts$/.test(name));

const serverFirst = (a: string, b: string) =>
  Number(b === "server.ts") - Number(a === "server.ts") || (a < b ? -1 : 1);

main(process.argv[2], process.argv[3]);
