// Starts a lesson: its server and the server of its page, together. Without a number it lists the lessons.
import { type ChildProcess, spawn } from "node:child_process";
import { get } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { listenHost } from "../../server/allowed-hosts.ts";
import { describeLan, lanAddresses } from "./lan.ts";
import { findLesson, findLessons, type Lesson, listLessons, root } from "./lessons.ts";
import { anyFreePort, canConnect, readPort, whyNotFree } from "./ports.ts";
import { readProgress } from "./progress.ts";

const interactive = Boolean(process.stdin.isTTY && process.stdout.isTTY && !process.env.CI);
const coloured = Boolean(process.stdout.isTTY && !process.env.NO_COLOR);

void main(process.argv[2]);

async function main(wanted: string | undefined) {
  const lessons = findLessons();
  if (wanted === undefined) {
    console.log(
      `The lessons:\n\n${listLessons(lessons, readProgress())}\n\nStart one with: npm run lesson 1`,
    );
    return;
  }
  const lesson = findLesson(wanted, lessons);
  if (!lesson) return refuse(`No lesson ${wanted}. There is:\n\n${listLessons(lessons)}`);
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
  console.error(why);
  process.exitCode = 1;
}

/** What runs side by side: each a Node program with its arguments, from the root of the workshop. */
async function programsOf(lesson: Lesson, port: number, pagePort: number): Promise<Program[]> {
  // SERVER_FILE: our solution instead of the learner's file (npm run solution 3 run).
  const server = process.env.SERVER_FILE ?? join("lessons", lesson.folder, "server.ts");
  const ports = { PORT: `${port}`, PAGE_PORT: `${pagePort}` };
  const args = [join("shared", "machinery", "start.cjs"), "pages/pages"];
  const page = { name: "page", colour: "magenta", lanHost: "HOST" as const, args };
  if (process.env.CABLE === "off") {
    const watch = [join("node_modules", "tsx", "dist", "cli.mjs"), "watch", "--clear-screen=false", server];
    return [
      { ...page, env: { ...ports, CABLE_PORT: "" } },
      { name: "server", colour: "cyan", lanHost: "HOST", args: watch, env: ports, serverPort: port },
    ];
  }
  // PORT leads through the cable to the server, which has a port of its own. The cable starts the server, since it
  // can also kill it, and prints what it says.
  const [serverPort, cablePort] = [await anyFreePort(), await anyFreePort()];
  const env = { ...ports, SERVER_PORT: `${serverPort}`, CABLE_PORT: `${cablePort}` };
  const cable = ["--import", "tsx", join("shared", "machinery", "cable", "cable.ts"), server];
  return [
    { ...page, env },
    // The room comes in through the cable; the server behind it and the cable's controls stay on loopback.
    {
      name: "cable",
      colour: "yellow",
      lanHost: "CABLE_HOST",
      args: cable,
      env,
      serverPort,
      speaksFor: "server",
    },
  ];
}

type Program = {
  name: string;
  colour: string;
  args: string[];
  env: Record<string, string>;
  /** With LAN=1 the variable that opens it to the network. */
  lanHost: "HOST" | "CABLE_HOST";
  /** Where the lesson's server itself listens, if this program is it or runs it. */
  serverPort?: number;
  /** Lines that begin with this name are another's, which this program runs. */
  speaksFor?: string;
};

