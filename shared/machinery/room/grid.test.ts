// Promises of the room's grid: one row for each learner, bounded, and the same after a restart.
import { describe, expect, test, vi } from "vitest";
import { allowances } from "./allowance.ts";
import { Grid, mostOfAddress, mostPeople, type Results } from "./grid.ts";

const exercises = new Map([
  ["03-chat", 2],
  ["04-broadcast", 1],
]);
const half: Results = ["pass", "fail"];
const home = "192.0.2.1";
const key = (n: number) => String(n).padStart(16, "0");
const report = (n: number, name: string, lessons = [{ lesson: "03-chat", results: half }]) => ({
  key: key(n),
  name,
  lessons,
});

describe("names", () => {
  test("a second Ada is shown as Ada (2), and so is one whose name looks like it", () => {
    const grid = new Grid(exercises);
    expect(grid.take(report(1, "Ada"), home)).toBe("Ada");
    expect(grid.take(report(2, "Ada"), home)).toBe("Ada (2)");
    expect(grid.take(report(3, "Аdа"), home)).toBe("Аdа (3)"); // Cyrillic А and а
    expect(grid.take(report(2, "Ada"), home)).toBe("Ada (2)");
    expect(grid.people).toHaveLength(3);
  });

  test("a learner who takes another name keeps the row, and gives the old name up", () => {
    const grid = new Grid(exercises);
    grid.take(report(1, "Ada"), home);
    expect(grid.take(report(1, "Grace"), home)).toBe("Grace");
    expect(grid.people).toMatchObject([{ name: "Grace", lessons: { "03-chat": { results: half } } }]);
    expect(grid.take(report(2, "Ada"), home)).toBe("Ada");
  });

  test.each([
    ["a blank one", " \u200b"],
    ["a long one", "a".repeat(41)],
    ["one that turns text around", "ad\u202ea"],
    ["one that clears the screen", "\x1b[2J"],
    ["the system's", "Server"],
    ["one that is no text", 7],
  ])("%s is refused", (_, name) => {
    const grid = new Grid(exercises);
    expect(() => grid.take(report(1, name as string), home)).toThrow();
    expect(grid.people).toEqual([]);
  });
});

describe("results", () => {
  test.each([
    ["of an exercise that isn't here", [{ lesson: "99-none", results: half }]],
    ["of a property that every object has", [{ lesson: "__proto__", results: half }]],
    ["of another version, with more checks", [{ lesson: "04-broadcast", results: half }]],
    ["of a kind that nobody knows", [{ lesson: "03-chat", results: ["pass", "perhaps"] }]],
    ["of no lesson", []],
  ])("%s are refused, and nothing of them is kept", (_, lessons) => {
    const grid = new Grid(exercises);
    expect(() => grid.take(report(1, "Ada", lessons as never), home)).toThrow();
    expect(grid.people).toEqual([]);
  });

  test("of a file that doesn't compile are an empty list", () => {
    const grid = new Grid(exercises);
    grid.take(report(1, "Ada", [{ lesson: "03-chat", results: [] }]), home);
    expect(grid.people[0]?.lessons["03-chat"]?.results).toEqual([]);
  });
});

test("a full room refuses the next name, and a closed one any new name; both take results of those who are in", () => {
  const grid = new Grid(exercises);
  for (let n = 1; n <= mostPeople; n++) grid.take(report(n, `Learner ${n}`), `192.0.2.${n % 2}`);
  expect(() => grid.take(report(9_999, "Late"), home)).toThrow("The room is full");
  expect(grid.take(report(1, "Learner 1"), home)).toBe("Learner 1");
  const [first] = grid.people;
  grid.remove(first?.id ?? 0);
  grid.isOpen = false;
  expect(() => grid.take(report(9_999, "Late"), home)).toThrow("no new names");
  expect(grid.take(report(2, "Learner 2"), home)).toBe("Learner 2");
  grid.isOpen = true;
  expect(grid.take(report(9_999, "Learner 1"), home)).toBe("Learner 1");
});

test("one address fills only its share of the room, until somebody from there is removed", () => {
  const grid = new Grid(exercises);
  for (let n = 1; n <= mostOfAddress; n++) grid.take(report(n, `Learner ${n}`), home);
  expect(() => grid.take(report(9_999, "Late"), home)).toThrow("from your address");
  expect(grid.take(report(1, "Learner 1"), home)).toBe("Learner 1");
  expect(grid.take(report(9_998, "Grace"), "192.0.2.7")).toBe("Grace");
  grid.remove(grid.people[0]?.id ?? 0);
  expect(grid.take(report(9_999, "Late"), home)).toBe("Late");
  grid.clear();
  expect(grid.take(report(1, "Ada"), home)).toBe("Ada");
});

test("what is kept on disk gives the same grid, without exercises that have changed since", () => {
  const grid = new Grid(exercises);
  grid.take(report(1, "Ada"), home);
  grid.take(report(2, "Ada", [{ lesson: "04-broadcast", results: ["pass"] }]), home);
  grid.isOpen = false;
  const again = new Grid(exercises);
  again.fromText(grid.toText());
  expect(again.isOpen).toBe(false);
  expect(again.people).toEqual(grid.people);
  expect(again.take(report(2, "Ada"), home)).toBe("Ada (2)");
  const changed = new Grid(new Map([["03-chat", 3]]));
  changed.fromText(grid.toText());
  expect(changed.people.map(({ lessons }) => lessons)).toEqual([{}, {}]);
  for (const damaged of ["", "{}", '{"isOpen":true,"people":[{}]}'])
    expect(() => new Grid(exercises).fromText(damaged)).toThrow();
});

test("an allowance is used up, comes back with time, and is each caller's own", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const mayAsk = allowances(3, 2);
  expect([1, 2, 3, 4].map(() => mayAsk("Ada"))).toEqual([true, true, true, false]);
  expect(mayAsk("Grace")).toBe(true);
  vi.advanceTimersByTime(1_000);
  expect([1, 2, 3].map(() => mayAsk("Ada"))).toEqual([true, true, false]);
  vi.useRealTimers();
});
