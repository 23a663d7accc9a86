// What a lesson's check.ts is made of. It exports `checks`, a list:
//
//   export const checks = [
//     check("Grace receives a message that begins with @Grace", "Hint 1", async (server) => {
//       const ada = await Client.connect(server, "Ada");
//       const grace = await Client.connect(server, "Grace");
//       ada.say("@Grace lunch?");
//       await grace.receivesText("@Grace lunch?");
//     }),
//   ];
//
// Each check gets a server of its own, started from the learner's files, and talks to it as any page could. It fails
// with a sentence in two halves, `expected` and `happened`: say what the check did, and what came back.
//
//   check, longCheck, fasterCheck, slowerCheck, expectThat, expectWithin, expectSoon, expectNoSilence, expectForgotten,
//   eventually, inBackground, pause, cannotTell, withCommas                              this file
//   request, postMessage, Client (a WebSocket)                                           client.ts
//   EventStream (server-sent events)                                                     event-stream.ts
//
// A check is reliable when it judges which messages came, and in which order, and not how long they took. It waits for
// an answer that comes after the one it tests, and compares times of the server's own clock. Time limits are those of a
// quiet computer. On a slow one, `eventually`, `request` and everything that waits with them wait longer, and a check
// that was too late runs again.
import type { Holdings } from "./debugger.ts";
import type { LessonServer } from "./server.ts";
import { cannotTell, expectFast, expectQuiet, pause, within } from "./time.ts";

export { cannotTell, pause };

/** One sentence about the learner's server, what to read when it isn't true, and how to find out. */
export type Check = {
  title: string;
  /** A heading or the beginning of a hint in the lesson's README: "Why", "Hint 2". */
  read: string;
  run: (server: LessonServer) => Promise<void>;
  /** It starts before the others. */
  isLong: boolean;
  /** How many times as fast the timers and clocks of its server run. */
  speed?: number;
};

export function check(title: string, read: string, run: Check["run"]): Check {
  return { title, read, run, isLong: false };
}

/** A check that takes a second or more on a quiet computer, even when it passes. */
export function longCheck(title: string, read: string, run: Check["run"]): Check {
  return { title, read, run, isLong: true };
}

/** A check that waits for one of the server's timers or clocks: they run five times as fast. */
export function fasterCheck(title: string, read: string, run: Check["run"]): Check {
  return { title, read, run, isLong: true, speed: 5 };
}

/** A check that must do something again before one of the server's timers ends: they take four times as long. */
export function slowerCheck(title: string, read: string, run: Check["run"]): Check {
  return { title, read, run, isLong: true, speed: 0.25 };
}

/** The server doesn't do what a check asks for. Both texts are for the learner: "status 304", "status 200, with 52 bytes". */
export class CheckFailed extends Error {
  readonly expected: string;
  readonly happened: string;
  constructor(expected: string, happened: string) {
    super(`expected ${expected}; happened: ${happened}`);
    this.expected = expected;
    this.happened = happened;
  }
}

/** @throws {CheckFailed} when `holds` is false */
export function expectThat(holds: boolean, expected: string, happened: string): asserts holds {
  if (!holds) throw new CheckFailed(expected, happened);
}

/**
 * For something that took `tookMs`. `limitMs` is the limit on a quiet computer.
 * @throws {CheckFailed} when it took longer
 */
export function expectWithin(
  limitMs: number,
  tookMs: number,
  expected: string,
  happened: string,
): Promise<void> {
  return expectFast(limitMs, tookMs, () => new CheckFailed(expected, happened));
}

/** 1340 → "1,340" */
export const withCommas = (value: number): string => value.toLocaleString("en-US");

/**
 * For an answer that a server gives a moment after it was asked. Measured up to eight times. Only those count in which
 * this computer could wait 50 ms and do a `roundTrip` to the server in time.
 * @param prepare returns what is measured: it asks, and resolves when the answer has come
 * @throws {CheckFailed} when no answer came within `limitMs`
 */
