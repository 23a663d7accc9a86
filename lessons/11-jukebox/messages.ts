// What a page may send.
import * as v from "valibot";
import { Beat, Name, Word } from "../../shared/both/message.ts";
import { type Command, longestMs, type State, tracks } from "./state.ts";

const time = "must be a number of milliseconds.";
const count = "must be a whole number, 0 or more.";
const inTrack = `must be a number of milliseconds from 0 to ${longestMs}.`;
const trackNumber = `must be a whole number from 0 to ${tracks.length - 1}.`;
const Revision = v.pipe(v.number(count), v.safeInteger(count), v.minValue(0, count));

/** Who is here. `page` is the page's own name, the same after a reconnect, which nobody else knows: for the exercise. */
const Join = v.strictObject({ type: v.literal("join"), name: Name, page: v.optional(Word) });
/** "What time is it?", asked at `t1` of the page's own clock. */
const Time = v.strictObject({ type: v.literal("time"), t1: v.pipe(v.number(time), v.finite(time)) });
/** A command carries the revision of the state that it was made against. */
const Play = v.strictObject({ type: v.literal("play"), revision: Revision });
const Pause = v.strictObject({ type: v.literal("pause"), revision: Revision });
const Next = v.strictObject({ type: v.literal("next"), revision: Revision });
const Seek = v.strictObject({
  type: v.literal("seek"),
  position: v.pipe(v.number(inTrack), v.minValue(0, inTrack), v.maxValue(longestMs, inTrack)),
  revision: Revision,
});
/** "Skip this track", for the exercise. */
const Vote = v.strictObject({
  type: v.literal("vote"),
  track: v.pipe(
    v.number(trackNumber),
    v.safeInteger(trackNumber),
    v.minValue(0, trackNumber),
    v.maxValue(tracks.length - 1, trackNumber),
  ),
});

export const JoinFirst = v.variant("type", [Join, Time, Beat]);
export const Incoming = v.variant("type", [Join, Time, Play, Pause, Next, Seek, Vote, Beat]);

export type Person = { id: number; name: string; page?: string | undefined };
/** What the others need to know about a person. Someone without a name has left. */
export type Presence = { id: number; name?: string };
/** The state as the server sends it: with the one who pressed last, if anybody has. */
export type Room = State & { by?: { id: number; name: string; pressed: Command["type"] } };

/** Who is here, for everybody to see: without the pages' own names. */
export const namesOf = (people: Map<unknown, Person>): Presence[] =>
  [...people.values()].map(({ id, name }) => ({ id, name }));
/** The first message to a page: its id, which run of the server this is, who is here, and the state. */
export type Welcome = Room & { id: number; started: number; people: { id: number; name: string }[] };
