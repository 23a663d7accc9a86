// What the page may send to the server of this lesson, and the bounds it is held to.
import { Refused } from "../../shared/both/old-message.ts";

/** A message's id, name and time take 58 bytes of it. */
export const readSettings = {
  perSecond: between(0.1, 100),
  size: wholeBetween(60, 4_000),
  everyMs: wholeBetween(100, 5_000),
  clients: wholeBetween(1, 200),
};
export const command = { page: word, command: oneOf("freeze", "cut", "heal") };
export const delay = { page: word, ms: wholeBetween(0, 1_000), jitterMs: wholeBetween(0, 1_000) };
export const resume = { after: wholeBetween(0, Number.MAX_SAFE_INTEGER), log: word };

function between(least: number, most: number) {
  return (value: unknown, field: string) => {
    if (typeof value !== "number" || !(value >= least && value <= most))
      throw new Refused(`${field}: a number from ${least} to ${most}.`);
    return value;
  };
}

function wholeBetween(least: number, most: number) {
  const inside = between(least, most);
  return (value: unknown, field: string) => {
    if (!Number.isInteger(inside(value, field))) throw new Refused(`${field}: a whole number.`);
    return value as number;
  };
}

function oneOf<Word extends string>(...words: Word[]) {
  return (value: unknown, field: string) => {
    if (!words.includes(value as Word)) throw new Refused(`${field}: one of ${words.join(", ")}.`);
    return value as Word;
  };
}

function word(value: unknown, field: string): string {
  if (typeof value !== "string" || !/^[\w-]{1,40}$/.test(value)) throw new Refused(`${field}: one word.`);
  return value;
}
