// Starts a lesson: its server and the server of its page, together. Without a number it lists the lessons.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { get } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "concurrently";
import { compiled } from "../cable/compiled.ts";
import { keepStarters } from "../reset/starters.ts";
import { boundedOutput, showControls } from "../supervisor/output.ts";
import { endOnSignal, type Supervised, startNode } from "../supervisor/supervisor.ts";
import { describeLan, lanAddresses } from "./lan.ts";
import { findLesson, findLessons, type Lesson, listLessons, root, withLessons } from "./lessons.ts";
import { canConnect, portsBehind, readPort, whyNotFree } from "./ports.ts";
import { readProgress } from "./progress.ts";
import { pageAddress } from "./public-host.ts";
import { describeError, describeSilence, runningAgain, silentAfterMs } from "./server-lines.ts";
import { fitTerminal } from "./wrap.ts";

const interactive = Boolean(process.stdin.isTTY && process.stdout.isTTY && !process.env.CI);
const coloured = Boolean(process.stdout.isTTY && !process.env.NO_COLOR);
const output = boundedOutput(process.stdout);
const say = (text: string) => output.write(`${fitTerminal(text)}\n`);

void main(process.argv[2]);

async function main(wanted: string | undefined) {
  keepStarters();
  const lessons = findLessons();
  if (wanted === undefined) {
    const list = listLessons(lessons, readProgress());
    console.log(fitTerminal(`The lessons:\n\n${list}\n\nStart one with: npm run lesson 1`));
    return;
  }
  const lesson = findLesson(wanted, lessons);
  if (!lesson) return refuse(withLessons(`No lesson ${wanted}.`, lessons));
  try {
    const port = readPort("PORT");
    const pagePort = readPort("PAGE_PORT");
    if (port === pagePort) return refuse(`PORT and PAGE_PORT are both ${port}: they have to differ.`);
    const faults = await Promise.all([whyNotFree("PORT", port), whyNotFree("PAGE_PORT", pagePort)]);
    const fault = faults.find(Boolean);
    if (fault) return refuse(fault);
    await run(lesson, port, pagePort);
  } catch (error) {
    refuse((error as Error).message);
  }
}

function refuse(why: string) {
  console.error(fitTerminal(why));
  process.exitCode = 1;
}

/** One of the programs that run side by side: a Node program from the root of the workshop. */
type Program = {
  name: "page" | "cable" | "server";
  color: string;
  args: string[];
  env: Record<string, string>;
};

/** The program that is the server or runs it, and the pages. */
async function programsOf(lesson: Lesson, port: number, pagePort: number, lan: string[]): Promise<Program[]> {
  // SERVER_FILE: our solution instead of the learner's file (npm run solution 3 run).
  const file = process.env.SERVER_FILE ?? join("lessons", lesson.folder, "server.ts");
  const env: Record<string, string> = { PORT: `${port}`, PAGE_PORT: `${pagePort}`, LESSON: lesson.folder };
  // Lesson 12 signs its sessions with it. People stay logged in when a file is saved and the server restarts.
  env.SESSION_SECRET = process.env.SESSION_SECRET ?? randomBytes(32).toString("base64url");
  if (lan.length > 0) env.LAN_HOSTS = lan.join(",");
  // Only what is named here opens to the network: the pages, and either the cable or the server.
  const open = (variable: string) =>
    lan[0] ? { [variable]: process.env.LAN === "1" ? "0.0.0.0" : lan[0] } : undefined;
  const start = join("shared", "machinery", "start.cjs");
  const page: Program = { name: "page", color: "magenta", args: [start, "pages/pages"], env };
  if (process.env.CABLE === "off") {
    const args = [join("node_modules", "tsx", "dist", "cli.mjs"), "watch", "--clear-screen=false", file];
    Object.assign(env, { CABLE_PORT: "" });
    return [{ name: "server", color: "cyan", args, env: { ...env, ...open("HOST") } }, page];
  }
  // PORT leads through the cable to the server, which has a port of its own. The cable starts the server, since it
  // can also kill it, and prints what the server prints.
  const nextPort = portsBehind(port);
  const cablePort = process.env.CABLE_PORT || (await nextPort());
  const serverPort = await nextPort();
  Object.assign(env, { SERVER_PORT: `${serverPort}`, CABLE_PORT: `${cablePort}` });
  const cable = compiled(join(root, "shared", "machinery", "cable", "cable.ts"));
  const args = [...("args" in cable ? cable.args : [start, "cable/cable"]), file];
  return [{ name: "cable", color: "yellow", args, env: { ...env, ...open("CABLE_HOST") } }, page];
}

