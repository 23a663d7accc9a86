// Promises about text and messages.
import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { Name, nameLimit, Say, Text, Typing, textLimit, whyRefused } from "./message.ts";
import { cutText, isBlank, nameKey } from "./text.ts";

describe("text", () => {
  test("is cut by character as people see them, never inside an emoji", () => {
    expect(cutText("👩‍👩‍👧‍👦👍🏽e\u0301🇫🇷x", 4)).toBe("👩‍👩‍👧‍👦👍🏽e\u0301🇫🇷");
    expect(cutText("short", 5)).toBe("short");
  });

  test("that is cut stays well-formed and is a beginning of the whole, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(20), (text, limit) => {
        const cut = cutText(text, limit);
        expect(text.startsWith(cut)).toBe(true);
        expect(cut).toBe(Buffer.from(cut).toString());
      }),
    );
  });

  test("piled up from thousands of marks on one letter is cut as well", () => {
    expect(cutText(`a${"\u0301".repeat(10_000)}`, 10).length).toBeLessThan(100);
  });

  test("that leaves nothing on the screen is blank", () => {
    for (const blank of ["", "  ", "\u200B\u2060", "\u3164", "\u2800", "\n\t", "\u00AD"])
      expect(isBlank(blank)).toBe(true);
    expect(isBlank("👍")).toBe(false);
  });

  test("of names that look the same has one key", () => {
    expect(new Set(["Ada", "ADA ", "Ａｄａ", "A\u200Bda"].map(nameKey)).size).toBe(1);
    expect(nameKey("Ada")).not.toBe(nameKey("Adam"));
  });
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
