// The learner's server as a process of its own, on a port that nobody else uses.
import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { join, relative } from "node:path";
import { root } from "../launcher/lessons.ts";
import { anyFreePort } from "../launcher/ports.ts";

export type LessonServer = {
  port: number;
  url: string;
  /** Another one from the same file, with a memory of its own: what a restart leaves. */
  startAnother(): Promise<LessonServer>;
};

/** A server that ended by itself. `why` is its own last word, `where` the place in the learner's file. */
export class Ended extends Error {
  readonly why: string;
  readonly where: string | undefined;
  constructor({ why, where }: { why: string; where: string | undefined }) {
    super(why);
    this.why = why;
    this.where = where;
  }
}

/** When this process is gone, however it went, the servers end too. */
const withLauncher = join(root, "shared", "machinery", "launcher", "with-launcher.cjs");

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** Starts a compiled server; `gone` rejects with `Ended` when it ends before `stop()`. `folder` is where its source is. */
export async function startServer(program: string, folder: string) {
  const port = await anyFreePort();
  const { HOST: _, ...env } = process.env;
  const child = spawn(process.execPath, ["--require", withLauncher, "--enable-source-maps", program], {
    cwd: root,
    env: { ...env, PORT: String(port), NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "pipe"],
    windowsHide: true,
  });
  children.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk) => {
      output = (output + chunk).slice(-20_000);
    });
  child.stdin.on("error", () => {});
  let stopped = false;
  const gone = new Promise<never>((_resolve, reject) => {
    child.on("close", (code) => {
      children.delete(child);
      if (!stopped)
        reject(new Ended(complaint(output, folder) ?? { why: `exit code ${code}`, where: undefined }));
    });
  });
  gone.catch(() => {});
  const running = {
    port,
    url: `http://127.0.0.1:${port}`,
    gone,
    /** The last error that it has printed, if there is one. */
    complaint: () => complaint(output, folder),
    stop() {
      stopped = true;
      child.kill("SIGKILL");
    },
  };
  return { ...running, listening: Promise.race([listening(port, () => stopped), gone]) };
}

async function listening(port: number, given: () => boolean) {
  while (!given() && !(await accepts(port))) await new Promise((resolve) => setTimeout(resolve, 25));
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

/** "TypeError: …" and where in the learner's folder, out of what a server has printed. */
function complaint(output: string, folder: string): { why: string; where: string | undefined } | undefined {
  const lines = output.split("\n").map((line) => line.trimEnd());
  const why = lines.findLast((line) => /^(Uncaught )?\w*Error\b.*: /.test(line));
  if (!why) return;
  const plain = (text: string) => text.replaceAll("\\", "/").replaceAll("file:///", "/");
  const inFolder = `${plain(relative(root, folder))}/`;
  const trace = lines.slice(lines.lastIndexOf(why)).map(plain);
  const place = [...trace, ...lines.map(plain)]
    .map((line) => line.match(/([^/\s()]+\.ts:\d+(?::\d+)?)\)?$/)?.[1] && line.split(inFolder)[1])
    .find(Boolean);
  return { why, where: place && `${inFolder}${place.replace(/\)$/, "")}` };
}
