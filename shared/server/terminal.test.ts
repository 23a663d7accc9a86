// Tests of what reaches the terminal.
import { expect, test } from "vitest";
import { printable } from "./terminal.ts";

test.each([
  ["\x1b[2Jgone", "\\x1b[2Jgone"],
  ["bell\x07, return\r, null\0", "bell\\x07, return\\x0d, null\\x00"],
  ["\u009b2J", "\\x9b2J"],
  ["\u202Eturned\u2028", "\\u202eturned\\u2028"],
  ["one\nlistening on http://evil.example", "one\n  listening on http://evil.example"],
  ["Ärger, 👍🏽, 日本", "Ärger, 👍🏽, 日本"],
])("%j is printed as %j", (text, printed) => {
  expect(printable(text)).toBe(printed);
});
