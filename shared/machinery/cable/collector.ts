// A bounded buffer for bytes that arrive in pieces.

export class Collector {
  #buffer = Buffer.alloc(0);
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Appends `bytes`. Returns false, and keeps nothing of them, if that would be more than `limit` bytes in all. */
  add(bytes: Buffer, limit: number): boolean {
    const needed = this.#length + bytes.length;
    if (needed > limit) return false;
    if (needed > this.#buffer.length) {
      // Doubled, so that a head that arrives byte by byte isn't copied once for each byte.
      const larger = Buffer.alloc(Math.max(1024, needed * 2));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    this.#length += bytes.copy(this.#buffer, this.#length);
    return true;
  }

  /** Returns what was collected, and starts again with nothing. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length);
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
    return taken;
  }

  /**
   * Collects `bytes` up to and including `terminator`. Returns what was collected and the bytes after it.
   * The first is undefined while the terminator hasn't arrived.
   */
  until(terminator: string, bytes: Buffer, limit: number): [Buffer | undefined, Buffer] | "too long" {
    if (this.isEmpty) {
      // The usual case: it is all in one piece, and nothing has to be copied.
      const end = bytes.indexOf(terminator) + terminator.length;
      if (end >= terminator.length && end <= limit) return [bytes.subarray(0, end), bytes.subarray(end)];
    }
    const before = this.#length;
    this.add(bytes.subarray(0, limit - before), limit);
    // The terminator may have begun in an earlier piece.
    const from = Math.max(0, before - terminator.length + 1);
    const found = this.#buffer.subarray(0, this.#length).indexOf(terminator, from);
    if (found < 0) return this.#length >= limit ? "too long" : [undefined, bytes.subarray(bytes.length)];
    this.#length = found + terminator.length;
    const rest = bytes.subarray(this.#length - before);
    return [this.take(), rest];
  }
}
