// Time limits for checks: those of a quiet computer, and longer where it is slow or busy. A learner isn't blamed for that.
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { endLoops } from "./server.ts";

/** How long an empty Node.js program runs on a quiet computer that is not the fastest, from start to end. */
const usualStartMs = 100;
/** Nothing is waited for longer than this, however slow the computer is. Tests, which share a busy one, have more patience. */
const patienceMs = () => Number(process.env.CHECK_PATIENCE_MS ?? 15_000);

export const pause = (ms: number): Promise<void> => sleep(ms);

/** From this slowness on, a time limit that has passed says little: it may be the computer's. */
const slow = 2;

/** No check can tell on a computer that is this busy whether the learner's server is too slow. */
export class TooBusy extends Error {
  constructor(slowness: number) {
    const startMs = Math.round(slowness * usualStartMs);
    const why =
      slowness >= slow
        ? `This computer is too busy to tell. An empty Node.js program takes ${startMs} ms here now, usually less than ${usualStartMs}.`
        : "This check can't tell, because something came later than it should. Perhaps this computer was busy for a moment.";
    super(`${why} Close other programs and check again.`);
  }
}

const doubtful = new WeakSet<object>();

/** Whether an error says more about this computer, which is slow now, than about a server. */
export const isDoubtful = (error: unknown): boolean =>
  error instanceof TooBusy || (typeof error === "object" && error !== null && doubtful.has(error));

/** The same error. It is doubtful where the computer is slow. */
export async function withDoubt(error: Error, slowness?: number): Promise<Error> {
  if ((slowness ?? (await measureSlowness())) >= slow) doubtful.add(error);
  return error;
}

/** A measurement says something about the time right after it, too: checks that run beside each other are often late together. */
const measuredForMs = 200;
let measuring: Promise<number> | undefined;

/** How many times slower than usual this computer is now, at least 1. Measured by starting an empty Node.js program. */
export function measureSlowness(): Promise<number> {
  measuring ??= new Promise((resolve) => {
    // Reading the certificates would take longer than the rest of the start, see server.ts.
    const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
    const began = performance.now();
    const child = spawn(process.execPath, ["--eval", ""], { env, stdio: "ignore", windowsHide: true });
    const done = () => {
      setTimeout(() => {
        measuring = undefined;
      }, measuredForMs).unref();
      resolve(Math.max(1, (performance.now() - began) / usualStartMs));
    };
    child.on("exit", done).on("error", done);
  });
  return measuring;
}

/**
 * The value of `work`, if it comes within `ms` of a quiet computer: where this one is five times slower now, five seconds
 * count as one.
 * @throws what `late` returns, or TooBusy where that would be longer than `longest`
 */
export async function within<Value>(
  ms: number,
  work: Promise<Value>,
  late: () => Error,
  longest = patienceMs(),
): Promise<Value> {
  const began = performance.now();
  let settled = false;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = async (): Promise<never> => {
    let [countedMs, countedAt, restMs] = [0, began, ms];
    for (;;) {
      await new Promise<void>((resolve) => {
        if (!settled) timer = setTimeout(resolve, restMs);
      });
      // A server in an endless loop would itself make the computer busy.
      await endLoops();
      const slowness = await measureSlowness();
      const now = performance.now();
      countedMs += (now - countedAt) / slowness;
      countedAt = now;
      if (countedMs >= ms && ms * slowness <= longest) throw await withDoubt(late(), slowness);
      if (countedMs >= ms || now - began >= longest) throw new TooBusy(slowness);
      // In short steps: it may have been slow for a moment only.
      restMs = Math.min(ms, (ms - countedMs) * slowness);
    }
  };
  try {
    return await Promise.race([work, tooLate()]);
  } finally {
    settled = true;
    clearTimeout(timer);
  }
}

/**
 * For something that took `tookMs`, and that must not take longer than `limitMs` on a quiet computer.
 * @throws what `late` returns when it took longer, or TooBusy where this computer is slow enough to be the reason
 */
export async function expectFast(limitMs: number, tookMs: number, late: () => Error): Promise<void> {
  if (tookMs <= limitMs) return;
  const slowness = await measureSlowness();
  throw tookMs <= limitMs * slowness ? new TooBusy(slowness) : await withDoubt(late(), slowness);
}

/** For a check that could not do what it wanted to in time. @throws TooBusy always */
export async function cannotTell(): Promise<never> {
  throw new TooBusy(await measureSlowness());
}

/** For a check that gives up what it wanted to do. @throws TooBusy when this computer is slow enough to be the reason */
export async function expectQuiet(): Promise<void> {
  const slowness = await measureSlowness();
  if (slowness >= slow) throw new TooBusy(slowness);
}
