// Turns of the event loop, for tests of who waits for whom.
import { onTestFinished } from "vitest";
import { type LessonServer, startServer } from "./lesson.ts";

/** Counts turns until the test ends. Returns a function that says how many there have been. */
export function countTurns(): () => number {
  let turns = 0;
  const count = () => {
    turns++;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  onTestFinished(() => clearImmediate(counting));
  return () => turns;
}

/**
 * Starts a lesson's server that counts its turns. The second result says for each write of more than 1,000 bytes in which
 * turn it was, in order.
 */
export async function startCountingTurns(lesson: string): Promise<[LessonServer, () => number[]]> {
  const server = await startServer(lesson, {
    NODE_OPTIONS: "--require ./shared/machinery/testing/print-turns.cjs",
  });
  return [
    server,
    () => [...server.output().matchAll(/a long write in turn (\d+)/g)].map(([, turn]) => Number(turn)),
  ];
}
