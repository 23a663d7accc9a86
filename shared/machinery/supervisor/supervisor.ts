// Starts, watches and ends the workshop's processes. Whatever happens to this process, it leaves none of them behind.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "../launcher/lessons.ts";

const windows = process.platform === "win32";
/** Preloaded by every program that must accept `sayGoodbye` as a message. */
export const goodbye = join(root, "shared", "machinery", "supervisor", "goodbye.cjs");

/** How long a program has to say goodbye before it is killed. A lesson's server takes two seconds at most. */
const goodbyeMs = 3_000;
/** How long to wait for the output of a program that is gone, if something else still holds its other end. */
const outputMs = 1_000;

export type StartOptions = {
  cwd?: string;
  /** The whole environment; that of this process if it is left out. */
  env?: NodeJS.ProcessEnv;
  /** "pipe" (usual): `child.stdout` and `child.stderr` must be read. */
  output?: "pipe" | "inherit" | "ignore";
};

/** `why` puts the two others into words: "exit code 1", "killed (SIGKILL)". */
export type Exit = { code: number | null; signal: NodeJS.Signals | null; why: string };

export type Supervised = {
  /** The process itself: its `pid`, its output, and messages both ways with `send` and `on("message")`. */
  child: ChildProcess;
  /** Resolves when it is gone with everything that it had started, and its output has been read. Never rejects. */
  ended: Promise<Exit>;
  /** Lets it say goodbye (its SIGTERM event), and kills it after 3 s. Resolves as `ended` does. */
  end(): Promise<Exit>;
  /** Kills it and all that it has started, without a goodbye. Resolves as `ended` does. */
  kill(): Promise<Exit>;
};

const running = new Set<Supervised>();

/**
 * Runs `node ...args`. The process ends with this one, however that goes, even by SIGKILL and even if it is in an
 * endless loop, and so does everything that it has started:
 * - Windows does that by itself. Node puts what it starts into a job that ends with the process that made it.
 * - Elsewhere each process gets a process group of its own, and a shell guards them all, see `guard`.
 *
 * Its own group also means that Ctrl-C reaches this process alone, which can then end the others in order.
 */
export function startNode(
  args: string[],
  { cwd, env = process.env, output = "pipe" }: StartOptions = {},
): Supervised {
  // The guard comes first. Nobody would end a program that starts before it if this process is killed in between.
  if (!windows) guardian ??= startGuardian();
  const child = spawn(process.execPath, ["--require", goodbye, ...args], {
    ...(cwd !== undefined && { cwd }),
    env,
    stdio: ["ignore", output, output, "ipc"],
    detached: !windows,
    windowsHide: true,
  });
  if (child.pid !== undefined) guard(child.pid, true);
  const ended = new Promise<Exit>((resolve) => {
    // It could not be started. Errors of `send` to a process that is gone arrive here as well.
    child.on("error", ({ message }) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, why: message });
    });
    child.once("exit", (code, signal) => {
      killGroup(child); // what it has left behind
      if (child.pid !== undefined) guard(child.pid, false);
      const done = () => resolve({ code, signal, why: signal ? `killed (${signal})` : `exit code ${code}` });
      child.once("close", done);
      setTimeout(done, outputMs).unref();
    });
  }).finally(() => running.delete(one));

  let isAsked = false;
  const one: Supervised = {
    child,
    ended,
    end() {
      // Only once: tsx, for example, ends without a goodbye at the second request.
      if (!isAsked && !isOver(child)) {
        isAsked = true;
        sayGoodbye(child);
        const timer = setTimeout(() => killGroup(child), goodbyeMs);
        child.once("exit", () => clearTimeout(timer));
      }
      return ended;
    },
    kill() {
      if (!isOver(child)) killGroup(child);
      return ended;
    },
  };
  running.add(one);
  return one;
}

/**
 * Calls `end` at the first Ctrl-C, SIGTERM or closed terminal, and exits with code 0 when it has resolved.
 * A second Ctrl-C means that somebody doesn't want to wait: everything is killed.
 */
export function endOnSignal(end: () => Promise<unknown>): void {
  let ending = false;
  const signals = ["SIGINT", "SIGTERM", "SIGHUP", ...(windows ? ["SIGBREAK"] : [])];
  for (const signal of signals)
    process.on(signal, async () => {
      if (ending) return void [...running].forEach((one) => void one.kill());
      ending = true;
      await end();
      process.exit(0);
    });
}

/** Asks for the goodbye: as a signal or, on Windows, as a message (see goodbye.cjs). */
export function sayGoodbye(child: ChildProcess, how: "signal" | "message" = windows ? "message" : "signal") {
  if (how === "signal") child.kill("SIGTERM");
  else if (child.connected) child.send("goodbye", () => {});
  else killGroup(child);
}

const guarded = new Set<number>();
let guardian: ChildProcess | undefined;

/**
 * A shell that waits until this process is gone, and then ends every group that is guarded: SIGTERM first, SIGKILL a
 * second later. It reads the list of them from a pipe, which the system closes with this process. A process in an endless
 * loop could not notice that itself. A shell, because it starts in 2 ms and takes 1 MiB.
 */
function guard(pid: number, yes: boolean): void {
  if (windows) return;
  if (yes) guarded.add(pid);
  else guarded.delete(pid);
  guardian ??= startGuardian();
  guardian.stdin?.write(`${[...guarded].join(" ")}\n`);
}

function startGuardian(): ChildProcess {
  const end = (signal: string) => `for group in $list; do kill -${signal} "-$group"; done`;
  const script = `while read -r line; do list=$line; done; [ "$list" ] || exit; ${end("TERM")}; sleep 1; ${end("KILL")}`;
  const shell = spawn("/bin/sh", ["-c", script], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true, // Ctrl-C, a closed terminal and the end of a group must not reach it
  });
  shell.on("error", () => {});
  shell.on("exit", () => {
    guardian = undefined;
  });
  shell.stdin.on("error", () => {});
  // The shell must not keep this process alive.
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  return shell;
}

function isOver({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}

/** Kills a process and all that it has started. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    if (windows) execFile("taskkill", ["/pid", String(pid), "/T", "/F"], { windowsHide: true }, () => {});
    else process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody of that group is left.
  }
}
