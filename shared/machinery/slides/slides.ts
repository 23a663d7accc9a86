// Starts the slides, and with a number that lesson as well, so that it runs inside its slides: `npm run slides 3`.
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { findLesson, findLessons, type Lesson, listLessons, root } from "../launcher/lessons.ts";
import { canConnect, readPort } from "../launcher/ports.ts";
import { endOnSignal, type Supervised, startNode } from "../supervisor/supervisor.ts";

const lessons = findLessons();
let running: Supervised | undefined;
let ending = false;

void main(process.argv[2]);

async function main(wanted: string | undefined) {
  const lesson = wanted === undefined ? undefined : findLesson(wanted, lessons);
  if (wanted !== undefined && !lesson) {
    console.error(`No lesson ${wanted}. There is:\n\n${listLessons(lessons)}`);
    process.exit(1);
  }
  endOnSignal(() => {
    ending = true;
    return end();
  });
  process.stdin.setEncoding("utf8").on("data", (line) => void change(String(line).trim()));
  await start(lesson);
}

/** Another lesson, chosen by typing its number; the open slides notice by themselves. */
async function change(wanted: string) {
  if (ending || wanted === "") return;
  const lesson = findLesson(wanted, lessons);
  if (!lesson) return console.log(`No lesson ${wanted}. There is:\n\n${listLessons(lessons)}\n`);
  await end();
  if (!ending) await start(lesson);
}

/** The lesson's own launcher, or without a lesson the pages alone. */
async function start(lesson: Lesson | undefined) {
  const args = lesson ? ["launcher/lesson", lesson.folder] : ["pages/pages"];
  const one = startNode([join(root, "shared", "machinery", "start.cjs"), ...args], {
    cwd: root,
    output: "inherit",
  });
  running = one;
  void one.ended.then(({ code }) => {
    if (running === one) process.exit(code ?? 1); // it has said why
  });
  const port = Number(process.env.PAGE_PORT ?? 8000);
  while (running === one && !(await canConnect(port, "127.0.0.1"))) await pause(50);
  if (running !== one || ending) return;
  console.log(describe(readPort("PAGE_PORT"), lesson));
}

function describe(port: number, lesson: Lesson | undefined): string {
  const place = lesson ? `#/${lesson.name}` : "";
  const others = lessons.filter((one) => one !== lesson).map(({ number }) => number);
  const other = others.length > 1 ? `${others.slice(0, -1).join(", ")} or ${others.at(-1)}` : others.join();
  return [
    "",
    `  Slides    http://localhost:${port}/slides/${place}`,
    "  Keys      S speaker's view with notes, M menu, D dark or light, F full screen, ? all keys",
    `  Live      ${lesson ? `lesson ${lesson.number} runs inside its slides` : "no lesson runs yet"}`,
    `            another lesson: type its number (${other}) here, and Enter`,
    "",
  ].join("\n");
}

async function end(): Promise<void> {
  const one = running;
  running = undefined;
  await one?.end();
}
