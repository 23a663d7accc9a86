// Whose clock? An estimate of how far a clock that we can't see is from ours: four timestamps, best of eight (NTP, RFC 5905 §8).

/** Both in milliseconds: the other clock is ours plus `offsetMs`, and surely not further from that than `uncertaintyMs`. */
export type Sample = { offsetMs: number; uncertaintyMs: number };

const kept = 8;

/** This program's clock, in milliseconds since 1970. Unlike Date.now() it never jumps: it began there, and only goes on. */
export const ownClock = (): number => performance.timeOrigin + performance.now();

/**
 * One question to the other clock: we asked at `t1`, it was there at `t2` and answered at `t3`, and we had the answer at
 * `t4`. t1 and t4 are by our clock, t2 and t3 by the other one.
 */
export function sample(t1: number, t2: number, t3: number, t4: number): Sample {
  const roundTripMs = t4 - t1 - (t3 - t2);
  // If both ways took the same time. At worst, one of them took all of it.
  return { offsetMs: (t2 - t1 + (t3 - t4)) / 2, uncertaintyMs: roundTripMs / 2 };
}

export class Clock {
  #samples: Sample[] = [];

  /** The one of the last eight with the shortest round trip: there, the two ways had the least room to differ. */
  get best(): Sample | undefined {
    return this.#samples.toSorted((a, b) => a.uncertaintyMs - b.uncertaintyMs)[0];
  }

  /** How many samples the estimate is made from. */
  get count(): number {
    return this.#samples.length;
  }

  add(next: Sample): void {
    if (next.uncertaintyMs < 0) return; // one of the clocks was set back between question and answer
    // Two that can't both be right: one of the clocks has jumped in between. A laptop slept, or somebody set its time.
    const agrees = ({ offsetMs, uncertaintyMs }: Sample) =>
      Math.abs(offsetMs - next.offsetMs) <= uncertaintyMs + next.uncertaintyMs + toleranceMs;
    this.#samples = [...this.#samples.filter(agrees).slice(1 - kept), next];
  }

  /** What the other clock shows when ours shows `ownMs`. Undefined while there is no sample. */
  at(ownMs: number): number | undefined {
    return this.best && ownMs + this.best.offsetMs;
  }
}

/** Browsers round their clocks, and no two clocks run equally fast. */
const toleranceMs = 2;
