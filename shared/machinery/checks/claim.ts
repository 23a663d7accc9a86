// What a check.ts is made of: promises, each checked over the wire of a server of its own.
import type { LessonServer } from "./server.ts";

/** One sentence about the learner's server, how it is checked, and what to read when it is broken. */
export type Promised = {
  title: string;
  /** A heading or the beginning of a hint in the lesson's README: "Why", "Hint 2". */
  read: string;
  check: (server: LessonServer) => Promise<void>;
};

export function promise(title: string, read: string, check: Promised["check"]): Promised {
  return { title, read, check };
}

/** A promise that does not hold. Both texts are for the learner: "status 304", "status 200, with 52 bytes". */
export class Broken extends Error {
  readonly expected: string;
  readonly happened: string;
  constructor(expected: string, happened: string) {
    super(`expected ${expected}; happened: ${happened}`);
    this.expected = expected;
    this.happened = happened;
  }
}

/** @throws {Broken} when it does not hold */
export function expectThat(holds: boolean, expected: string, happened: string): asserts holds {
  if (!holds) throw new Broken(expected, happened);
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Looks again and again until `find` finds something. @throws {Broken} after `withinMs` */
export async function soon<Found>(
  find: () => Found | undefined | false | Promise<Found | undefined | false>,
  expected: string,
  happened: () => string,
  withinMs = 2_500,
): Promise<Found> {
  for (const end = performance.now() + withinMs; ; ) {
    const found = await find();
    if (found) return found;
    if (performance.now() > end) throw new Broken(expected, happened());
    await pause(10);
  }
}

/** For what goes on while something else is waited for: should that fail first, this may fail unheard. */
export function meanwhile<Value>(going: Promise<Value>): Promise<Value> {
  going.catch(() => {});
  return going;
}
