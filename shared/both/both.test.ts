// Promises about text and messages.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nameLimit, Refused, readFields, readTyped, say, textLimit, typing } from "./message.ts";
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
  test("is taken when it has the fields of its shape", () => {
    expect(readFields({ from: " Ada ", text: "Hello" }, say)).toEqual({ from: "Ada", text: "Hello" });
    expect(readTyped({ type: "typing", from: "Ada" }, { say, typing })).toEqual({
      type: "typing",
      from: "Ada",
    });
    expect(readFields({ from: "Ada", text: "x".repeat(textLimit + 1) }, say).text).toHaveLength(textLimit);
  });

  test.each<[unknown, RegExp]>([
    [null, /JSON object/],
    [[], /JSON object/],
    [7, /JSON object/],
    ["text", /JSON object/],
    [{ text: "Hello" }, /^from: missing/],
    [{ from: "Ada" }, /^text: missing/],
    [{ from: 7, text: "Hello" }, /^from: must be a string/],
    [{ from: "Ada", text: null }, /^text: must be a string/],
    [JSON.parse('{"from":"Ada","text":"Hello","__proto__":{}}'), /^__proto__: unknown/],
    [{ from: "Ada", text: "Hello", admin: true }, /^admin: unknown/],
    [Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, n])), /^k0: unknown/],
    [{ from: "Ada", text: " \u200B " }, /^text: is blank/],
    [{ from: "Ada", text: "ring \u0007" }, /^text: holds a control/],
    [{ from: "Ada", text: "half \ud83d" }, /^text: holds a control/],
    [{ from: "Ada", text: "\u202Eturned" }, /^text: holds a control/],
    [{ from: "A\nda", text: "Hello" }, /^from: must be one line/],
    [{ from: "x".repeat(10_000), text: "Hello" }, new RegExp(`^from: longer than ${nameLimit}`)],
    [{ from: "Sｅrver", text: "Hello" }, /^from: .* not a person/],
  ])("like %j is refused, and the field is named", (value, reason) => {
    expect(() => readFields(value, say)).toThrow(Refused);
    expect(() => readFields(value, say)).toThrow(reason);
  });

  test.each([["shout"], ["constructor"], ["__proto__"], ["toString"], [7], [undefined]])(
    "of type %j is refused, and the types there are are named",
    (type) => {
      const value = JSON.parse(JSON.stringify({ from: "Ada", text: "Hello", type }));
      expect(() => readTyped(value, { say, typing })).toThrow(/^type: one of say, typing/);
    },
  );
});
