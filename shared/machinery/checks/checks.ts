// What a lesson's check.ts is made of. It exports `checks`, a list:
//
//   export const checks = [
//     check("Grace receives what begins with @Grace", "Hint 1", async (server) => {
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
//   check, expectThat, expectWithin, expectForgotten, eventually, inBackground, pause    this file
//   request, postMessage, Client (a WebSocket)                                           client.ts
//   EventStream (server-sent events)                                                     event-stream.ts
//
// Time limits are those of a quiet computer. `eventually`, `request` and all that wait by them wait longer on a slow one.
import type { LessonServer } from "./server.ts";
import { pause, wasWithin, within } from "./time.ts";

export { pause };

/** One sentence about the learner's server, what to read when it isn't true, and how to find out. */
export type Check = {
  title: string;
  /** A heading or the beginning of a hint in the lesson's README: "Why", "Hint 2". */
  read: string;
  run: (server: LessonServer) => Promise<void>;
};

export function check(title: string, read: string, run: Check["run"]): Check {
  return { title, read, run };
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
export async function expectWithin(
  limitMs: number,
  tookMs: number,
  expected: string,
  happened: string,
): Promise<void> {
  expectThat(await wasWithin(limitMs, tookMs), expected, happened);
}

/** Calls `find` every 10 ms until it returns something. @throws {CheckFailed} after `withinMs` */
export async function eventually<Found>(
  find: () => Found | undefined | false | Promise<Found | undefined | false>,
  expected: string,
  happened: () => string,
  withinMs = 2_500,
): Promise<Found> {
  let over = false;
  const found = (async () => {
    for (;;) {
      const found = await find();
      // Nobody waits for it any more once it is over.
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

/**
 * For what must not be remembered: does `something` 60 times, and 120 times more, and compares memory.
 * @throws {CheckFailed} when the server keeps more than 2 KiB each time
 */
export async function expectForgotten(
  server: LessonServer,
  something: (n: number) => Promise<void>,
  expected: string,
  hint: string,
): Promise<void> {
  const times = async (from: number, to: number) => {
    for (let n = from; n < to; n += 20)
      await Promise.all(Array.from({ length: 20 }, (_, nth) => something(n + nth)));
  };
  await times(0, 60);
  const before = await server.memory();
  await times(60, 180);
  let kept = 0;
  // Several looks: the server may not have noticed yet that the last ones have gone.
  for (let look = 1; look <= 4; look++) {
    const after = await server.memory();
    if (before === undefined || after === undefined) return;
    kept = Math.round((after - before) / 120);
    if (kept < 2_048) return;
    await pause(250 * look);
  }
  throw new CheckFailed(expected, `the server kept about ${kept} bytes of each of them. ${hint}`);
}

/** Something that runs while the check does something else, and is awaited later. A check that fails first ignores it. */
export function inBackground<Value>(running: Promise<Value>): Promise<Value> {
  running.catch(() => {});
  return running;
}
