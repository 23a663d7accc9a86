// The process that runs the lesson's server: started, restarted when a file is saved, stopped and killed on command.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { connect } from "node:net";
import type { ServerState } from "./protocol.ts";
import { sources } from "./sources.ts";

/** How long a server has to say goodbye after SIGTERM. */
const goodbyeMs = 4000;
const lookEveryMs = 50;
const windows = process.platform === "win32";

export type ServerProcess = {
  state(): ServerState;
  /** SIGKILL: no goodbye. Resolves when it is gone; it stays away until it is restarted or a file is saved. */
  kill(): Promise<void>;
  /** SIGTERM if one runs, then a new one. Resolves when that has been started, not yet when it listens. */
  restart(): Promise<void>;
  /** SIGTERM; comes back after `forMs`, or on `restart` when that is not given. Saving does not bring it back. */
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
  /** Its state has changed; `text` says how. */
  changed(text: string): void;
};

/**
 * Watches `file` and what it imports, and runs it with tsx; `restart` starts it the first time. There is one process, not a watcher with a process
 * inside: a signal reaches the server itself, its exit is known, and it is on a leash (see leash.ts).
 */
export function serverProcess({ file, port, print, changed }: ServerProcessOptions): ServerProcess {
  let child: ChildProcess | undefined;
  let state: ServerState = { process: "starting" };
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
    if (ended || child) return;
    const faults = files.check();
    for (const line of faults) print(line);
    if (faults.length > 0) {
      set({ process: "dead", why: "does not compile" }, "does not compile");
      return;
    }
    const args = [
      "--import",
      import.meta.resolve("tsx"),
      "--import",
      import.meta.resolve("./leash.ts"),
      file,
    ];
    const one = spawn(process.execPath, args, {
      // Whoever comes from elsewhere comes through the cable.
      env: { ...process.env, PORT: String(port), HOST: "127.0.0.1" },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // A group of its own, so that one signal also reaches what the server starts; and Ctrl-C reaches it once, from us.
      detached: !windows,
    });
    child = one;
    for (const stream of [one.stdout, one.stderr]) lines(stream, print);
    one.on("error", (error) => {
      if (one.pid !== undefined) return;
      child = undefined;
      set({ process: "dead", why: error.message }, error.message);
      print(error.message);
    });
    one.on("exit", (code, signal) => {
      if (child !== one) return;
      child = undefined;
      const why = signal ? `killed (${signal})` : `exit code ${code}`;
      if (state.process === "stopping") return;
      set({ process: "dead", why }, `ended: ${why}`);
      print(`The server has ended (${why}). Save a file to start it again.`);
    });
    set({ process: "starting", ...(one.pid !== undefined && { pid: one.pid }) }, "starting");
    void listening(one);
  }

  /** Looks until somebody listens on the port, or the process is gone. */
  async function listening(one: ChildProcess): Promise<void> {
    while (child === one && state.process === "starting") {
      if (await answers(port)) {
        if (child === one && state.process === "starting")
          set({ ...state, process: "running" }, `running (process ${one.pid})`);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  }

  async function endChild(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const one = child;
    if (!one) return;
    state = { ...state, process: "stopping" };
    const gone = new Promise((resolve) => one.once("exit", resolve));
    send(one, signal);
    const timer = setTimeout(() => send(one, "SIGKILL"), goodbyeMs);
    await gone;
    clearTimeout(timer);
    // What the server had started itself goes with it.
    send(one, "SIGKILL");
    child = undefined;
  }

  const files = sources(file, () => {
    void inTurn(async () => {
      // Stopped on command, it comes back on command or when its time is over.
      if (ended || state.process === "stopped") return;
      await endChild("SIGTERM");
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
        await endChild("SIGKILL");
        set({ process: "dead", why: "killed (SIGKILL)" }, "killed (SIGKILL)");
      }),
    restart: () =>
      inTurn(async () => {
        comeBack();
        await endChild("SIGTERM");
        start();
      }),
    stop: (forMs) =>
      inTurn(async () => {
        comeBack();
        await endChild("SIGTERM");
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
        await endChild("SIGTERM");
        files.end();
      });
    },
  };
}

function send(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  try {
    // Windows has no signals: either way it is ended with all that it started.
    if (windows) execFile("taskkill", ["/pid", String(child.pid), "/T", "/F"], () => {});
    else process.kill(signal === "SIGKILL" ? -child.pid : child.pid, signal);
  } catch {
    // Gone already.
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("connect", () => {
      resolve(true);
      socket.destroy();
    });
    socket.on("error", () => resolve(false));
  });
}

function lines(stream: NodeJS.ReadableStream | null, print: (line: string) => void): void {
  let rest = "";
  stream?.setEncoding("utf8");
  stream?.on("data", (text: string) => {
    const parts = (rest + text).split(/\r?\n/);
    rest = parts.pop() ?? "";
    // A server that never ends its line must not fill our memory.
    if (rest.length > 64 * 1024) {
      parts.push(`${rest.slice(0, 1000)} …`);
      rest = "";
    }
    for (const line of parts) print(line);
  });
  stream?.on("end", () => rest && print(rest));
}
