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
//   check, expectThat, eventually, pause, inBackground    this file
//   request, postMessage, Client (a WebSocket)            client.ts
//   EventStream (server-sent events)                      event-stream.ts
//
// Time limits are those of a quiet computer. `eventually`, and whatever waits by it, waits longer on a slow one.
import type { LessonServer } from "./server.ts";

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

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Calls `find` every 10 ms until it returns something. @throws {CheckFailed} after `withinMs` */
export async function eventually<Found>(
  find: () => Found | undefined | false | Promise<Found | undefined | false>,
  expected: string,
  happened: () => string,
  withinMs = 2_500,
): Promise<Found> {
  for (const end = performance.now() + withinMs; ; ) {
    const found = await find();
    if (found) return found;
    if (performance.now() > end) throw new CheckFailed(expected, happened());
    await pause(10);
  }
}

/** Something that runs while the check does something else, and is awaited later. A check that fails first ignores it. */
export function inBackground<Value>(running: Promise<Value>): Promise<Value> {
  running.catch(() => {});
  return running;
}
