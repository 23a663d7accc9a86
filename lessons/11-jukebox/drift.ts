// What to do about a player that isn't where the room is: nothing, a little faster or slower, or a jump.

/** Below this, correcting does more harm than good: nobody can hear such a drift. */
const fineMs = 3;
/** Above this, catching up would take too long. */
export const jumpMs = 60;
/** How much faster or slower: 2% is a third of a semitone. */
const most = 0.02;
/** A drift would be gone within this time, if the rate didn't change meanwhile. */
const withinMs = 1_500;

/** How far `heardMs` is ahead of `roomMs` in a loop. Negative: behind. Never more than half of the loop. */
export function driftOf(heardMs: number, roomMs: number, lengthMs: number): number {
  const ahead = (heardMs - roomMs) % lengthMs;
  return ahead - lengthMs * Math.round(ahead / lengthMs);
}

/** The rate to play at, 1 being as fast as the room, or "jump". */
export function correction(driftMs: number): number | "jump" {
  if (Math.abs(driftMs) > jumpMs) return "jump";
  if (Math.abs(driftMs) < fineMs) return 1;
  return 1 - Math.max(-most, Math.min(most, driftMs / withinMs));
}
