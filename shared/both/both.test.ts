// Tests of texts, names and messages.
import { createRequire } from "node:module";
import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { nameKeys } from "./look-alikes.ts";
import { Name, nameLimit, Say, Text, Typing, textLimit, whyRefused } from "./message.ts";
import { cutText, isBlank, unfit } from "./text.ts";

describe("text", () => {
  test("is cut by character as people see them, never inside an emoji", () => {
    expect(cutText("👩‍👩‍👧‍👦👍🏽e\u0301🇫🇷x", 4)).toBe("👩‍👩‍👧‍👦👍🏽e\u0301🇫🇷");
    expect(cutText("short", 5)).toBe("short");
  });

  // Any string at all, and strings made of what has caused trouble: blanks, accents, parts of emoji, marks.
  const troublesome = fc.constantFrom(
    ..." x\n\u0301\u200D\u200B\u3164\u2800\uFE0F\u00A0👩🏽👧🇫🇷각\u034F\u1160",
    "\u0301".repeat(300),
  );
  const anyText = fc.oneof(
    fc.string({ unit: "binary", maxLength: 900 }),
    fc.string({ unit: "grapheme", maxLength: 900 }),
    fc.array(troublesome, { maxLength: 900 }).map((parts) => parts.join("")),
    fc
      .tuple(fc.constantFrom(" ", "x", "é"), fc.integer({ min: 30, max: 900 }), troublesome)
      .map(([one, n, end]) => one.repeat(n) + end),
  );
  const graphemes = (text: string) =>
    Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);

  test("that is accepted is never blank, never over its limits, and never cut inside a character", () => {
    fc.assert(
      fc.property(
        anyText,
        fc.constantFrom([Text, textLimit], [Name, nameLimit]),
        (input, [schema, limit]) => {
          const { success, output } = v.safeParse(schema as typeof Text, input);
          if (!success) return;
          expect(isBlank(output)).toBe(false);
          expect(unfit.test(output)).toBe(false);
          expect(output.length).toBeLessThanOrEqual(8 * (limit as number));
          const [taken, whole] = [graphemes(output), graphemes(schema === Name ? input.trim() : input)];
          expect(taken.length).toBeLessThanOrEqual(limit as number);
          expect(taken).toEqual(whole.slice(0, taken.length));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("piled up from thousands of marks on one letter is cut as well", () => {
    expect(cutText(`a${"\u0301".repeat(10_000)}`, 10).length).toBeLessThan(100);
  });

  test("that shows nothing on the screen is blank", () => {
    for (const blank of ["", "  ", "\u200B\u2060", "\u3164", "\u2800", "\n\t", "\u00AD"])
      expect(isBlank(blank)).toBe(true);
    expect(isBlank("👍")).toBe(false);
  });
});

describe("names", () => {
  const alike = (one: string, other: string) => nameKeys(one).some((key) => nameKeys(other).includes(key));

  test.each([
    ["Ada", "ADA "],
    ["Ada", "Ａｄａ"],
    ["Ada", "A\u200Bda"],
    ["Ada", "\u0410da"], // Cyrillic А
    ["Bob", "\u0412ob"], // Cyrillic В
    ["Вова", "ВОВА"],
    ["Vera", "\u03BDera"], // Greek ν
    ["Ilse", "ilse"],
    ["Ilse", "1lse"],
    ["Işık", "IŞIK"],
    ["Ada", "A.da."],
  ])("like %j and %j look alike", (one, other) => {
    expect(alike(one, other)).toBe(true);
  });

  test.each([
    ["Ada", "Adam"],
    ["José", "Jose"],
    ["Don", "Dan"],
    ["Ada", "Ада"], // Cyrillic д
    ["!!!", "???"],
    ["👍", "👎"],
  ])("like %j and %j differ", (one, other) => {
    expect(alike(one, other)).toBe(false);
  });

  test("of ASCII alone have the keys that the table gives them", () => {
    const table = createRequire(import.meta.url)("unhomoglyph/data.json");
    const simplest = (text: string) =>
      Array.from(text, (character) => table[character] ?? character)
        .join("")
        .normalize("NFD");
    for (let code = 0x21; code < 0x7f; code++) {
      const name = String.fromCharCode(code);
      const lower = name.toLowerCase();
      expect(nameKeys(name)).toEqual([simplest(simplest(name).toLowerCase()), simplest(lower)]);
    }
  });

  test.each([
    ["S\u0435rver"],
    ["ADMİN"],
    ["admın"],
    ["server."],
    ["ADM1N"],
    ["SYSTEM"],
    ["Sｅrver"],
    ["Мoderator"],
    [" workshop "],
  ])("that look like %j are reserved", (name) => {
    expect(v.safeParse(Name, name).success).toBe(false);
  });

  test.each([["Ada\u2028"], ["A\u2029da"], ["A\u061Cda"], ["\u200FAda"], ["\u202EadA"], ["A\u206Ada"]])(
    "with the separator or direction mark in %j are refused",
    (name) => {
      expect(v.safeParse(Name, name).success).toBe(false);
    },
  );
});

describe("a message", () => {
  const Incoming = v.variant("type", [Say, Typing]);
  const read = (value: unknown) => v.parse(Incoming, value);
  const refusal = (value: unknown, schema: v.GenericSchema = Say) => {
    try {
      v.parse(schema, value);
    } catch (error) {
      return whyRefused(error);
    }
  };

  test("is accepted when it has the fields of its type", () => {
    expect(read({ type: "say", from: " Ada ", text: "Hello" })).toEqual({
      type: "say",
      from: "Ada",
      text: "Hello",
    });
    expect(read({ type: "typing", from: "Ada" })).toEqual({ type: "typing", from: "Ada" });
    expect(v.parse(Text, "x".repeat(textLimit + 1))).toHaveLength(textLimit);
  });

  test.each<[unknown, RegExp]>([
    [null, /JSON object/],
    [7, /JSON object/],
    ["text", /JSON object/],
    [{ text: "Hello" }, /^from: is missing/],
    [{ from: "Ada" }, /^text: is missing/],
    [{ from: 7, text: "Hello" }, /^from: must be a string/],
    [{ from: "Ada", text: null }, /^text: must be a string/],
    [JSON.parse('{"from":"Ada","text":"Hello","__proto__":{}}'), /^__proto__: unknown/],
    [{ from: "Ada", text: "Hello", admin: true }, /^admin: unknown/],
    [{ from: "Ada", text: " \u200B " }, /^text: is blank/],
    [{ from: "Ada", text: `${" ".repeat(500)}x` }, /^text: is blank/],
    [{ from: "Ada", text: `a${"\u0301".repeat(4_500)}` }, /^text: is blank/],
    [{ from: `${" ".repeat(500)}x`, text: "Hello" }, /^from: is longer than 40/],
    [{ from: `a${"\u0301".repeat(4_500)}`, text: "Hello" }, /^from: is longer than 40/],
    [{ from: "Ada", text: "ring \u0007" }, /^text: contains a control/],
    [{ from: "Ada", text: "half \ud83d" }, /^text: contains a control/],
    [{ from: "Ada", text: "\u202Eturned" }, /^text: contains a control/],
    [{ from: "A\nda", text: "Hello" }, /^from: must be one line/],
    [{ from: "x".repeat(10_000), text: "Hello" }, new RegExp(`^from: is longer than ${nameLimit}`)],
    [{ from: "Sｅrver", text: "Hello" }, /^from: is reserved/],
  ])("like %j is refused, and the field is named", (value, reason) => {
    expect(refusal(value, v.strictObject({ from: Name, text: Text }))).toMatch(reason);
  });

  test("with a thousand fields, or as an array, is refused", () => {
    expect(refusal(Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, n])))).toMatch(/\w/);
    expect(refusal([])).toMatch(/\w/);
  });

  test.each([["shout"], ["constructor"], ["__proto__"], ["toString"], [7], [undefined]])(
    "of type %j is refused, and the known types are named",
    (type) => {
      const value = JSON.parse(JSON.stringify({ from: "Ada", text: "Hello", type }));
      expect(refusal(value, Incoming)).toMatch(/^type: must be one of say, typing/);
    },
  );
});
