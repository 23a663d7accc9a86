// Real processes for tests: started, listened to, and always ended.
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { portsFrom } from "../launcher/ports.ts";
import { goodbye, sayGoodbye } from "../supervisor/supervisor.ts";
import { atEnd } from "./clean-up.ts";

/**
 * A TCP port that nothing listens on at this moment. Test files that run beside each other don't share any, and the
 * programs that they start choose others by themselves.
 */
export const freePort = portsFrom(20_000 + 1_500 * (Number(process.env.VITEST_POOL_ID ?? 0) % 6), 1_500);

export const root = fileURLToPath(new URL("../../..", import.meta.url));

export type Running = {
  child: ChildProcess;
  /** Everything it has printed so far, both streams. */
  output(): string;
  /** Resolves when the output matches; rejects when the process ends first or `withinMs` is over. */
  prints(pattern: RegExp, withinMs?: number): Promise<RegExpMatchArray>;
  /** Resolves with the exit code, or with the signal's name. */
  ended: Promise<number | NodeJS.Signals>;
  /** Lets it say goodbye, as the supervisor does: SIGTERM or, on Windows, a message. Resolves as `ended` does. */
  end(): Promise<number | NodeJS.Signals>;
  /** SIGKILL if it still runs; resolves when it is gone. */
  kill(): Promise<void>;
};

/**
 * Starts `node --import tsx <args>` at the root of the repository. Ended after the last test of the file, at the latest.
 * `takesGoodbye`: `end` works on Windows, too. For programs that start no Node programs with their own flags.
 */
export function runNode(
  args: string[],
  env: Record<string, string | undefined> = {},
  nodeArgs = ["--import", "tsx"],
  takesGoodbye = false,
): Running {
  const preload = takesGoodbye ? ["--require", goodbye] : [];
  const child = spawn(process.execPath, [...preload, ...nodeArgs, ...args], {
    cwd: root,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["pipe", "pipe", "pipe", ...(takesGoodbye ? (["ipc"] as const) : [])],
  });
  let text = "";
  const watchers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      for (const watch of watchers) watch();
    });
  const ended = new Promise<number | NodeJS.Signals>((resolve) =>
    child.on("close", (code, signal) => resolve(code ?? signal ?? 1)),
  );
  const one: Running = {
    child,
    ended,
    output: () => text,
    prints: (pattern, withinMs = 45_000) =>
      new Promise((resolve, reject) => {
        const fail = (why: string) => {
          stop();
          const error = new Error(`${why} before it printed ${pattern}:\n${text}`);
          // Vitest reads each file that a stack names. Stack lines among the output are not this error's.
          error.stack = error.stack?.replace(error.message, () => why);
          reject(error);
        };
        const timer = setTimeout(() => fail(`${withinMs} ms passed`), withinMs);
        const stop = () => {
          clearTimeout(timer);
          watchers.delete(watch);
        };
        const watch = () => {
          const match = text.match(pattern);
          if (!match) return;
          stop();
          resolve(match);
        };
        watchers.add(watch);
        void ended.then((code) => {
          watch();
          if (watchers.has(watch)) fail(`it ended (${code})`);
        });
        watch();
      }),
    end: () => {
      sayGoodbye(child);
      return ended;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
  atEnd(one.kill);
  return one;
}