async function run(lesson: Lesson, port: number, pagePort: number) {
  const lan = lanAddresses();
  const programs = (await programsOf(lesson, port, pagePort, lan)).map((program) => ({
    ...program,
    process: startNode(program.args, { cwd: root, env: environment(program.env) }),
  }));
  const server = programs[0]?.process as Supervised;
  const folder = `lessons/${lesson.folder}`;
  const serverIsUp =
    process.env.CABLE === "off"
      ? watchTsx(server, `${folder}/server.ts`, port)
      : new Promise<void>((resolve) =>
          server.child.on("message", (state: { server: string }) => state.server === "running" && resolve()),
        );
  // The slides ask, through the pages, to open the lesson to the network: see slides.ts.
  programs.at(-1)?.process.child.on("message", (wish) => process.send?.(wish));
  void runTogether(programs);

  while (!(await pageAnswers(pagePort, lesson))) await pause(50);
  await serverIsUp;
  const path = `/lessons/${lesson.folder}/`;
  const address = pageAddress(path);
  say(
    [
      "",
      `  Lesson ${lesson.number} · ${lesson.title}`,
      "",
      `  Open      ${address}  ${lesson.windows === 2 ? "in two windows, side by side" : ""}`.trimEnd(),
      `  Read on   ${folder}/README.md`,
      // Our solution runs, not the learner's server: editing that one would change nothing here.
      process.env.SERVER_FILE
        ? `  Compare   npm run solution ${lesson.number} shows your server.ts beside ours`
        : `  Edit      ${folder}/server.ts, ${folder}/client.ts: save, and it runs`,
      "  End       Ctrl-C",
      ...(interactive ? ["", "  Press Enter to open it in the browser."] : []),
      "",
    ].join("\n"),
  );
  const [phones, ...others] = lan.map((host) => `http://${host}:${pagePort}${path}`);
  if (phones) say(describeLan(phones, others));
  if (interactive) process.stdin.on("data", () => openInBrowser(address));
}

