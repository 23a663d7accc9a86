// Printing for the lessons. Names, texts and close reasons come from outside, and a terminal obeys control characters.
import { inspect } from "node:util";

/**
 * Makes control characters visible: an escape sequence that would clear the screen is printed as `\x1b[2J`. Further
 * lines are indented, so that no text from outside can pass for a line of the server's own.
 */
export function printable(text: string): string {
  return escapeControls(text).replaceAll("\n", "\n  ");
}

/** From now on `console.log` and the others make control characters visible. */
export function escapeConsole(): void {
  for (const name of ["log", "info", "warn", "error"] as const) {
    const print = console[name];
    console[name] = (...values: unknown[]) => print(...values.map(toPrintable));
  }
}

function toPrintable(value: unknown): unknown {
  if (typeof value === "string") return printable(value);
  // An error's message may quote what it complains about. Node itself escapes the strings inside other objects.
  return value instanceof Error ? escapeControls(inspect(value)) : value;
}

function escapeControls(text: string): string {
  return text.replace(
    /[^\P{Cc}\t\n]|[\p{Zl}\p{Zp}]|[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu,
    (character) => {
      const code = character.charCodeAt(0).toString(16);
      return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
    },
  );
}

/** A `console.log` that prints at most ten lines a second, and then how many it has left out. */
export function printAtMostTenASecond(): (line: string) => void {
  let printed = 0;
  return (line) => {
    if (++printed <= 10) console.log(line);
    if (printed > 1) return;
    const report = () => {
      if (printed > 10) console.log(`… ${printed - 10} more`);
      printed = 0;
    };
    setTimeout(report, 1_000).unref();
  };
}
