// What a page may send, over HTTP and over a WebSocket. A message has no name in it: the session says who speaks.
import * as v from "valibot";
import { nameKeys } from "../../shared/both/look-alikes.ts";
import { Beat, Name, Text } from "../../shared/both/message.ts";

const Password = v.pipe(
  v.string("must be a string."),
  v.minLength(8, "must have 8 characters or more."),
  v.maxLength(200, "must have 200 characters or less."),
);

// The names of guests, in the exercise. No user may pose as one.
const ofGuests = nameKeys("Guest of");
const isOfGuest = (name: string) =>
  nameKeys(name).some((key) => ofGuests.some((guest) => key.startsWith(guest)));

export const NewUser = v.strictObject({
  name: v.pipe(
    Name,
    v.check((name) => !isOfGuest(name), 'must not begin with "Guest of".'),
  ),
  password: Password,
  /** Everybody chooses their own, to try it out. */
  role: v.optional(v.picklist(["member", "reader"], "must be member or reader."), "member"),
});
export type NewUser = v.InferOutput<typeof NewUser>;

const must = "must be a whole number from 1 to 3600.";
const Seconds = v.pipe(v.number(must), v.integer(must), v.minValue(1, must), v.maxValue(3_600, must));
export const Claim = v.strictObject({
  name: Name,
  password: Password,
  /** How long the session lasts, and what its cookie says about other sites: to try it out. */
  seconds: v.optional(Seconds, 3_600),
  sameSite: v.optional(v.picklist(["lax", "none"], "must be lax or none."), "lax"),
});
export type Claim = v.InferOutput<typeof Claim>;

/** For the exercise: how long an invitation lasts. */
export const NewInvitation = v.strictObject({ seconds: Seconds });

const Ticket = v.pipe(v.string("must be a string."), v.maxLength(100, "is longer than 100 characters."));
/** The first message of a client that came without a cookie and without a ticket in the address. */
export const FirstWord = v.strictObject({ type: v.literal("ticket"), ticket: Ticket });
export const Incoming = v.variant("type", [v.strictObject({ type: v.literal("say"), text: Text }), Beat]);
