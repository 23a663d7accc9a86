// What the checks of exercise 9 measure, on logs whose times are known.
import { expect, test } from "vitest";
import { haveRandomPauses, isInGroups } from "./check.ts";

/** Groups of five messages, with these pauses in milliseconds between them. */
const logWith = (pauses: number[]) => {
  let at = 0;
  return [0, ...pauses].flatMap((pause) => {
    at += pause;
    return Array.from({ length: 5 }, () => ({ at }));
  });
};

test("pauses that are all alike aren't random, even if one of them takes longer", () => {
  expect(haveRandomPauses(logWith([100, 101, 99, 100, 140, 60, 100, 102, 100, 98]))).toBe(false);
});

test("pauses between 0 and 200 ms are random", () => {
  expect(haveRandomPauses(logWith([12, 180, 95, 101, 99, 160, 40, 197, 103, 77]))).toBe(true);
});

test("pauses that are sums of five random ones are random", () => {
  expect(haveRandomPauses(logWith([88, 101, 99, 131, 70, 112, 93, 107, 120, 84]))).toBe(true);
});

test("groups of ten aren't groups of five, even if the computer halts for a moment inside some of them", () => {
  expect(isInGroups(logWith([9, 180, 7, 101, 8, 160, 7]))).toBe(false);
  expect(isInGroups(logWith([120, 0, 180, 7, 101, 8, 160]))).toBe(false);
});

test("groups of five may follow each other closely now and then", () => {
  expect(isInGroups(logWith([12, 180, 95, 4, 99, 20, 40]))).toBe(true);
});
