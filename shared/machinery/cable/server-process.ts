// The process that runs the lesson's server: started, restarted when a file is saved, stopped and killed on command.
import { connect } from "node:net";
import { relative } from "node:path";
import { root } from "../launcher/lessons.ts";
import { describeError, describeSilence, runningAgain, silentAfterMs } from "../launcher/server-lines.ts";
import { readLines } from "../supervisor/output.ts";
import { type Exit, type Supervised, startNode } from "../supervisor/supervisor.ts";
import type { ServerState } from "./protocol.ts";
import { sources } from "./sources.ts";

const lookEveryMs = 25;

export type ServerProcess = {
  state(): ServerState;
  /** SIGKILL: no goodbye. Resolves when it is gone; it stays away until it is restarted or a file is saved. */
  kill(): Promise<void>;
  /** Ends the server if it runs, then starts it. Resolves when it has been started, not yet when it listens. */
  restart(): Promise<void>;
  /** Ends it; comes back after `forMs`, or on `restart` when that is not given. Saving does not bring it back. */
  stop(forMs?: number): Promise<void>;
  /** Ends the server and the watching, and resolves when nothing is left. */
  end(): Promise<void>;
};

export type ServerProcessOptions = {
  /** The lesson's server.ts. */
  file: string;
  /** Given to it as PORT. */
  port: number;
  /** A line that it printed, or that is about it. */
  print(line: string): void;
  /** The server's state, in words for the learner. Called once after each restart, within 10 s. */
  report(text: string): void;
  /** Its state has changed; `text` says how. */
  changed(text: string): void;
};

/** Watches `file` and what it imports, and runs it; `restart` starts it the first time. */
export function serverProcess({ file, port, print, report, changed }: ServerProcessOptions): ServerProcess {
  const name = relative(root, file).replaceAll("\\", "/");
  let running: Supervised | undefined;
  let state: ServerState = { process: "starting" };
  let starts = 0;
  let backAtMs: number | undefined;
  let backTimer: NodeJS.Timeout | undefined;
  let ended = false;
  // One thing after another: a save in the middle of a restart must not start a second server.
  let queue: Promise<void> = Promise.resolve();
  const inTurn = (job: () => Promise<void>) => {
    queue = queue.then(job);
    return queue;
  };

  function set(next: ServerState, text: string): void {
    state = next;
    changed(text);
  }

  function start(): void {
    if (ended || running) return;
    starts++;
    const compiled = files.compile();
    if ("faults" in compiled) {
      for (const line of compiled.faults) print(line);
      set({ process: "dead", why: "does not compile" }, "does not compile");
      report(describeError(name));
      return;
    }
    const { FORCE_COLOR: _, ...env } = process.env;
    // Connections from other computers come through the cable. No colors, since control characters are shown as text.
    const one = startNode(compiled.args, {
      env: { ...env, PORT: String(port), HOST: "127.0.0.1", NO_COLOR: "1" },
    });
    running = one;
    let hasComplained = false;
    one.child.stderr?.once("data", () => {
      hasComplained = true;
    });
    for (const stream of [one.child.stdout, one.child.stderr]) readLines(stream, print);
    set({ process: "starting", ...(one.child.pid !== undefined && { pid: one.child.pid }) }, "starting");
    void one.ended.then((exit) => hasEnded(one, exit, hasComplained));
    void waitUntilItListens(one);
  }

  /** It has ended by itself, unless it was stopped. */
  function hasEnded(one: Supervised, { code, why }: Exit, hasComplained: boolean): void {
    if (running !== one) return;
    running = undefined;
    if (state.process === "stopping") return;
    set({ process: "dead", why }, `ended: ${why}`);
    if (hasComplained && code !== 0) report(describeError(name));
    else report(`${name} has ended (${why}). Save a file to start it again.`);
  }

  /** Checks until the server listens, or the process is gone. */
  async function waitUntilItListens(one: Supervised): Promise<void> {
    const isStarting = () => running === one && state.process === "starting";
    const isFirst = starts === 1;
    const silent = setTimeout(() => {
      if (isStarting()) report(describeSilence(name));
    }, silentAfterMs);
    while (isStarting()) {
      if (await isListening(port)) {
        if (!isStarting()) break;
        set({ ...state, process: "running" }, `running (process ${one.child.pid})`);
        if (!isFirst) report(runningAgain);
      } else await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
    clearTimeout(silent);
  }

  /** Ends it with a goodbye to its clients. A server that doesn't listen yet has none. */
  async function endServer(how: "end" | "kill"): Promise<void> {
    const one = running;
    if (!one) return;
    const goodbye = how === "end" && state.process === "running";
    state = { ...state, process: "stopping" };
    await (goodbye ? one.end() : one.kill());
    running = undefined;
  }

  const files = sources(file, () => {
    void inTurn(async () => {
      // Stopped on command, it comes back on command or when its time is over.
      if (ended || state.process === "stopped") return;
      await endServer("end");
      start();
    });
  });

  const comeBack = () => {
    clearTimeout(backTimer);
    backAtMs = undefined;
  };

  return {
    state: () => ({
      ...state,
      ...(backAtMs !== undefined && { backInMs: Math.max(0, Math.round(backAtMs - performance.now())) }),
    }),
    kill: () =>
      inTurn(async () => {
        comeBack();
        await endServer("kill");
        set({ process: "dead", why: "killed (SIGKILL)" }, "killed (SIGKILL)");
      }),
    restart: () =>
      inTurn(async () => {
        comeBack();
        await endServer("end");
        start();
      }),
    stop: (forMs) =>
      inTurn(async () => {
        comeBack();
        await endServer("end");
        if (forMs !== undefined) {
          backAtMs = performance.now() + forMs;
          backTimer = setTimeout(() => {
            backAtMs = undefined;
            void inTurn(async () => start());
          }, forMs);
        }
        set({ process: "stopped" }, forMs === undefined ? "stopped" : `stopped for ${forMs / 1000} s`);
      }),
    end: () => {
      ended = true;
      comeBack();
      return inTurn(async () => {
        await endServer("end");
        files.end();
      });
    },
  };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("connect", () => {
      resolve(true);
      socket.destroy();
    });
    socket.on("error", () => resolve(false));
  });
}