export async function expectSoon(
  limitMs: number,
  prepare: (n: number) => Promise<() => Promise<void>>,
  roundTrip: () => Promise<unknown>,
  expected: string,
  happened: (bestMs: string) => string,
): Promise<void> {
  let bestMs: number | undefined;
  for (let n = 1; n <= 8 && (bestMs === undefined || bestMs > limitMs); n++) {
    const ask = await prepare(n);
    const began = performance.now();
    const since = () => Math.round(performance.now() - began);
    const usual = inBackground(pause(50).then(roundTrip).then(since));
    await ask();
    const tookMs = since();
    if ((await usual) < 150) bestMs = Math.min(bestMs ?? tookMs, tookMs);
  }
  if (bestMs === undefined) return cannotTell();
  if (bestMs > limitMs) throw new CheckFailed(expected, happened(withCommas(bestMs)));
}

/**
 * For a server that gathers what comes in quick succession. It must not wait until somebody who keeps talking stops.
 * A server that does so answers only after silences, which are longer than pauses between messages that share an answer.
 * @param everyMs how often something was said
 * @param groups for each answer, when the messages came that share it: milliseconds by the server's clock
 * @param wasGathered whether the server held this answer back, to gather: others prove nothing
 * @throws {CheckFailed} when it waits, or when an answer holds what came in more than `limitMs`
 */
export async function expectNoSilence(
  limitMs: number,
  everyMs: number,
  groups: number[][],
  expected: string,
  happened: (longestMs: string) => string,
  wasGathered: (group: number) => boolean = () => true,
): Promise<void> {
  const longestMs = Math.max(0, ...groups.map((times) => (times.at(-1) ?? 0) - (times[0] ?? 0)));
  const failed = () => new CheckFailed(expected, happened(withCommas(longestMs)));
  await expectFast(limitMs, longestMs, failed);
  // An answer after which the next message came right away proves that the server didn't wait for silence.
  const isQuick = (pauseMs: number) => pauseMs <= everyMs + 25;
  const silences = groups.slice(1).map(([first = 0], n) => first - (groups[n]?.at(-1) ?? 0));
  const gathered = silences.filter((_, n) => wasGathered(n));
  // On a busy computer messages come late and together, so that there is silence between them. And some of its timers
  // are early, compared with the messages' times.
  if (gathered.filter(isQuick).length < Math.max(3, gathered.length / 2)) await cannotTell();
}

/** Calls `find` every 10 ms until it returns something. @throws {CheckFailed} after `withinMs` */
export async function eventually<Found>(
  find: () => Found | undefined | false | Promise<Found | undefined | false>,
  expected: string,
  happened: () => string,
  withinMs = 750,
): Promise<Found> {
  let over = false;
  const found = (async () => {
    for (;;) {
      const found = await find();
      // Nobody waits for it anymore once it is over.
      if (found || over) return found as Found;
      await pause(10);
    }
  })();
  try {
    return await within(withinMs, found, () => new CheckFailed(expected, happened()));
  } finally {
    over = true;
    found.catch(() => {});
  }
}

/** How often `expectForgotten` does something before it compares. */
const visits = 40;

/**
 * For things that a server must not remember: does `something` 40 times, and compares what the server holds with what
 * it held before. It counts objects and entries, so it finds a leak of any size. If something stayed each time, it does
 * it 80 more times: a server may keep a few things to use them again, and a busy one may keep more for a while, but their
 * number must not keep growing.
 * @param options.untilForgotten waits until the server should have forgotten, if it may keep things for a while
 * @param options.mayBeKept is done as often, by clients that stay: what that leaves doesn't count
 * @param options.growsAnyway kinds of things that a server collects, whether `something` is done or not
 * @param options.atOnce how many times at the same time
 * @throws {CheckFailed} when the server holds one thing more for each time
 */
