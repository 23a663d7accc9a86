// Starts the slides, and with a number that lesson as well, so that it runs inside its slides: `npm run slides 3`.
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { findLesson, findLessons, type Lesson, root, withLessons } from "../launcher/lessons.ts";
import { anyFreePort, readPort, whyNotFree } from "../launcher/ports.ts";
import { pageAddress } from "../launcher/public-host.ts";
import { whatRunsAt } from "../launcher/what-runs.ts";
import { fitTerminal } from "../launcher/wrap.ts";
import { endOnSignal, type Supervised, startNode } from "../supervisor/supervisor.ts";

const lessons = findLessons();
let running: Supervised | undefined;
let ending = false;
/** Changes wait for each other: two at a time would want the same ports. */
let changes: Promise<unknown> = Promise.resolve();

void main(process.argv[2]);

async function main(wanted: string | undefined) {
  const lesson = wanted === undefined ? undefined : findLesson(wanted, lessons);
  if (wanted !== undefined && !lesson) {
    return refuse(withLessons(`No lesson ${wanted}.`, lessons));
  }
  const fault = await whyNotStart(lesson);
  if (fault) return refuse(fault);
  endOnSignal(() => {
    ending = true;
    return end();
  });
  // The same for every lesson: the slides that are open know it already.
  process.env.CABLE_PORT = String(await anyFreePort());
  // What LAN is when the speaker opens the lesson in the slides.
  const { LAN = "" } = process.env;
  process.env.SLIDES_LAN = ["", "0"].includes(LAN) ? "1" : LAN;
  process.stdin.setEncoding("utf8").on("data", (line) => change(String(line).trim()));
  await start(lesson);
}

function refuse(why: string) {
  console.error(fitTerminal(why));
  process.exit(1);
}

/** Why the slides can't start now, in words. Most likely they run already. */
async function whyNotStart(lesson: Lesson | undefined): Promise<string | undefined> {
  try {
    const port = readPort("PAGE_PORT");
    const running = await whatRunsAt(port);
    if (running)
      return [
        `The slides are open already: http://localhost:${port}/slides/ (${running})`,
        "To show another lesson there, type its number where npm run slides runs.",
        "Or stop what runs there with Ctrl-C, and start again.",
      ].join("\n");
    const faults = [whyNotFree("PAGE_PORT", port), ...(lesson ? [whyNotFree("PORT", readPort("PORT"))] : [])];
    return (await Promise.all(faults)).find(Boolean);
  } catch (error) {
    return (error as Error).message;
  }
}

/** Another lesson, chosen by typing its number; the open slides notice by themselves. */
function change(wanted: string) {
  if (wanted === "") return;
  const lesson = findLesson(wanted, lessons);
  if (!lesson) return console.log(fitTerminal(`${withLessons(`No lesson ${wanted}.`, lessons)}\n`));
  restart(lesson);
}

/** Ends the lesson that runs, with all its connections, and starts this one. */
function restart(lesson: Lesson | undefined) {
  changes = changes.then(async () => {
    if (ending) return;
    await end();
    if (!ending) await start(lesson);
  });
}

/** The lesson's own launcher, or without a lesson the pages alone. */
async function start(lesson: Lesson | undefined) {
  const args = lesson ? ["launcher/lesson", lesson.folder] : ["pages/pages"];
  const one = startNode([join(root, "shared", "machinery", "start.cjs"), ...args], {
    cwd: root,
    output: "inherit",
  });
  running = one;
  // The speaker has opened the lesson to the network in the slides, or closed it.
  one.child.on("message", ({ network }: { network?: boolean }) => {
    if (network === undefined || running !== one) return;
    process.env.LAN = network ? process.env.SLIDES_LAN : "0";
    restart(lesson);
  });
  void one.ended.then(({ code }) => {
    if (running === one) process.exit(code ?? 1); // it has said why
  });
  const port = Number(process.env.PAGE_PORT ?? 8000);
  // A connection alone says too little: while it starts, the lesson listens there for a moment to see whether it may.
  while (running === one && !(await whatRunsAt(port))) await pause(50);
  if (running !== one || ending) return;
  console.log(fitTerminal(describe(lesson)));
}

function describe(lesson: Lesson | undefined): string {
  const place = lesson ? `#/${lesson.name}` : "";
  const last = lessons.at(-1)?.number;
  return [
    "",
    `  Slides    ${pageAddress(`/slides/${place}`)}`,
    "  Keys      S speaker's view with notes, M menu, D dark or light,",
    "            F full screen, ? all keys",
    `  Live      ${lesson ? `lesson ${lesson.number} runs inside its slides` : "no lesson runs yet"}`,
    `            another lesson: type its number (1 to ${last}) here, and Enter`,
    "",
  ].join("\n");
}

async function end(): Promise<void> {
  const one = running;
  running = undefined;
  await one?.end();
}
