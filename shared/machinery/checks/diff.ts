// What is new from one lesson to the next: `npm run diff 3 4`. It compares what was checked in, without imports, ports
// and exercises: a learner's own changes would look like differences between the lessons.
import { readdirSync, readFileSync } from "node:fs";
import { findLesson, type Lesson, withLessons } from "../launcher/lessons.ts";
import { fitTerminal } from "../launcher/wrap.ts";
import { difference, git } from "./difference.ts";
import { pathOf } from "./files.ts";

function main(from: string | undefined, to: string | undefined) {
  const [one, other] = [from, to].map((wanted) => (wanted === undefined ? undefined : findLesson(wanted)));
  if (!one || !other) {
    console.error(fitTerminal(withLessons("Name two lessons: npm run diff 3 4.")));
    process.exitCode = 1;
    return;
  }
  try {
    const [a, b] = [checkedIn(one), checkedIn(other)];
    console.log(
      a && b
        ? "\nWithout imports, and without your own changes: as checked in with git (HEAD).\n"
        : fitTerminal(
            "\nWithout imports. This folder is not a git checkout, so your own changes are shown, too.\n",
          ),
    );
    console.log(compare(one, a ?? onDisk(one), other, b ?? onDisk(other)).trimEnd() || "No difference.");
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}

/** The text of each file of a lesson's code, by its name. */
type Files = Map<string, string>;

/** The lesson's code. Its page and its tests say the same at greater length. */
const isCode = (name: string) => /\.ts$/.test(name) && !/\.test\.ts$|^check\.ts$/.test(name);

/** Undefined without a git checkout of these files, as in a downloaded zip. */
function checkedIn({ folder }: Lesson): Files | undefined {
  const { output } = git("ls-tree", "-z", "--name-only", "HEAD", `lessons/${folder}/`);
  const names = output.split("\0").map((path) => path.slice(`lessons/${folder}/`.length));
  const files = names
    .filter(isCode)
    .map((name): [string, string] => [name, git("show", `HEAD:./lessons/${folder}/${name}`).output]);
  return files.length > 0 ? new Map(files) : undefined;
}

function onDisk(lesson: Lesson): Files {
  const names = readdirSync(pathOf(lesson)).filter(isCode);
  return new Map(names.map((name) => [name, readFileSync(pathOf(lesson, name), "utf8")]));
}

function compare(one: Lesson, from: Files, other: Lesson, to: Files): string {
  const names = [...new Set([...from.keys(), ...to.keys()])].sort(serverFirst);
  const parts = names.map((name) => {
    const [a, b] = [`lessons/${one.folder}/${name}`, `lessons/${other.folder}/${name}`];
    const [before, after] = [from.get(name), to.get(name)];
    if (before === undefined) return `${b} is new.\n`;
    if (after === undefined) return `${a} is gone.\n`;
    return difference({ name: a, text: withoutNoise(before) }, { name: b, text: withoutNoise(after) });
  });
  return parts.filter(Boolean).join("\n");
}

/** Without the lines that aren't part of what a lesson shows. */
const withoutNoise = (text: string) =>
  text.replace(/^.*Exercise:.*\r?\n/gm, "").replace(/localhost:\d+/g, "localhost");

const serverFirst = (a: string, b: string) =>
  Number(b === "server.ts") - Number(a === "server.ts") || (a < b ? -1 : 1);

main(process.argv[2], process.argv[3]);
