// POST /compression: what compression costs on this computer. A second process measures it, so that neither the stream nor
// the readers wait, and the figures are of compression alone.
import { fork } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { HttpError, sendJson } from "../../shared/server/http.ts";
import { type Costs, measureCosts } from "./compression-costs.ts";

/** Milliseconds that a measurement may take. A quiet computer needs three seconds. */
const atMostMs = 60_000;
/** The pause after a measurement, in ms, because each one keeps a processor busy. */
const restMs = 10_000;
let isMeasuring = false;
let restsUntilMs = 0;

// The second process runs the same program, and gets no further than here.
if (process.env.MEASURE_COMPRESSION) {
  process.on("disconnect", () => process.exit());
  // The server may have ended while this process started.
  if (!process.connected) process.exit();
  const costs = await measureCosts();
  await new Promise((sent) => process.send?.({ costs }, sent));
  process.exit();
}

/**
 * Measures, and answers with the costs.
 * @throws {HttpError} 409 while another measurement runs and shortly after it, 503 when it takes too long
 */
export async function sendCosts(_request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (isMeasuring) throw new HttpError(409, "A measurement is running. Try again in a few seconds.");
  if (performance.now() < restsUntilMs)
    throw new HttpError(409, "A measurement has just ended. Try again in a few seconds.");
  isMeasuring = true;
  try {
    const costs = await measureApart();
    if (!costs) throw new HttpError(503, "The measurement took too long. Is this computer busy?");
    sendJson(response, 200, costs);
  } finally {
    isMeasuring = false;
    restsUntilMs = performance.now() + restMs;
  }
}

/** Measures in a process of its own. Undefined when that ends without a result, or takes too long. */
function measureApart(): Promise<Costs | undefined> {
  const child = fork(process.argv[1] ?? "", {
    execArgv: [...process.execArgv, "--expose-gc"],
    env: { ...process.env, MEASURE_COMPRESSION: "1" },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), atMostMs);
    let costs: Costs | undefined;
    // tsx sends messages of its own.
    child.on("message", (message: { costs?: Costs }) => {
      costs ??= message.costs;
    });
    child.on("error", () => resolve(undefined));
    child.on("exit", () => {
      clearTimeout(timer);
      resolve(costs);
    });
  });
}
