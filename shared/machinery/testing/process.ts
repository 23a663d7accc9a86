// Real processes for tests: started, listened to, and always ended.
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { atEnd } from "./clean-up.ts";

/** A TCP port that nothing listens on at this moment. */
export { anyFreePort as freePort } from "../launcher/ports.ts";

export const root = fileURLToPath(new URL("../../..", import.meta.url));

export type Running = {
  child: ChildProcess;
  /** Everything it has printed so far, both streams. */
  output(): string;
  /** Resolves when the output matches; rejects when the process ends first or `withinMs` is over. */
  prints(pattern: RegExp, withinMs?: number): Promise<RegExpMatchArray>;
  /** Resolves with the exit code, or with the signal's name. */
  ended: Promise<number | NodeJS.Signals>;
  /** SIGKILL if it still runs; resolves when it is gone. */
  kill(): Promise<void>;
};

/** Starts `node --import tsx <args>` at the root of the repository. Ended after the last test of the file, at the latest. */
export function runNode(
  args: string[],
  env: Record<string, string | undefined> = {},
  nodeArgs = ["--import", "tsx"],
): Running {
  const child = spawn(process.execPath, [...nodeArgs, ...args], {
    cwd: root,
    env: { ...process.env, NO_COLOR: "1", ...env },
    // Messages for the programs that take them; the others never notice.
    stdio: ["pipe", "pipe", "pipe", "ipc"],
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
    prints: (pattern, withinMs = 15_000) =>
      new Promise((resolve, reject) => {
        const fail = (why: string) => {
          stop();
          reject(new Error(`${why} before it printed ${pattern}:\n${text}`));
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
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
  atEnd(one.kill);
  return one;
}
