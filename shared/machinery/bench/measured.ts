// A server in a process of its own, which is asked from outside what it costs.
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { root } from "../launcher/lessons.ts";

export type Measured = {
  port: number;
  /** See probe.ts. */
  ask(what: "cpu" | "memory"): Promise<number>;
  kill(): Promise<void>;
};

/** The program that the lessons' servers are held against; its argument says which way of sending. */
export const references = "09-compare/bench/references.ts";

/** Starts a program, a path from the lessons' folder, on a free port or on `env.PORT`. Rejects with what it printed if it ends before it listens. */
export async function start(
  program: string,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<Measured> {
  const { HOST: _, NO_COLOR: __, ...ours } = process.env;
  const child = fork(join(root, "lessons", program), args, {
    cwd: root,
    execArgv: ["--expose-gc", "--import", "tsx", "--import", new URL("./probe.ts", import.meta.url).href],
    env: { ...ours, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const ended = once(child, "exit");
  let printed = "";
  const port = await new Promise<number>((resolve, reject) => {
    const read = (text: Buffer) => {
      // All that it says later is read and forgotten: a full pipe would stop it.
      if (printed.length < 4_000) printed += text;
      const [, digits] = printed.match(/listening on http:\/\/localhost:(\d+)/) ?? [];
      if (digits) resolve(Number(digits));
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    ended.then(() => reject(new Error(`${program} ended before it listened:\n${printed}`)), reject);
  });
  return {
    port,
    async ask(what) {
      child.send(what);
      const [answer] = await once(child, "message");
      return answer as number;
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