async function run(lesson: Lesson, port: number, pagePort: number) {
  const [lanAddress, ...others] = lanAddresses();
  const lanHosts = lanAddress && [lanAddress, ...others].join(",");
  const programs = (await programsOf(lesson, port, pagePort)).map((program) => {
    const lan = lanHosts && { [program.lanHost]: "0.0.0.0", LAN_HOSTS: lanHosts };
    return { ...program, child: start(program.args, { ...program.env, LESSON: lesson.folder, ...lan }) };
  });
  const children = programs.map(({ child }) => child);
  let ending = false;

  /** Ends everything: each child sees the end of its stdin (see with-launcher.cjs) and closes what it holds. */
  function end(exitCode: number) {
    if (ending) return;
    ending = true;
    for (const child of children) child.stdin?.end();
    // tsx gives a server 5 s to end by itself; what is still there after that is killed.
    const lastResort = setTimeout(() => children.forEach(kill), 7_000);
    // "close" comes when nobody holds the other end of the pipes any more, a child's own child included.
    Promise.all(children.map(closed)).then(() => {
      clearTimeout(lastResort);
      process.exit(exitCode);
    });
  }

  // The second Ctrl-C is from somebody who does not want to wait.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => (ending ? children.forEach(kill) : end(0)));
  // Nobody reads what we print any more: the terminal is gone.
  process.stdout.on("error", () => end(0));

  for (const { name, child } of programs)
    child.on("exit", (code, signal) => {
      if (ending) return;
      kill(child); // what it may have left behind
      console.error(`The ${name} process ended unexpectedly (${signal ?? `exit code ${code}`}): stopping.`);
      end(1);
    });

  await showOutput(programs.flatMap(voices));

  const address = `http://localhost:${pagePort}/lessons/${lesson.folder}/`;
  const folder = `lessons/${lesson.folder}`;
  const running = programs.find(({ serverPort }) => serverPort !== undefined);
  const serverAnswers = () => canConnect(running?.serverPort ?? port, "127.0.0.1");
  const until = async (answers: () => Promise<boolean>) => {
    while (!ending && !(await answers())) await pause(50);
  };

  // The server counts as broken when it has printed an error and does not answer a moment later.
  let broken = false;
  const look = later(1_500, async () => {
    if (broken || ending || (await serverAnswers())) return;
    broken = true;
    console.log(`\n${folder}/server.ts has an error (above). Mend it and save: it starts again by itself.\n`);
    await until(serverAnswers);
    broken = false;
    if (!ending && shown) console.log("\nThe server answers again.\n");
  });
  let shown = false;
  // The cable's own lines say nothing about the server.
  for (const stream of [running?.child.stdout, running?.child.stderr])
    stream?.on("data", (text) => /^(?!cable )/m.test(String(text).trimEnd()) && look());
  const remind = setTimeout(() => {
    if (!broken)
      console.log(`\nNothing answers on port ${port} yet. Does ${folder}/server.ts listen on PORT?\n`);
  }, 10_000);

  await until(() => pageAnswers(pagePort, lesson));
  await until(serverAnswers);
  clearTimeout(remind);
  if (ending) return;
  shown = true;
  console.log(
    [
      "",
      `  Lesson ${lesson.number} · ${lesson.title}`,
      "",
      `  Open      ${address}  in two tabs`,
      `  Read on   ${folder}/README.md`,
      // With our solution the learner's server is left alone: to edit it would change nothing here.
      process.env.SERVER_FILE
        ? `  Compare   npm run solution ${lesson.number} shows your server.ts beside ours`
        : `  Edit      ${folder}/server.ts, ${folder}/client.ts: save, and it runs`,
      "  End       Ctrl-C",
      ...(interactive ? ["", "  Press Enter to open it in the browser."] : []),
      "",
    ].join("\n"),
  );
  if (lanAddress)
    console.log(describeLan(`http://${lanAddress}:${pagePort}/lessons/${lesson.folder}/`, others));
  if (interactive) process.stdin.on("data", () => openInBrowser(address));
}

