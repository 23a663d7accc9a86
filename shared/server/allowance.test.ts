// Promises of an allowance.
import { expect, onTestFinished, test, vi } from "vitest";
import { Allowance } from "./allowance.ts";

test("an allowance is used up, and comes back with time, up to its burst", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const allowance = new Allowance(3, 2);
  const take = (times: number) => Array.from({ length: times }, () => allowance.take());
  expect(take(4)).toEqual([true, true, true, false]);
  vi.advanceTimersByTime(250);
  expect(take(1)).toEqual([false]);
  vi.advanceTimersByTime(250);
  expect(take(2)).toEqual([true, false]);
  vi.advanceTimersByTime(60_000);
  expect(take(4)).toEqual([true, true, true, false]);
});
