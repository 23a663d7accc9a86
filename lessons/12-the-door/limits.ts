// Two limits to give to each user or address: places, and a token bucket.
import type { EventEmitter } from "node:events";

/** At most `max` places for each key. */
export class Places {
  readonly #max: number;
  readonly #taken = new Map<string | undefined, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Whether there was a place. It is given back when `holder`, a socket, emits "close". */
  take(key: string | undefined, holder: EventEmitter): boolean {
    const taken = this.#taken.get(key) ?? 0;
    if (taken >= this.#max) return false;
    this.#taken.set(key, taken + 1);
    holder.once("close", () => {
      const left = (this.#taken.get(key) ?? 1) - 1;
      if (left > 0) this.#taken.set(key, left);
      else this.#taken.delete(key);
    });
    return true;
  }
}

/** A bucket for each key. It holds `size` tokens, gets `perSecond` new ones a second, and each message takes one. */
export class Buckets {
  readonly #size: number;
  readonly #perSecond: number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(size: number, perSecond: number) {
    this.#size = size;
    this.#perSecond = perSecond;
  }

  /** Whether there was a token. */
  take(key: string): boolean {
    const now = performance.now();
    const { tokens, at } = this.#buckets.get(key) ?? { tokens: this.#size, at: now };
    const filled = Math.min(this.#size, tokens + ((now - at) / 1_000) * this.#perSecond);
    if (filled >= 1) this.#buckets.set(key, { tokens: filled - 1, at: now });
    return filled >= 1;
  }
}
