// Text as people see it: counts and cuts characters as readers do, and finds text that can't be seen.

let segmenter: Intl.Segmenter | undefined;

/**
 * The first `limit` characters of `text`, as people count them: an emoji of seven code points is one, and is
 * kept whole or left out whole (Unicode UAX #29). Costs no more for a long text than for its beginning.
 */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  // Made when it is first needed, because that takes 10 ms.
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  // One visible character can be made of thousands of code units. 8 for each are plenty on average.
  const enough = limit * 8;
  let length = 0;
  let count = 0;
  for (const { segment } of segmenter.segment(text)) {
    if (++count > limit || length + segment.length > enough) return text.slice(0, length);
    length += segment.length;
  }
  return text;
}

/**
 * Control characters other than tab and line feed, other ends of lines, halves of a surrogate pair, and marks that change
 * the direction of text.
 */
export const unfit = /[^\P{Cc}\t\n]|[\p{Cs}\p{Zl}\p{Zp}]|[\u202A-\u202E\u2066-\u206F]/u;

/** Whether nothing of `text` can be seen on a screen. */
export function isBlank(text: string): boolean {
  return text.replace(unseen, "") === "";
}

/** Spaces, format characters, accents without a letter, and characters that are drawn as nothing (the empty Braille cell). */
export const unseen = /[\s\p{Cc}\p{Cf}\p{Z}\p{Mn}\p{Default_Ignorable_Code_Point}\u2800\u{1D159}]/gu;
