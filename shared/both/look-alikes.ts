// Names that look alike, by the table of Unicode Technical Standard #39. For servers: pages don't load a table of 100 kB.
import { createRequire } from "node:module";
import { unseen } from "./text.ts";

/** The simplest characters that those of ASCII look like. */
const ascii: Record<string, string> = {
  0: "O",
  1: "l",
  I: "l",
  "|": "l",
  m: "rn",
  "`": "'",
  '"': "''",
  "%": "º/₀",
};

/**
 * All of them. Loaded for the first character that isn't ASCII, since it takes a tenth of a server's start. Only the
 * package's table: its function is a regular expression of 6,311 branches, which takes even longer.
 */
let table: Record<string, string> | undefined;

function simplest(character: string): string {
  if (character <= "\x7F") return ascii[character] ?? character;
  table ??= createRequire(import.meta.url)("unhomoglyph/data.json") as Record<string, string>;
  return table[character] ?? character;
}

/**
 * The keys of a name. Two names look alike when they have a key in common: "Ada", "ADA ", "Ａｄａ", "A\u200Bda" and "Аda"
 * with a Cyrillic А. There are two keys, because the Cyrillic В looks like a B, and its small letter в does not.
 */
export function nameKeys(name: string): string[] {
  const visible = name.normalize("NFKC").replace(unseen, "").replace(/[İı]/g, "i");
  // "server." looks like "server". A name that is nothing but punctuation keeps it.
  const letters = visible.replace(/[\p{P}\p{Sk}~]/gu, "") || visible;
  return [skeleton(skeleton(letters).toLowerCase()), skeleton(letters.toLowerCase())];
}

/** UTS #39 §4: replaces each character by the simplest one that looks like it. */
function skeleton(text: string): string {
  return Array.from(text.normalize("NFD"), simplest).join("").normalize("NFD");
}