export async function expectForgotten(
  server: LessonServer,
  something: (n: number) => Promise<void>,
  expected: string,
  hint: string,
  {
    untilForgotten = async () => {},
    mayBeKept,
    growsAnyway = [],
    atOnce = 10,
  }: {
    untilForgotten?: () => Promise<void>;
    mayBeKept?: (n: number) => Promise<void>;
    growsAnyway?: string[];
    atOnce?: number;
  } = {},
): Promise<void> {
  let n = 0;
  const times = async (count: number, work: (n: number) => Promise<void>) => {
    for (const end = n + count; n < end; )
      await Promise.all(Array.from({ length: Math.min(atOnce, end - n) }, () => work(n++)));
    await untilForgotten();
  };
  // The first times, a server makes what it then uses again.
  if (mayBeKept) await times(20, mayBeKept);
  await times(20, something);
  let kept: Growth[] = [];
  for (const count of [visits, 2 * visits]) {
    let before = await server.holdings();
    let allowed: Holdings = {};
    if (mayBeKept) {
      await times(count, mayBeKept);
      const after = await server.holdings();
      allowed = before && after ? difference(before, after) : {};
      before = after;
    }
    await times(count, something);
    // What is forgotten while `mayBeKept` is measured would be subtracted from what that leaves.
    const patienceMs = count === visits && !mayBeKept ? noiseMs : forgetsWithinMs;
    if (!before && kept.length === 0) return expectQuiet(); // No debugger: this computer may not allow it.
    const found = before && (await leastGrowth(server, before, allowed, count, patienceMs, growsAnyway));
    if (!found) return cannotTell();
    kept = found;
    if (kept.length === 0) return;
  }
  const inWords = kept
    .filter(({ kind }, n) => n === 0 || (n === 1 && kind in telling))
    .map(({ kind, count }) => `${count} more ${telling[kind] ?? kind}`);
  const happened = `after ${2 * visits} of them, the server held ${inWords.join(" and ")}. ${hint}`;
  throw new CheckFailed(expected, happened);
}

type Growth = { kind: string; count: number };

/** The kinds that say most about a leak, in this order, and how a sentence names them. */
const telling: Record<string, string> = {
  "entries in Maps": "entries in Maps",
  "entries in Sets": "entries in Sets",
  WebSocket: "WebSockets",
  Timeout: "timers",
  Map: "Maps",
  Set: "Sets",
};

const difference = (before: Holdings, after: Holdings): Holdings =>
  Object.fromEntries(Object.entries(after).map(([kind, count]) => [kind, count - (before[kind] ?? 0)]));

/** A server may forget a moment later, and may not have noticed yet that the last clients have gone. */
const forgetsWithinMs = 2_000;
/** What is still there after this time may be noise. More visits tell sooner than more patience. */
const noiseMs = 300;

/** Of which kinds the server still holds one more for each visit. Undefined when its debugger doesn't answer. */
async function leastGrowth(
  server: LessonServer,
  before: Holdings,
  allowed: Holdings,
  times: number,
  patienceMs: number,
  growsAnyway: string[],
): Promise<Growth[] | undefined> {
  // Ever more seldom: each look keeps the server busy for a tenth of a second.
  for (let [waitedMs, pauseMs] = [0, noiseMs]; ; pauseMs *= 2) {
    const after = await server.holdings();
    if (!after) return;
    const kept = Object.entries(difference(before, after))
      .map(([kind, count]) => ({ kind, count: count - (allowed[kind] ?? 0) }))
      // Node keeps a few things that it uses again, at most as many as there were clients at the same time.
      .filter(({ kind, count }) => count > 0.75 * times && !growsAnyway.includes(kind));
    // Something holds each function that is kept, and is kept, too. Functions alone are Node's own.
    if (kept.every(({ kind }) => kind === "functions")) return [];
    if (waitedMs >= patienceMs) return kept.sort((a, b) => rank(a) - rank(b));
    await pause(pauseMs);
    waitedMs += pauseMs;
  }
}

const rank = ({ kind }: Growth) => (kind in telling ? Object.keys(telling).indexOf(kind) : 99);

/** Something that runs while the check does something else, and is awaited later. A check that fails first ignores it. */
export function inBackground<Value>(running: Promise<Value>): Promise<Value> {
  running.catch(() => {});
  return running;
}
