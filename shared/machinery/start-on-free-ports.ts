// A part of the workshop on ports that nobody uses: for pictures, films, and the benchmark of frames.
import { join } from "node:path";
import { root } from "./launcher/lessons.ts";
import { anyFreePort } from "./launcher/ports.ts";
import { startNode } from "./supervisor/supervisor.ts";

/**
 * Starts a lesson ("launcher/lesson", "7"), or one inside its slides ("slides/slides", "7"). Resolves when its page and
 * its server answer. `end` stops it.
 * @throws when it ends before that
 */
export async function startOnFreePorts(
  program: "launcher/lesson" | "slides/slides",
  lesson: string,
): Promise<{ port: number; pagePort: number; end(): Promise<unknown> }> {
  const [port, pagePort] = [await anyFreePort(), await anyFreePort()];
  const { child, ended, end } = startNode([join(root, "shared", "machinery", "start.cjs"), program, lesson], {
    cwd: root,
    env: { ...process.env, PORT: String(port), PAGE_PORT: String(pagePort) },
  });
  child.stderr?.resume();
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on("data", (text) => /Open +http/.test(String(text)) && resolve());
    void ended.then(({ why }) => reject(new Error(`${program} ${lesson} did not start: ${why}.`)));
  });
  return { port, pagePort, end };
}
