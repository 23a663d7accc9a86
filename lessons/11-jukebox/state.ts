// The state that everybody agrees on, for page and server, and what a press makes of it.

/** All times are in milliseconds. */
export type Track = { name: string; beatsPerMinute: number; beats: number; lengthMs: number };

/** Each is a loop of 16 beats: it has no end, and begins again. */
export const tracks: Track[] = [
  { name: "Morning bus", beatsPerMinute: 100 },
  { name: "First snow", beatsPerMinute: 80 },
  { name: "Night shift", beatsPerMinute: 120 },
].map((track) => ({ ...track, beats: 16, lengthMs: (16 * 60_000) / track.beatsPerMinute }));

export const longestMs = Math.max(...tracks.map(({ lengthMs }) => lengthMs));

/** A position and its time: `position` at the moment `at` of the server's clock. The rest follows from these two. */
export type State = { track: number; playing: boolean; position: number; at: number; revision: number };

/** What somebody has pressed. `revision`: the number of the state that they saw. */
export type Press = { type: "play" | "pause" | "next" } | { type: "seek"; position: number };
export type Command = Press & { revision: number };

export const trackOf = ({ track }: State): Track => tracks[track % tracks.length] as Track;

/** Where in its track the room is at a moment of the server's clock. */
export function positionAt(state: State, nowMs: number): number {
  const { lengthMs } = trackOf(state);
  return inLoop(state.playing ? state.position + (nowMs - state.at) : state.position, lengthMs);
}

/** A position in a loop, from 0 up to its length. `%` alone leaves a negative number negative. */
export const inLoop = (positionMs: number, lengthMs: number): number =>
  ((positionMs % lengthMs) + lengthMs) % lengthMs;

/** The state after a press that was obeyed at the moment `nowMs`. The page uses it too, to guess what will come. */
export function after(state: State, press: Press, nowMs: number): State {
  const [at, revision] = [nowMs, state.revision + 1];
  if (press.type === "next")
    return { ...state, track: (state.track + 1) % tracks.length, position: 0, at, revision };
  const position = press.type === "seek" ? press.position : positionAt(state, nowMs);
  const playing = press.type === "seek" ? state.playing : press.type === "play";
  return { ...state, playing, position, at, revision };
}
