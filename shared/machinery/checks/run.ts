// Runs the checks of an exercise against a server, and says of each whether it passes.
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../launcher/lessons.ts";
import { bundle, type CompileError } from "./bundle.ts";
import { type Check, CheckFailed } from "./checks.ts";
import { type Complaint, Ended, type LessonServer, Looping, serversOfCheck, startServer } from "./server.ts";
import { isDoubtful, measureSlowness, pause, TooBusy, withDoubt, within } from "./time.ts";
import { inTurn, startInTurn } from "./turns.ts";

export type Fault = {
  /**
   * - failed: the server doesn't do what is asked for
   * - late: it didn't do it in time
   * - silent: it never listened
   * - ended: it crashed
   * - loops: it is in an endless loop
   * - unsure: this computer is too busy to tell
   */
  kind: "failed" | "late" | "silent" | "ended" | "loops" | "unsure";
  expected: string;
  happened: string;
};

export type Result = {
  title: string;
  read: string;
  /** Undefined: the check passes. */
  fault?: Fault;
};

/** Tests of wrong answers doubt what passes. */
export type Doubt = "failures" | "passes" | "nothing";

export type Report = { compileError: CompileError } | { results: Result[] };

let runs = 0;
const folders = new Set<string>();
// Ctrl-C
process.once("exit", () => folders.forEach(remove));

function remove(folder: string) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  folders.delete(folder);
}

/**
 * Runs checks beside each other, each with a server of its own: about 3 s on a quiet computer. A check for which
 * this computer was too busy runs again, beside fewer others.
 * @param file the server, the learner's or ours
 * @param source the file's text: by default, what is on disk
 * @param doubt which results of a slow computer don't count, so that the check runs again
 */
export async function runChecks(
  checks: Check[],
  file: string,
  source?: string,
  doubt: Doubt = "failures",
): Promise<Report> {
  const folder = join(root, ".workshop", `check-${process.pid}-${++runs}`);
  folders.add(folder);
  try {
    const program = join(folder, "server.mjs");
    const compileError = await bundle(file, program, source, true);
    if (compileError) return { compileError };
    const running = new Map<Check, Promise<Result>>();
    const [long, short] = [checks.filter(({ isLong }) => isLong), checks.filter(({ isLong }) => !isLong)];
    for (const each of [...long, ...short]) running.set(each, untilSure(each, program, dirname(file), doubt));
    return { results: await Promise.all(checks.flatMap((each) => running.get(each) ?? [])) };
  } finally {
    remove(folder);
  }
}

async function untilSure(check: Check, program: string, folder: string, doubt: Doubt): Promise<Result> {
  const run = async () => {
    let tried = await runOne(check, program, folder);
    for (let again = 0; tried.wasElsewhere && again < 5; again++)
      tried = await runOne(check, program, folder);
    return tried;
  };
  let tried = await inTurn(run);
  const saysLittle = tried.result.fault
    ? doubt === "failures" && tried.doubtful
    : doubt === "passes" && (await measureSlowness()) > 1;
  if (saysLittle) tried = await inTurn(run, 3);
  if (tried.result.fault?.kind === "unsure") tried = await inTurn(run, 1);
  return tried.result;
}

/** The server never listened. */
class Silent extends CheckFailed {
  constructor() {
    super(
      "the server to listen on PORT within 4 s",
      "nothing listens there. Does it get as far as serve(…) or listen(…)?",
    );
  }
}

/** A check took longer than any check should. */
class Late extends CheckFailed {}

/** `wasElsewhere`: another program took the port in the moment before the server could, so the check asked that one. */
type Try = { result: Result; doubtful: boolean; wasElsewhere: boolean };

function runOne(check: Check, program: string, folder: string): Promise<Try> {
  return serversOfCheck.run(new Set(), tryOne, check, program, folder);
}

async function tryOne({ title, read, run, speed }: Check, program: string, folder: string): Promise<Try> {
  const servers = serversOfCheck.getStore() ?? new Set();
  let over = false;
  const startAnother: LessonServer["startAnother"] = async (env) => {
    const server = await startInTurn(async () => {
      const server = await startServer(program, folder, speed, env);
      // The next one starts when this one listens, or takes long.
      await Promise.race([server.listening.catch(() => {}), pause(500)]);
      return server;
    });
    if (over) server.stop();
    servers.add(server);
    await within(4_000, server.listening, () => new Silent());
    const { port, url, holdings, holdBack, stopClock, repeatRandom } = server;
    return { port, url, startAnother, holdings, holdBack, stopClock, repeatRandom };
  };
  try {
    const server = await startAnother();
    // Whatever a check waits for has a limit of its own. This one is for a mistake in the check.
    const late = () => new Late("this check to be over within a minute", "it still waits for the server");
    await within(
      60_000,
      Promise.race([run(server), ...Array.from(servers, ({ gone }) => gone)]),
      late,
      300_000,
    );
    return { result: { title, read }, doubtful: false, wasElsewhere: false };
  } catch (error) {
    // A connection that breaks may be the first sign of a server that crashes.
    const gone = Array.from(servers, (each) => each.gone.catch((why) => why));
    // Whatever fails on a slow computer is doubtful. Measured while the check waits anyway.
    const measured = error instanceof Error && withDoubt(error);
    const crash = await Promise.race([...gone, pause(200)]);
    await measured;
    const fault = describe(crash ?? error, [...servers][0]?.complaint());
    const wasElsewhere = [...servers].some((each) => each.isPortTaken());
    return { result: { title, read, fault }, doubtful: !crash && isDoubtful(error), wasElsewhere };
  } finally {
    over = true;
    for (const server of servers) server.stop();
  }
}

function describe(error: unknown, complaint?: Complaint): Fault {
  const at = (place: string | undefined) => (place ? `, at ${place}` : "");
  const printed = complaint && `The server printed: ${complaint.why}${at(complaint.where)}`;
  if (error instanceof Ended) {
    const happened = `it ended: ${error.why}${at(error.where)}`;
    return { kind: "ended", expected: "the server to keep running", happened };
  }
  if (error instanceof Looping) {
    const happened = `it is in an endless loop${at(error.where)}. Nothing else runs in the meantime`;
    return { kind: "loops", expected: "the server to answer", happened };
  }
  if (error instanceof TooBusy)
    return { kind: "unsure", expected: "an answer within the usual time", happened: error.message };
  if (error instanceof CheckFailed) {
    const kind = error instanceof Silent ? "silent" : error instanceof Late ? "late" : "failed";
    const happened = printed ? `${error.happened}. ${printed}` : error.happened;
    return { kind, expected: error.expected, happened };
  }
  // An answer that no check expected, or a mistake in the check itself.
  return {
    kind: "failed",
    expected: "an answer that this check can read",
    happened: printed ?? `the check could not read it: ${inWords(error)}`,
  };
}

/** An error, with the line of the check that it is from. */
function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [place] = error.stack?.match(/lessons[\\/][\w-]+[\\/]check\.ts:\d+/) ?? [];
  return `${error.name}: ${error.message}${place ? `, at ${place.replaceAll("\\", "/")}` : ""}`;
}
