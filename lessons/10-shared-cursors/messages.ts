// What a page may send, other than a position in binary: 4 bytes, x and y.
import * as v from "valibot";
import { Beat, Name } from "../../shared/both/message.ts";
import { farthest } from "./positions.ts";

const must = `must be a whole number from 0 to ${farthest}.`;
const Coordinate = v.pipe(v.number(must), v.integer(must), v.minValue(0, must), v.maxValue(farthest, must));
const Choice = v.boolean("must be true or false.");
const count = "must be a whole number, 1 or more.";

/**
 * Who is here, and how this page wants to receive positions: `together`, twenty times a second, or each of them
 * immediately; as JSON or in `binary`. A page that changes its mind sends it again.
 */
const Join = v.strictObject({
  type: v.literal("join"),
  name: Name,
  together: v.optional(Choice, true),
  binary: v.optional(Choice, false),
});
/** State: the next one makes it worthless. */
const Move = v.strictObject({ type: v.literal("move"), x: Coordinate, y: Coordinate });
/** An event: everybody must see it. `n` is the page's own count, so that it recognizes its ripples. */
const Ripple = v.strictObject({
  type: v.literal("ripple"),
  n: v.pipe(v.number(count), v.safeInteger(count), v.minValue(1, count)),
  x: Coordinate,
  y: Coordinate,
});
/** The part of the board that a page shows, for the exercise. */
const Look = v.strictObject({
  type: v.literal("look"),
  left: Coordinate,
  top: Coordinate,
  right: Coordinate,
  bottom: Coordinate,
});

export const JoinFirst = v.variant("type", [Join, Beat]);
export const Incoming = v.variant("type", [Join, Move, Ripple, Look, Beat]);

/** Who is here, and how this page wants to receive positions. */
export type Person = v.InferOutput<typeof Join> & { id: number };
/** What the others need to know about a person. Someone without a name has left. */
export type Presence = { id: number; name?: string };
export type View = v.InferOutput<typeof Look>;

/** The first message to a page: its own id, and who else is here. */
export function welcome(id: number, people: Iterable<Person>): string {
  return JSON.stringify({ type: "welcome", id, people: [...people].map(({ id, name }) => ({ id, name })) });
}

/** For `receive`: a move in binary has 4 bytes, x and y. Any 4 bytes are a place, so only their number can be wrong. */
export const moves = {
  fromBinary: (bytes: Buffer) =>
    bytes.length === 4 ? { type: "move", x: bytes.readUInt16BE(0), y: bytes.readUInt16BE(2) } : undefined,
  perSecond: 1_000, // a fast mouse
};
