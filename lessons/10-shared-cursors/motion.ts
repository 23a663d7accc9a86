// How a pointer moves on the screen: from the place where it is shown to the one that has arrived, in the time of a frame.

/** The server sends a frame this often. So a pointer arrives at one position when the next one comes. */
export const frameMs = 50;
/** A page repeats its position every two seconds. After five without one, its pointer fades. */
const freshMs = 5_000;
const fadedMs = 10_000;

type Place = { x: number; y: number };

/** One pointer. All times are in milliseconds, by any clock that only goes forward. */
export class Motion {
  #from: Place;
  #to: Place;
  #arrivedMs: number;

  constructor(to: Place, nowMs: number) {
    this.#from = this.#to = to;
    this.#arrivedMs = nowMs;
  }

  /** A position has arrived. The way there begins where the pointer is now, so it never jumps. */
  moveTo(to: Place, nowMs: number): void {
    this.#from = this.at(nowMs);
    this.#to = to;
    this.#arrivedMs = nowMs;
  }

  /** Where to draw it: on the way between two positions, or (not `smooth`) at the last one. */
  at(nowMs: number, smooth = true): Place {
    const share = smooth ? Math.min(1, (nowMs - this.#arrivedMs) / frameMs) : 1;
    const [from, to] = [this.#from, this.#to];
    return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
  }

  silentMs(nowMs: number): number {
    return nowMs - this.#arrivedMs;
  }

  /** 1, and down to 0.15 when nothing has come for ten seconds. */
  opacity(nowMs: number): number {
    const faded = (this.silentMs(nowMs) - freshMs) / (fadedMs - freshMs);
    return 1 - 0.85 * Math.min(1, Math.max(0, faded));
  }
}
