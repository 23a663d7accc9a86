// Promises about finding lessons.
import { expect, test } from "vitest";
import { findLesson, findLessons } from "./lessons.ts";

const tale = {
  folder: "03-tale",
  number: 3,
  name: "tale",
  title: "A tale",
  line: "Two.",
  minutes: 20,
  windows: 2 as const,
};
const other = { ...tale, folder: "13-tales", number: 13, name: "tales" };

test.each(["3", "03", "tale", "03-tale", "Tale"])("%s means lesson 3", (wanted) => {
  expect(findLesson(wanted, [other, tale])).toBe(tale);
});

test.each(["", "0", "4", "3.0", "-3", "03-", "tal", "../03-tale", "constructor"])(
  "%j means no lesson",
  (wanted) => {
    expect(findLesson(wanted, [other, tale])).toBeUndefined();
  },
);

test("each lesson's README begins with its number, title, line and minutes", () => {
  const lessons = findLessons();
  expect(lessons.map(({ number }) => number)).toEqual(lessons.map((_, index) => index + 1));
  for (const { title, name, line, minutes } of lessons) {
    expect(title).not.toBe(name);
    expect(line).toMatch(/\.$/);
    expect(minutes).toBeGreaterThan(0);
  }
});
