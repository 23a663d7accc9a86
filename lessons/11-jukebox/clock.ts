// Whose clock? An estimate of how far a clock that we can't see is from ours: four timestamps, best of eight (NTP, RFC 5905).

/**
 * One answer. All in milliseconds: the other clock is ours plus `offsetMs`, give or take
 * `uncertaintyMs`. `takenMs` is when it came, by our clock.
 */
export type Sample = { offsetMs: number; uncertaintyMs: number; takenMs: number };

/** This many answers are kept. */
const kept = 8;
/** No two clocks run equally fast. Many differ by 0.01%, so an answer becomes less accurate every second. */
const agingPerMs = 0.0001;
/** Browsers round their clocks. */
const roundingMs = 1;

/** This program's clock, in milliseconds since 1970. It starts at the system's time and, unlike Date.now(), never jumps. */
export const ownClock = (): number => performance.timeOrigin + performance.now();

/**
 * We asked at `t1`, the question arrived at `t2`, the answer left at `t3`, and arrived at `t4`. t1 and t4 are by our clock,
 * t2 and t3 by the other one.
 */
export function sample(t1: number, t2: number, t3: number, t4: number): Sample {
  const roundTripMs = t4 - t1 - (t3 - t2);
  // Right if both trips took equally long. At worst, one of them took all the time.
  return { offsetMs: (t2 - t1 + (t3 - t4)) / 2, uncertaintyMs: roundTripMs / 2, takenMs: t4 };
}

export class Clock {
  /** The best first. */
  #samples: Sample[] = [];

  /** The one with the shortest round trip: its two trips had the least room to differ. */
  get best(): Sample | undefined {
    return this.#samples[0];
  }

  add(next: Sample): void {
    if (next.uncertaintyMs < 0) return; // one of the clocks was set between question and answer
    const now = next.takenMs;
    const uncertainty = ({ uncertaintyMs, takenMs }: Sample) => uncertaintyMs + (now - takenMs) * agingPerMs;
    // Two that can't both be right: a clock has jumped in between. A laptop slept, or somebody set its time.
    const agrees = (one: Sample) =>
      Math.abs(one.offsetMs - next.offsetMs) <= uncertainty(one) + uncertainty(next) + roundingMs;
    this.#samples = [...this.#samples.filter(agrees), next]
      .sort((a, b) => uncertainty(a) - uncertainty(b))
      .slice(0, kept);
  }

  /** What the other clock shows when ours shows `ownMs`. Undefined while there is no answer. */
  at(ownMs: number): number | undefined {
    return this.best && ownMs + this.best.offsetMs;
  }
}
