// The one message of this workshop, and the checks of what a page sends.
import * as v from "valibot";
import { nameKeys } from "./look-alikes.ts";
import { cutText, isBlank, unfit } from "./text.ts";

/** A message in the log. Ids rise by one. `at` is the server's clock in milliseconds since 1970, for display only. */
export type Message = { id: number; from: string; text: string; at: number };

/** What the log answers to a cursor. `reset`: the cursor doesn't fit this log, and `messages` is all there is. */
export type Answer = { log: string; reset: boolean; messages: Message[] };

/** Characters of a name and of a text. A longer name is refused, a longer text is cut. */
export const nameLimit = 40;
export const textLimit = 500;

/** Bytes of one message on its way in: room for 500 characters of any script. */
export const byteLimit = 16 * 1024;

const reserved = new Set(
  ["Server", "System", "Admin", "Administrator", "Moderator", "Workshop"].flatMap((name) =>
    [name, name.toLowerCase(), name.toUpperCase()].flatMap(nameKeys),
  ),
);

const Characters = v.pipe(
  v.string("must be a string."),
  v.check((text) => !unfit.test(text), "contains a control character."),
);

/** What somebody says: cut after 500 characters, and not blank then. */
export const Text = v.pipe(
  Characters,
  v.transform((text) => cutText(text, textLimit)),
  v.check((text) => !isBlank(text), "is blank."),
);

/** Somebody's name: one line of at most 40 characters, and none that looks like the system's. */
export const Name = v.pipe(
  Characters,
  v.check((name) => cutText(name, nameLimit) === name, `is longer than ${nameLimit} characters.`),
  v.check((name) => !isBlank(name), "is blank."),
  v.trim(),
  v.check((name) => !/[\t\n]/.test(name), "must be one line."),
  v.check(
    (name) => !/[\u061C\u200E\u200F]/.test(name),
    "contains a mark that changes the direction of text.",
  ),
  v.check((name) => !nameKeys(name).some((key) => reserved.has(key)), "is reserved. Choose another name."),
);

/** What a page may send over a WebSocket. Lesson 3 declares `Say` itself. */
export const Say = v.strictObject({ type: v.literal("say"), from: Name, text: Text });
/** "Ada is typing", for the others. */
export const Typing = v.strictObject({ type: v.literal("typing"), from: Name });
/** "Is anybody there?" The server answers with the same. */
export const Beat = v.strictObject({ type: v.literal("beat") });

/** The name of a log or of a page. */
export const Word = v.pipe(
  v.string("must be a string."),
  v.regex(/^[a-z0-9]{1,40}$/i, "must be 1 to 40 letters and digits."),
);
const count = "must be a whole number, 0 or more.";
/** The last id that a page has seen (0: none yet), and in which log. `page` is its own name, which nobody else knows. */
export const Resume = v.strictObject({
  type: v.literal("resume"),
  after: v.pipe(v.number(count), v.safeInteger(count), v.minValue(0, count)),
  log: v.optional(Word),
  page: v.optional(Word),
});

const OwnId = v.pipe(
  v.string("must be a string."),
  v.regex(/^[a-z0-9]{1,40}-[1-9]\d{0,14}$/i, "must be the page's name and a count from 1, like k3f9a1-12."),
);
/** A message that may be sent twice, because it has an id of its own. */
export const SayOnce = v.strictObject({ ...Say.entries, id: v.optional(OwnId) });

/**
 * Why an input was refused, in one sentence for its sender that names the field. Undefined when `error` is not about
 * the input: then it is our own mistake.
 */
export function whyRefused(error: unknown): string | undefined {
  if (error instanceof SyntaxError) return "That is not JSON.";
  if (!v.isValiError(error)) return;
  const [issue] = error.issues;
  const field = cutText(v.getDotPath(issue) ?? "", nameLimit);
  const { type, expected, received, message } = issue;
  if (!field) return "Send a JSON object.";
  if (expected === "never") return `${field}: unknown field.`;
  if (type === "variant")
    return `${field}: must be one of ${expected?.replace(/[()"]/g, "").replaceAll(" | ", ", ")}.`;
  if (received === "undefined") return `${field}: is missing.`;
  if (type === "literal") return `${field}: must be ${expected}.`;
  return `${field}: ${message}`;
}
