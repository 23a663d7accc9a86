// Runs a server as a process of its own, compiled into one file, and asks it what it costs.
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { compiled } from "../cable/compiled.ts";
import { root } from "../launcher/lessons.ts";
import { type Exit, startNode } from "../supervisor/supervisor.ts";

export type Measured = {
  /** Its process id. */
  pid: number | undefined;
  port: number;
  /** CPU time since it started, in microseconds, or its memory in bytes (see probe.cjs). Undefined once it has ended. */
  ask(what: "cpu" | "memory" | "rss"): Promise<number | undefined>;
  /** See supervisor.ts. */
  ended: Promise<Exit>;
  end(): Promise<Exit>;
  kill(): Promise<Exit>;
};

export type MeasuredOptions = {
  args?: string[];
  env?: Record<string, string>;
  /** Called with each line that it prints about an error. */
  complain?(line: string): void;
};

const probe = fileURLToPath(new URL("probe.cjs", import.meta.url));

/**
 * Starts a lesson's server or another one. It listens on a free port, or on `env.PORT`.
 * @param file its source, a path from the root of the project
 * @throws when it doesn't compile or ends before it listens, with the reason
 */
export async function startMeasured(
  file: string,
  { args = [], env = {}, complain = () => {} }: MeasuredOptions = {},
): Promise<Measured> {
  const program = compiled(join(root, file));
  if ("faults" in program) throw new Error(`${file} doesn't compile.\n${program.faults.join("\n")}`);
  const { HOST: _, ...inherited } = process.env;
  const { child, ended, end, kill } = startNode(
    ["--expose-gc", "--require", probe, ...program.args, ...args],
    { cwd: root, env: { ...inherited, NO_COLOR: "1", PORT: "0", ...env } },
  );
  let complaints = "";
  if (child.stderr)
    createInterface(child.stderr).on("line", (line) => {
      complaints = `${complaints}${line}\n`.slice(0, 4_000);
      complain(line);
    });
  const port = await new Promise<number>((resolve, reject) => {
    // Later output is read and thrown away: a full pipe would stop the process.
    if (child.stdout)
      createInterface(child.stdout).on("line", (line) => {
        const [, digits] = line.match(/listening on http:\/\/localhost:(\d+)/) ?? [];
        if (digits) resolve(Number(digits));
      });
    void ended.then(({ why }) => reject(new Error(`${file} ended (${why}).\n${complaints}`.trim())));
  });
  return {
    pid: child.pid,
    port,
    async ask(what) {
      child.send(what, () => {});
      const [answer] = await Promise.race([once(child, "message"), ended.then(() => [])]);
      return answer;
    },
    ended,
    end,
    kill,
  };
}