/** A program's environment. Only LAN opens a lesson to the network, whatever HOST says. */
function environment(own: Record<string, string>): NodeJS.ProcessEnv {
  const { NO_COLOR: _, FORCE_COLOR: __, HOST: ___, CABLE_HOST: ____, LAN_HOSTS: _____, ...env } = process.env;
  return { ...env, ...(coloured ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" }), ...own };
}

/** Lets concurrently print what the programs print, each with its name in its color, and end all when the first ends. */
async function runTogether(programs: (Program & { process: Supervised })[]): Promise<void> {
  let ending = false;
  let unexpected = false;
  const end = () => {
    ending = true;
    return Promise.all(programs.map(({ process }) => process.end()));
  };
  endOnSignal(end);
  // The terminal is gone, so nobody reads what we print.
  process.stdout.on("error", () => void end().then(() => process.exit(0)));

  // Loaded a moment after there is something to print: until then the programs need the CPU to start.
  // The listener also holds back what a program prints, and the event that it is gone, until concurrently listens.
  const streams = programs.flatMap(({ process: { child } }) => [child.stdout, child.stderr]);
  let loadNow = () => {};
  await new Promise<void>((resolve) => {
    loadNow = () => setTimeout(resolve, 200);
    for (const stream of streams) stream?.on("readable", loadNow);
  });
  const { createConcurrently, KillOthers, Logger, LogOutput } = await import("concurrently");
  class LessonLogger extends Logger {
    // The launcher has its own words for what has ended.
    override logGlobalEvent() {}
    override logCommandText(text: string, command: Command) {
      // The cable has named its lines already, since it prints the server's as well. It has also made control characters visible.
      if (command.name === "cable") this.emit(command, text);
      else super.logCommandText(text.split("\n").map(showControls).join("\n"), command);
    }
  }
  const logger = new LessonLogger({ prefixFormat: "name" });
  logger.toggleColors(coloured);
  logger.setPrefixLength("server".length);
  const commandOf = ({ args }: Program) => ["node", ...args].join(" ");
  const find = (pid: number) => programs.find(({ process: { child } }) => child.pid === pid)?.process;
  const { commands, result } = createConcurrently(
    programs.map((program) => ({
      command: commandOf(program),
      name: program.name,
      prefixColor: program.color,
    })),
    {
      logger,
      outputStream: output,
      controllers: [
        new LogOutput({ logger }),
        new KillOthers({
          logger,
          conditions: ["success", "failure"],
          killSignal: undefined,
          timeoutMs: undefined,
        }),
      ],
      spawn: (command) => {
        const found = programs.find((program) => commandOf(program) === command);
        if (!found) throw new Error(`No program ${command}.`);
        return found.process.child;
      },
      kill: (pid) => void find(pid)?.end(),
    },
  );

  for (const stream of streams) stream?.off("readable", loadNow);
  for (const { name, close } of commands)
    close.subscribe(({ exitCode }) => {
      if (ending || unexpected) return;
      unexpected = true;
      const why = typeof exitCode === "number" ? `exit code ${exitCode}` : exitCode;
      console.error(`The ${name} process ended unexpectedly (${why}): stopping.`);
    });
  // It rejects when a program ended with a code other than 0. That has been printed.
  await result.catch(() => {});
  if (unexpected) process.exit(1);
}

/**
 * Says how the server is while tsx watches it, without the cable. Node ends the trace of an error nobody caught with
 * its version; that is how we know that the server is down. Resolves when the server listens for the first time.
 */
function watchTsx({ child }: Supervised, file: string, port: number): Promise<void> {
  return new Promise((resolve) => {
    let state: "starting" | "running" | "broken" = "starting";
    let wasUp = false;
    let startedAt = performance.now();
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (text) => {
        if (/^Node\.js v\d/m.test(String(text)) && state !== "broken") {
          state = "broken";
          setTimeout(() => say(`\n${describeError(file)}\n`), 200); // after the trace
        }
        if (/\[tsx\]/.test(String(text))) startedAt = performance.now();
      });
    let isSilent = false;
    const look = async () => {
      const answers = await canConnect(port, "127.0.0.1");
      if (answers && state !== "running") {
        if (wasUp) say(`\n${runningAgain}\n`);
        wasUp = true;
        isSilent = false;
        state = "running";
        resolve();
      } else if (!answers && state === "running") {
        state = "starting";
        startedAt = performance.now();
      } else if (
        !answers &&
        state === "starting" &&
        !isSilent &&
        performance.now() - startedAt > silentAfterMs
      ) {
        isSilent = true;
        say(`\n${describeSilence(file)}\n`);
      }
      setTimeout(look, 50).unref();
    };
    void look();
  });
}

function pageAnswers(port: number, lesson: Lesson): Promise<boolean> {
  return new Promise((resolve) => {
    const path = `/lessons/${lesson.folder}/`;
    const options = { host: "127.0.0.1", port, path, timeout: 2_000, agent: false };
    const request = get({ ...options, headers: { Host: `localhost:${port}` } }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy()).on("error", () => resolve(false));
  });
}

function openInBrowser(address: string) {
  const [command, ...args] =
    process.platform === "win32"
      ? ["cmd", "/c", "start", '""', address]
      : [process.platform === "darwin" ? "open" : "xdg-open", address];
  spawn(command as string, args, { stdio: "ignore", detached: true, windowsVerbatimArguments: true })
    .on("error", () => say(`No browser could be opened from here: open ${address} yourself.`))
    .unref();
}
