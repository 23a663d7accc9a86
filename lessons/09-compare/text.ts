// What is published: a number, and as much text as makes a message of the size that was asked for.

/**
 * "41 tick tick …": with its id, its name and its time it makes a message of `size` bytes, as JSON. The
 * message is larger if `size` is too small for the number.
 */
export function textOf(number: number, size: number): string {
  const bytes = size - JSON.stringify({ id: number, from: "Ada", text: "", at: Date.now() }).length;
  // The lessons cut texts after 500 characters. A family emoji is one character of 25 bytes.
  const families = Math.max(0, Math.ceil((bytes - 500) / 24));
  const ticks = `${number} ${"tick ".repeat(100)}`.slice(
    0,
    Math.max(`${number}`.length, bytes - 25 * families),
  );
  return ticks + "👩‍👩‍👧‍👦".repeat(families);
}

/** The number in a text that `textOf` made. NaN in any other text. */
export const numberIn = (text: string): number => Number.parseInt(text, 10);
