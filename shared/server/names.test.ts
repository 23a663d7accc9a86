// Names of the people who are connected, and how much work they can make.
import { beforeEach, expect, test, vi } from "vitest";
import { nameKeys } from "../both/look-alikes.ts";
import { Names } from "./names.ts";

// As it is, but its calls are counted: for the longest names each takes 0.2 ms.
vi.mock("../both/look-alikes.ts", { spy: true });
const calls = () => vi.mocked(nameKeys).mock.calls.length;
beforeEach(() => void vi.mocked(nameKeys).mockClear());

test("names that look the same are numbered, and a number that is free again is given again", () => {
  const names = new Names<string>();
  expect(names.claim("first", "Ada")).toBe("Ada");
  expect(names.claim("second", "ADA")).toBe("ADA (2)");
  expect(names.claim("third", "\u0410da")).toBe("\u0410da (3)");
  expect(names.claim("third", "Ada (2)")).toBe("Ada (2) (2)");
  expect(names.claim("first", "ada")).toBe("ada");
  names.release("first");
  expect(names.claim("second", "ADA")).toBe("ADA");
  expect(names.claim("first", "Ada")).toBe("Ada (2)");
});

test.each([
  ["call themselves Ada, too", () => "Ada"],
  ["call themselves Ada (2) to Ada (400)", (n: number) => (n === 1 ? "Ada" : `Ada (${n})`)],
])("the 401st Ada costs hardly more than the first when the others %s, and keeps its number", (_, nameOf) => {
  const names = new Names<number>();
  const shown = new Set(Array.from({ length: 400 }, (_, n) => names.claim(n, nameOf(n + 1))));
  expect(shown.size).toBe(400);
  const before = calls();
  for (let n = 0; n < 100; n++) shown.add(names.claim(-1, "Ada"));
  expect(shown.size).toBe(401);
  expect(calls() - before).toBeLessThan(100 * 10);
});
