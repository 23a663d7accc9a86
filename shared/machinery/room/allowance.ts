// How often somebody may ask.

/** Callers that are remembered. The one that has not asked for the longest time is forgotten first. */
const mostCallers = 2_000;

/**
 * Lets each caller ask `burst` times at once, and `perSecond` times a second in the long run. Returns a function that
 * says whether this caller may ask now, and takes it off the allowance.
 */
export function allowance(burst: number, perSecond: number): (caller: string) => boolean {
  const callers = new Map<string, { left: number; atMs: number }>();
  return (caller) => {
    const nowMs = performance.now();
    const { left, atMs } = callers.get(caller) ?? { left: burst, atMs: nowMs };
    const now = Math.min(burst, left + ((nowMs - atMs) / 1_000) * perSecond);
    // Deleted first, so that the key moves to the end: a Map keeps the order of insertion.
    callers.delete(caller);
    callers.set(caller, { left: now >= 1 ? now - 1 : now, atMs: nowMs });
    for (const oldest of callers.keys()) {
      if (callers.size <= mostCallers) break;
      callers.delete(oldest);
    }
    return now >= 1;
  };
}
