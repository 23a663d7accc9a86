// Requests take turns: one in each turn of the event loop, and first those of connections that have asked for little.

/** `came`: how many had come before it. */
type Waiting = { work: () => boolean; came: number };

/**
 * Node accepts only one connection in each turn of the event loop. Without turns for requests, a client that sends many of
 * them over a hundred connections would keep everyone else waiting for one.
 */
export class Turns {
  /** The first list is for connections that have asked for least. */
  readonly #waiting: Waiting[][] = Array.from({ length: 8 }, () => []);
  #isTaken = false;
  #came = 0;
  #turns = 0;

  /**
   * Calls `work` in a turn of its own: now, or later. `recent` is how many requests its connection has sent recently.
   * `work` returns false when there is nothing left to do. Then the turn goes to another one.
   */
  take(recent: number, work: () => boolean): void {
    if (!this.#isTaken) {
      this.#run(work);
      return;
    }
    const rank = Math.floor(Math.log2(1 + recent));
    this.#waiting[Math.min(rank, this.#waiting.length - 1)]?.push({ work, came: this.#came++ });
  }

  #run(work: () => boolean) {
    this.#isTaken = true;
    const end = setImmediate(() => this.#end());
    if (work()) return;
    clearImmediate(end);
    this.#isTaken = false;
  }

  #end() {
    this.#isTaken = false;
    this.#turns++;
    while (!this.#isTaken) {
      const next = this.#next();
      if (!next) return;
      this.#run(next.work);
    }
  }

  /**
   * Every second turn belongs to the request that has waited longest. Otherwise, a client that opens a new connection for
   * each request would always come first, and a page with one connection would wait until that client stops.
   */
  #next(): Waiting | undefined {
    const someWait = this.#waiting.filter((waiting) => waiting.length > 0);
    if (this.#turns % 2 === 0) someWait.sort(([a], [b]) => Number(a?.came) - Number(b?.came));
    return someWait[0]?.shift();
  }
}
