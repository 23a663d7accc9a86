// How often each of many callers may ask.
import { Allowance } from "../../server/allowance.ts";

/** Callers that are remembered. The one that has not asked for the longest time is forgotten first. */
const mostCallers = 2_000;

/**
 * Gives each caller an allowance of its own. Returns a function that says whether this caller may ask now, and takes it
 * off the allowance.
 */
export function allowances(burst: number, perSecond: number): (caller: string) => boolean {
  const callers = new Map<string, Allowance>();
  return (caller) => {
    const allowance = callers.get(caller) ?? new Allowance(burst, perSecond);
    // Deleted first, so that the key moves to the end: a Map keeps the order of insertion.
    callers.delete(caller);
    callers.set(caller, allowance);
    for (const oldest of callers.keys()) {
      if (callers.size <= mostCallers) break;
      callers.delete(oldest);
    }
    return allowance.take();
  };
}
