// What a reader may send.
import * as v from "valibot";
import { Beat, Name, Word } from "../../shared/both/message.ts";

const count = "must be a whole number, 0 or more.";
const Count = v.pipe(v.number(count), v.safeInteger(count), v.minValue(0, count));
const rate = "must be a whole number from 1 to 50.";
const cares = ["keep", "disconnect", "oldest", "latest", "less", "adapt"] as const;
const ways = ["buffered", "read"] as const;
const oneOf = (words: readonly string[]) => `must be ${words.join(", ").replace(/, (\w+)$/, " or $1")}.`;

/** A reader that wants something else later sends another join. */
const Join = v.strictObject({
  type: v.literal("join"),
  name: Name,
  /**
   * What the server does when this reader is slow: keeps everything, disconnects it, drops the oldest, or keeps only the
   * latest of each symbol. `less`: sends less from the beginning. `adapt` is the exercise.
   */
  care: v.optional(v.picklist(cares, oneOf(cares)), "keep"),
  /** What counts as unread: bytes that wait in the server's process, or all that the reader doesn't say it has read. */
  by: v.optional(v.picklist(ways, oneOf(ways)), "buffered"),
  /** For `less`: prices a second. */
  perSecond: v.optional(
    v.pipe(v.number(rate), v.integer(rate), v.minValue(1, rate), v.maxValue(50, rate)),
    4,
  ),
  /** The cursor, for `disconnect`: the last quote that this reader has seen, and in which log. */
  after: v.optional(Count, 0),
  log: v.optional(Word),
});
/** An acknowledgement: how many bytes of this connection's messages have been read. */
const Read = v.strictObject({ type: v.literal("read"), bytes: Count });

export const JoinFirst = v.variant("type", [Join, Beat]);
export const Incoming = v.variant("type", [Join, Read, Beat]);
export type Wishes = v.InferOutput<typeof Join>;

/** For `receive`: an acknowledgement for each message. A reader that catches up reads many thousands a second. */
export const reads = { perSecond: 100_000 };
