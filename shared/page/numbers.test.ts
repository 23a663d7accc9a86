// Promises of the numbers on the pages.
import { expect, test } from "vitest";
import { duration, readable, signed } from "./numbers.ts";

test.each([
  [1_234_567, "1,234,567"],
  [0.52, "0.5"],
  [-0.04, "0"],
])("shows %d with commas between thousands, and at most one decimal", (value, text) => {
  expect(readable(value)).toBe(text);
});

test.each([
  [3, "+3 ms"],
  [-2_000, "−2,000 ms"],
  [0, "0 ms"],
  [-0.04, "0 ms"],
  [0.04, "0 ms"],
])("shows %d ms with its sign, and zero without one", (ms, text) => {
  expect(signed(ms)).toBe(text);
});

test.each([
  [-0.3, "0 ms"],
  [1_340, "1.3 s"],
])("shows a duration of %d ms as people say it", (ms, text) => {
  expect(duration(ms)).toBe(text);
});