function start(args: string[], ports: Record<string, string>): ChildProcess {
  const { NO_COLOR: _, FORCE_COLOR: __, ...env } = process.env;
  return spawn(
    process.execPath,
    // Not --require: together with tsx's --import the program would never begin.
    [
      "--import",
      pathToFileURL(join(root, "shared", "machinery", "launcher", "with-launcher.cjs")).href,
      ...args,
    ],
    {
      cwd: root,
      env: { ...env, ...ports, ...(coloured ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" }) },
      stdio: ["pipe", "pipe", "pipe"],
      // A group of its own: Ctrl-C reaches the launcher alone, and each server is asked to end once, not three times.
      detached: process.platform !== "win32",
      windowsHide: true,
    },
  );
}

type Voice = { name: string; colour: string; child: ChildProcess };

/** A program's own voice, and that of the server which it runs: two names in the output, one process here. */
function voices({ name, colour, child, speaksFor }: Program & { child: ChildProcess }): Voice[] {
  if (!speaksFor) return [{ name, colour, child }];
  const [own, other] = [new PassThrough(), new PassThrough()];
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface(stream).on("line", (line) => {
      const [who] = line.split(" ", 1);
      const text = who === speaksFor || who === name ? line.slice(who.length + 1) : line;
      (who === speaksFor ? other : own).write(`${text}\n`);
    });
  }
  // Only what concurrently looks at differs: the streams. Events and pid are the process's.
  const speaking = (stdout: PassThrough): ChildProcess =>
    Object.create(child, { stdout: { value: stdout }, stderr: { value: null } });
  return [
    { name, colour, child: speaking(own) },
    { name: speaksFor, colour: "cyan", child: speaking(other) },
  ];
}

/** Lets concurrently print the children's lines, each with its name in its colour. */
async function showOutput(programs: Voice[]) {
  // Loaded while the children start. They were started without it: its own way goes through a shell.
  const { createConcurrently, Logger, LogOutput } = await import("concurrently");
  const logger = new Logger({ prefixFormat: "name" });
  logger.toggleColors(coloured);
  logger.setPrefixLength(Math.max(...programs.map(({ name }) => name.length)));
  const { result } = createConcurrently(
    programs.map(({ name, colour }) => ({ command: name, name, prefixColor: colour })),
    {
      logger,
      outputStream: process.stdout,
      controllers: [new LogOutput({ logger })],
      spawn: (command) => {
        const found = programs.find(({ name }) => name === command);
        if (!found) throw new Error(`No program ${command}.`);
        return found.child;
      },
      kill: () => {}, // ended by the launcher, see end()
    },
  );
  result.catch(() => {}); // rejects when a child ends with a code other than 0, which "exit" tells as well
}

function closed(child: ChildProcess): Promise<unknown> {
  const { stdout, stderr } = child;
  const over = child.exitCode !== null || child.signalCode !== null;
  if (over && stdout?.destroyed && stderr?.destroyed) return Promise.resolve();
  return new Promise((resolve) => child.once("close", resolve));
}

/** Ends a child and all that it started. */
function kill(child: ChildProcess) {
  if (!child.pid) return;
  if (process.platform === "win32") {
    spawn("taskkill", ["/pid", String(child.pid), "/T", "/F"], { stdio: "ignore" }).on("error", () => {});
    return;
  }
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nobody of that group is left.
  }
}

function pageAnswers(pagePort: number, lesson: Lesson): Promise<boolean> {
  return new Promise((resolve) => {
    const host = listenHost();
    const options = {
      host,
      port: pagePort,
      path: `/lessons/${lesson.folder}/`,
      timeout: 2_000,
      agent: false,
    };
    const request = get({ ...options, headers: { Host: `localhost:${pagePort}` } }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy()).on("error", () => resolve(false));
  });
}

/** A function that acts `ms` after it was last called. */
function later(ms: number, act: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, ms);
  };
}

function openInBrowser(address: string) {
  const [command, ...args] =
    process.platform === "win32"
      ? ["cmd", "/c", "start", '""', address]
      : [process.platform === "darwin" ? "open" : "xdg-open", address];
  spawn(command as string, args, { stdio: "ignore", detached: true, windowsVerbatimArguments: true })
    .on("error", () => console.log(`No browser could be opened from here: open ${address} yourself.`))
    .unref();
}
