// What programs print reaches the terminal in bounds, however little of it is read.
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { boundedOutput } from "./output.ts";

test("of lines that nobody reads, 256 KiB wait, and the others are counted", async () => {
  const terminal = new PassThrough({ highWaterMark: 0 });
  const output = boundedOutput(terminal);
  const lines = 1_000;
  for (let n = 0; n < lines; n++) output.write(`${"x".repeat(1_023)}\n`);
  expect(terminal.writableLength / 1_024).toBeCloseTo(257, -1);
  let read = "";
  terminal.setEncoding("utf8").on("data", (text) => {
    read += text;
  });
  await expect.poll(() => terminal.writableLength).toBe(0);
  output.write("and on\n");
  await expect.poll(() => read).toMatch(/\nand on\n$/);
  const [, leftOut] = read.match(/\n… (\d+) lines left out\nand on\n$/) ?? [];
  const shown = read.split("\n").filter((line) => line.startsWith("x")).length;
  expect(shown + Number(leftOut)).toBe(lines);
});
