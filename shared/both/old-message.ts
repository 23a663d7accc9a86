// The one message of this workshop, what a page may send, and the checks in between.
import { cutText, isBlank, nameKey, unfit } from "./text.ts";

/** What somebody said: ids rise by one, `at` is the server's clock in milliseconds since 1970, only to be shown. */
export type Message = { id: number; from: string; text: string; at: number };

/** What a page hears when it asks a log for what came after its cursor. `reset`: your cursor no longer fits, this is all there is. */
export type Answer = { log: string; reset: boolean; messages: Message[] };

/** Characters of a name and of a text; a longer name is refused, a longer text is cut. */
export const nameLimit = 40;
export const textLimit = 500;

/** Bytes of a message on its way in, as an HTTP body or as a WebSocket frame: room for 500 characters of any script. */
export const byteLimit = 16 * 1024;

/** Input that is refused. The text goes to the sender: it names the field and says what to do. */
export class Refused extends Error {}

/** Which fields a message has, and how each is checked. */
export type Shape = Record<string, (value: unknown, field: string) => unknown>;
type Checked<S extends Shape> = { [Field in keyof S]: ReturnType<S[Field]> };

/** What a page may say: `say` in every lesson, the others from the lesson that needs them. */
export const say = { from: name, text: text };
export const typing = { from: name };
export const beat = {};

/** A field that may be left out. */
export function optional<T>(check: (value: unknown, field: string) => T) {
  const whenGiven = (value: unknown, field: string): T | undefined => check(value, field);
  return Object.assign(whenGiven, { optional: true });
}

/**
 * The fields of `value`, each checked, none unknown.
 * @throws {Refused} naming the first field that is missing, wrong or unknown
 */
export function readFields<S extends Shape>(value: unknown, shape: S): Checked<S> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Refused(`Send a JSON object with ${Object.keys(shape).join(" and ") || "a type"}.`);
  for (const field of Object.keys(value))
    if (!Object.hasOwn(shape, field)) throw new Refused(`${cutText(field, nameLimit)}: unknown field.`);
  const fields = Object.entries(shape).map(([field, check]) => {
    if (!Object.hasOwn(value, field)) {
      if ("optional" in check) return [field, undefined];
      throw new Refused(`${field}: missing.`);
    }
    return [field, check((value as Record<string, unknown>)[field], field)];
  });
  return Object.fromEntries(fields);
}

/**
 * One of several kinds of message, told apart by its `type`.
 * @throws {Refused} naming the type or the field that is wrong
 */
export function readTyped<Kinds extends Record<string, Shape>>(value: unknown, kinds: Kinds) {
  const { type, ...fields } = Object(value) as Record<string, unknown>;
  // hasOwn, since "constructor" and "toString" are in every object.
  if (typeof type !== "string" || !Object.hasOwn(kinds, type))
    throw new Refused(`type: one of ${Object.keys(kinds).join(", ")}.`);
  return { type, ...readFields(fields, kinds[type] as Shape) } as {
    [Type in keyof Kinds]: { type: Type } & Checked<Kinds[Type]>;
  }[keyof Kinds];
}

function text(value: unknown, field: string): string {
  if (typeof value !== "string") throw new Refused(`${field}: must be a string.`);
  if (isBlank(value)) throw new Refused(`${field}: is blank.`);
  if (unfit.test(value)) throw new Refused(`${field}: holds a control character.`);
  return cutText(value, textLimit);
}

function name(value: unknown, field: string): string {
  const trimmed = text(value, field).trim();
  if (/[\t\n]/.test(trimmed)) throw new Refused(`${field}: must be one line.`);
  if (cutText(trimmed, nameLimit) !== trimmed)
    throw new Refused(`${field}: longer than ${nameLimit} characters.`);
  if (reserved.has(nameKey(trimmed)))
    throw new Refused(`${field}: "${trimmed}" is not a person's name here.`);
  return trimmed;
}

const reserved = new Set(["server", "system", "admin", "administrator", "moderator", "workshop"]);
