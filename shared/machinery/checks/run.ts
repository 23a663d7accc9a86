// Runs the checks of an exercise against a server, and says of each whether it passes.
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../launcher/lessons.ts";
import { bundle, type CompileError } from "./bundle.ts";
import { type Check, CheckFailed, pause } from "./checks.ts";
import { Ended, type LessonServer, startServer } from "./server.ts";

export type Result = {
  title: string;
  read: string;
  /** Why it fails: not as expected, no end in time, a server that never listened, or one that ended. Undefined: it passes. */
  fault?: { kind: "failed" | "stuck" | "silent" | "ended"; expected: string; happened: string };
};

export type Report = { compileError: CompileError } | { results: Result[] };

/** A learner who waits for longer than ten seconds gives up. Tests, on a computer that they share, have more patience. */
const patienceMs = Number(process.env.CHECK_PATIENCE_MS ?? 9_000);

let runs = 0;

/**
 * Runs all checks at the same time, each with a server of its own. Ends within ten seconds.
 * @param file the server, the learner's or ours
 * @param source what stands in the file: by default, what is on disk
 */
export async function runChecks(
  checks: Check[],
  file: string,
  { source, limitMs = patienceMs }: { source?: string; limitMs?: number } = {},
): Promise<Report> {
  const program = join(root, ".workshop", `check-${process.pid}-${++runs}`, "server.mjs");
  const tidyUp = () => rmSync(dirname(program), { recursive: true, force: true, maxRetries: 5 });
  process.once("exit", tidyUp); // Ctrl-C
  try {
    const compileError = await bundle(file, program, source);
    if (compileError) return { compileError };
    return { results: await Promise.all(checks.map((each) => run(each, program, dirname(file), limitMs))) };
  } finally {
    process.off("exit", tidyUp);
    tidyUp();
  }
}

async function run(
  { title, read, run }: Check,
  program: string,
  folder: string,
  limitMs: number,
): Promise<Result> {
  const servers: Awaited<ReturnType<typeof startServer>>[] = [];
  const gone: Promise<never>[] = [];
  let listens = false;
  let over = false;
  const startAnother = async (): Promise<LessonServer> => {
    const server = await startServer(program, folder);
    if (over) server.stop();
    servers.push(server);
    gone.push(server.gone);
    await server.listening;
    return { port: server.port, url: server.url, startAnother };
  };
  const checked = (async () => {
    const server = await startAnother();
    listens = true;
    await Promise.race([run(server), ...gone]);
  })();
  const late = (async () => {
    const listenMs = limitMs - 1_000;
    await pause(listenMs);
    if (!listens)
      throw new CheckFailed(
        "the server to listen on PORT",
        `nothing listens there after ${listenMs / 1_000} s. Does it get as far as serve(…)?`,
      );
    await pause(limitMs - listenMs);
    throw new CheckFailed("this to be settled within a few seconds", "it took too long");
  })();
  try {
    await Promise.race([checked, late]);
    return { title, read };
  } catch (error) {
    // A connection that breaks may be the first sign of a server that crashes.
    const crash = await Promise.race([...gone.map((one) => one.catch((ended) => ended)), pause(200)]);
    return { title, read, fault: describe(crash ?? error, servers[0]?.complaint()) };
  } finally {
    over = true;
    checked.catch(() => {});
    late.catch(() => {});
    for (const server of servers) server.stop();
  }
}

function describe(error: unknown, complaint?: { why: string; where: string | undefined }): Result["fault"] {
  const at = (place: string | undefined) => (place ? `, at ${place}` : "");
  if (error instanceof Ended)
    return {
      kind: "ended",
      expected: "the server to keep running",
      happened: `it ended: ${error.why}${at(error.where)}`,
    };
  if (!(error instanceof CheckFailed)) throw error;
  const { expected, happened } = error;
  const kind = /^nothing listens/.test(happened) ? "silent" : /too long/.test(happened) ? "stuck" : "failed";
  const printed = complaint ? `. The server printed: ${complaint.why}${at(complaint.where)}` : "";
  return { kind, expected, happened: happened + printed };
}
