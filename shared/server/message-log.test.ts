// Promises about the log and the cursor.
import { expect, test } from "vitest";
import { MessageLog, pieceSize } from "./message-log.ts";

const ids = (answer: { messages: { id: number }[] }) => answer.messages.map(({ id }) => id);

function filled(count: number, keep?: number) {
  const log = new MessageLog(keep);
  for (let n = 1; n <= count; n++) log.add("Ada", `${n}`);
  return log;
}

test("ids rise by one, and a cursor gets what came after it", () => {
  const log = filled(5);
  expect(ids(log.after({ after: 0 }))).toEqual([1, 2, 3, 4, 5]);
  expect(log.after({ after: 3, log: log.name })).toMatchObject({
    reset: false,
    messages: [{ id: 4 }, { id: 5 }],
  });
  expect(log.after(log.end)).toMatchObject({ reset: false, messages: [] });
});

test("a cursor from before anything arrived, or from long ago, is no reset", () => {
  const log = new MessageLog();
  expect(log.after({ after: 0, log: log.name })).toMatchObject({ reset: false, messages: [] });
  const old = log.end;
  for (let n = 0; n < 900; n++) log.add("Ada", "Hello");
  expect(log.after(old).reset).toBe(false);
});

test("a cursor from the future, from another log, or from before the history kept is a declared reset", () => {
  const log = filled(25, 10);
  expect(log.after({ after: 26 }).reset).toBe(true);
  expect(log.after({ after: 3, log: "another" }).reset).toBe(true);
  const gap = log.after({ after: 3, log: log.name });
  expect(gap.reset).toBe(true);
  expect(ids(gap)).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
  expect(log.after({ after: 15, log: log.name }).reset).toBe(false);
  expect(log.after({ after: 14, log: log.name }).reset).toBe(true);
  expect(log.after({ after: 0, log: log.name }).reset).toBe(true);
});

test("somebody new gets the history that is kept, and has lost nothing", () => {
  expect(filled(25, 10).after({ after: 0 })).toMatchObject({ reset: false, messages: { length: 10 } });
});

test("a piece of a replay has 50 messages, or fewer long ones, and at least one", () => {
  expect([0, 3, 50, 51].map((count) => pieceSize(filled(count).after({ after: 0 }).messages))).toEqual([
    0, 3, 50, 50,
  ]);
  const log = new MessageLog();
  for (const length of [5_000, 5_000, 5_000, 5_000, 100_000, 1]) log.add("Ada", "x".repeat(length));
  expect([0, 4, 5].map((after) => pieceSize(log.after({ after }).messages))).toEqual([4, 1, 1]);
});
