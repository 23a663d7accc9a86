// The learner's server as a process of its own, on a port that nobody else uses.
import { AsyncLocalStorage } from "node:async_hooks";
import { get } from "node:http";
import { connect } from "node:net";
import { join, relative } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { root } from "../launcher/lessons.ts";
import { anyFreePort } from "../launcher/ports.ts";
import { startNode } from "../supervisor/supervisor.ts";
import { placesIn } from "./bundle.ts";
import {
  debuggable,
  findLoop,
  type Holdings,
  holdBack,
  holdingsOf,
  repeatRandom,
  stopClock,
} from "./debugger.ts";

export type LessonServer = {
  port: number;
  url: string;
  /** Starts another one from the same file, with a memory of its own, as a restart does. `env`: more variables for it. */
  startAnother(env?: Env): Promise<LessonServer>;
  /** What it still holds. The wire can't tell. Undefined when its debugger doesn't answer. */
  holdings(): Promise<Holdings | undefined>;
  /**
   * What it sends to the client at this port stays in its memory from now on, or goes out `again`: as if that client read
   * nothing for a while, and the system's buffers were full. Undefined when its debugger doesn't answer.
   */
  holdBack(port: number, again?: "again"): Promise<unknown>;
  /** From now on, `Date.now()` returns the same time in it. Undefined when its debugger doesn't answer. */
  stopClock(): Promise<unknown>;
  /** `Math.random()` in it begins again, as after the last call of this. Undefined when its debugger doesn't answer. */
  repeatRandom(): Promise<unknown>;
};

/** A server that ended by itself. `why` is the last error it printed, `where` the place in the learner's file. */
export class Ended extends Error {
  readonly why: string;
  readonly where: string | undefined;
  constructor({ why, where }: Complaint) {
    super(why);
    this.why = why;
    this.where = where;
  }
}

/** A server that is stuck in an endless loop. `where`: on which line, "" when it can't be told. */
export class Looping extends Error {
  readonly where: string;
  constructor(where: string) {
    super(`an endless loop at ${where}`);
    this.where = where;
  }
}

export type Complaint = { why: string; where: string | undefined };

const clockSpeed = join(root, "shared", "machinery", "checks", "clock-speed.cjs");

type Running = Awaited<ReturnType<typeof startServer>>;

/** The servers of the check that is running, without those of the checks beside it. */
export const serversOfCheck = new AsyncLocalStorage<Set<Running>>();

type Env = Record<string, string>;

/** Starts a compiled server. `folder` is where its source is. `speed`: see checks.ts. */
export async function startServer(program: string, folder: string, speed?: number, more: Env = {}) {
  const port = await anyFreePort();
  // Certificates are for requests to other sites. Reading them takes Node 20 twice as long as the rest of its start.
  const { HOST: _, NODE_EXTRA_CA_CERTS: __, ...env } = process.env;
  const one = startNode([...debuggable, ...(speed ? ["--require", clockSpeed] : []), program], {
    cwd: root,
    // No beats while a check runs: it takes one for the answer to its own.
    env: {
      ...env,
      PORT: String(port),
      PING_EVERY_MS: "3600000",
      NO_COLOR: "1",
      ...(speed && { CLOCK_SPEED: String(speed) }),
      ...more,
    },
  });
  // Errors, and where the debugger listens, go to stderr. What the lesson prints goes to stdout.
  let errors = "";
  one.child.stderr?.setEncoding("utf8").on("data", (chunk) => {
    errors = (errors + chunk).slice(-20_000);
  });
  one.child.stdout?.resume();
  let stopped = false;
  let fail: (why: Error) => void = () => {};
  const gone = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  gone.catch(() => {});
  void one.ended.then(({ why }) => {
    if (!stopped) fail(new Ended(complaint(errors, program, folder) ?? { why, where: undefined }));
  });
  /** Undefined where the server could not be started. */
  const withDebugger = async <Value>(work: (pid: number, stderr: () => string) => Promise<Value>) =>
    one.child.pid === undefined ? undefined : work(one.child.pid, () => errors);
  const server = {
    port,
    url: `http://127.0.0.1:${port}`,
    /** Rejects when the server ends before `stop()`: with `Ended`, or with `Looping`. */
    gone,
    /** The last error that it has printed, if there is one. */
    complaint: () => complaint(errors, program, folder),
    /** Whether it has found another program at its port. */
    isPortTaken: () => errors.includes(`Port ${port} is taken`),
    /** Resolves when it accepts connections, rejects as `gone` does. */
    listening: Promise.race([listening(port, one.child.stdout, () => stopped), gone]),
    stop() {
      stopped = true;
      void one.kill();
    },
    holdings: () => withDebugger(holdingsOf),
    holdBack: (port: number, again?: "again") =>
      withDebugger((pid, stderr) => holdBack(pid, stderr, port, again === "again")),
    stopClock: () => withDebugger(stopClock),
    repeatRandom: () => withDebugger(repeatRandom),
    /** Stops it if it is in an endless loop. */
    async endLoop() {
      const { pid } = one.child;
      if (stopped || pid === undefined || (await answers(port))) return;
      const where = await findLoop(pid, () => errors);
      if (where === undefined || stopped) return;
      fail(new Looping(where));
      this.stop();
    },
  };
  server.listening.catch(() => {});
  return server;
}

/** Stops the servers of the check that is under way, as far as they are in an endless loop. */
export async function endLoops(): Promise<void> {
  await Promise.all(Array.from(serversOfCheck.getStore() ?? [], (server) => server.endLoop()));
}

/** A server prints when it listens. One that prints nothing, or too early, is asked. */
async function listening(port: number, stdout: Readable | null, given: () => boolean) {
  await Promise.race([new Promise((resolve) => stdout?.once("data", resolve)), pause(300)]);
  while (!given() && !(await accepts(port))) await pause(10);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/** Whether any answer comes: the system accepts connections also for a process that does nothing with them. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: "127.0.0.1", port, agent: false, timeout: 500 }, (response) => {
      response.destroy();
      resolve(true);
    });
    request.on("timeout", () => request.destroy()).on("error", () => resolve(false));
  });
}

/** "TypeError: …" and where in the learner's folder, from what a server has printed. */
function complaint(output: string, program: string, folder: string): Complaint | undefined {
  const lines = output.split("\n").map((line) => line.trimEnd());
  const why = lines.findLast((line) => /^(Uncaught )?\w*Error\b.*: /.test(line));
  if (!why) return;
  const inFolder = `${relative(root, folder).replaceAll("\\", "/")}/`;
  const placeOf = placesIn(program);
  const trace = lines.slice(lines.lastIndexOf(why));
  const where = [...trace, ...lines]
    .map((line) => line.match(/server\.mjs:(\d+)(?::(\d+))?\)?$/))
    .map((found) => found && placeOf(Number(found[1]) - 1, Number(found[2] ?? 1) - 1))
    .find((place) => place?.startsWith(inFolder));
  return { why, where: where ?? undefined };
}
