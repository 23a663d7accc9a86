// Turns of the event loop, for tests of who waits for whom.
import { onTestFinished } from "vitest";

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
