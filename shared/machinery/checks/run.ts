// Runs the promises of an exercise against a lesson's folder, and says of each whether it holds.
import { existsSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build, type Message } from "esbuild";
import { root } from "../launcher/lessons.ts";
import { Broken, type Promised, pause } from "./claim.ts";
import { Ended, type LessonServer, startServer } from "./server.ts";

export type Result = {
  title: string;
  read: string;
  /** Why it is broken: not as promised, no end in time, a server that never listened, or one that ended. Undefined: it holds. */
  fault?: { kind: "broken" | "stuck" | "silent" | "ended"; expected: string; happened: string };
};

/** A file that does not compile. `code` is the line with a caret beneath, empty where the file ends too early. */
export type CompileError = { where: string; text: string; code: string };

export type Report = { compileError: CompileError } | { results: Result[] };

/** A learner who waits for longer than ten seconds gives up. Tests, on a computer that they share, have more patience. */
const patienceMs = Number(process.env.CHECK_PATIENCE_MS ?? 9_000);

/**
 * Checks the promises of an exercise with the files of `folder`, the learner's or ours. All are checked at the same
 * time, each with a server of its own. Ends within ten seconds.
 */
export async function runExercise(
  promises: Promised[],
  folder: string,
  limitMs = patienceMs,
): Promise<Report> {
  // Compiled once, not by each server: they start three times as fast.
  const program = join(root, ".workshop", `check-${process.pid}-${++runs}`, "server.mjs");
  const tidyUp = () => rmSync(dirname(program), { recursive: true, force: true, maxRetries: 5 });
  process.once("exit", tidyUp); // Ctrl-C
  try {
    const compileError =
      (await compile(folder, "client.ts")) ?? (await compile(folder, "server.ts", program));
    if (compileError) return { compileError };
    return { results: await Promise.all(promises.map((each) => keep(each, program, folder, limitMs))) };
  } finally {
    process.off("exit", tidyUp);
    tidyUp();
  }
}

let runs = 0;

async function keep(
  { title, read, check }: Promised,
  program: string,
  folder: string,
  limitMs: number,
): Promise<Result> {
  const servers: Awaited<ReturnType<typeof startServer>>[] = [];
  const gone: Promise<never>[] = [];
  let listens = false;
  let over = false;
  const another = async (): Promise<LessonServer> => {
    const server = await startServer(program, folder);
    if (over) server.stop();
    servers.push(server);
    gone.push(server.gone);
    await server.listening;
    return { port: server.port, url: server.url, another };
  };
  const checked = (async () => {
    const server = await another();
    listens = true;
    await Promise.race([check(server), ...gone]);
  })();
  const late = (async () => {
    const listenMs = limitMs - 1_000;
    await pause(listenMs);
    if (!listens)
      throw new Broken(
        "the server to listen on PORT",
        `nothing listens there after ${listenMs / 1_000} s. Does it get as far as serve(…)?`,
      );
    await pause(limitMs - listenMs);
    throw new Broken("this to be settled within a few seconds", "it took too long");
  })();
  try {
    await Promise.race([checked, late]);
    return { title, read };
  } catch (error) {
    // A connection that breaks may be the first sign of a server that falls.
    const fallen = await Promise.race([...gone.map((one) => one.catch((ended) => ended)), pause(200)]);
    return { title, read, fault: describe(fallen ?? error, servers[0]?.complaint()) };
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
      expected: "the server to go on running",
      happened: `it ended: ${error.why}${at(error.where)}`,
    };
  if (!(error instanceof Broken)) throw error;
  const { expected, happened } = error;
  const kind = /^nothing listens/.test(happened) ? "silent" : /too long/.test(happened) ? "stuck" : "broken";
  const printed = complaint ? `. The server printed: ${complaint.why}${at(complaint.where)}` : "";
  return { kind, expected, happened: happened + printed };
}

/** Compiles a file and all that it imports, into `outfile` if there is one; undefined when all is well. */
async function compile(folder: string, file: string, outfile?: string): Promise<CompileError | undefined> {
  const path = relative(root, join(folder, file)).replaceAll("\\", "/");
  if (!existsSync(join(root, path)))
    return { where: path, text: `There is no such file. git restore ${path} brings it back.`, code: "" };
  const [error] = await build({
    entryPoints: [join(folder, file)],
    absWorkingDir: root,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "inline",
    logLevel: "silent",
    ...(outfile ? { outfile } : { write: false }),
  }).then(
    () => [],
    ({ errors }: { errors?: Message[] }) => errors ?? [],
  );
  if (!error) return;
  const { file: where = file, line = 1, column = 0, lineText = "" } = error.location ?? {};
  return {
    where: `${where.replaceAll("\\", "/")}:${line}:${column + 1}`,
    // At the end of a file there is no code to show: the fault lies somewhere before.
    text: lineText.trim() ? error.text : `${error.text}. Something above is opened and not closed.`,
    // A tab stays a tab, or the caret would point beside the fault.
    code: lineText.trim() ? `${lineText}\n${lineText.slice(0, column).replace(/[^\t]/g, " ")}^` : "",
  };
}
