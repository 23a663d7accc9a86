// The figures of one stream of messages: how late, how many bytes, what was lost. Of the last minute, or since a restart.

/** What a cable has counted since it was opened, in each direction. Headers are HTTP's and those of frames. */
export type Counts = { connections: number; requests: number; up: Flow; down: Flow };
type Flow = { bytes: number; headerBytes: number; payloadBytes: number };

/**
 * CPU time in microseconds: of a server, and of its twin, which is published to but has no readers. And the messages
 * that the readers of the server received. All since it was started.
 */
export type Spent = { cpuMicros: number; twinMicros: number; delivered: number };

const windowMs = 60_000;
/** No CPU time is shown before this: a process that has just started costs more than later on. */
const settledMs = 3_000;

type Losses = { received: number; lost: number; duplicated: number; outOfOrder: number };
type Sample = Losses & { atMs: number; counts: Counts; spent: Spent; messageBytes: number };

/** Bytes per message, both ways: the message itself, what is wrapped around it in bodies and frames, and headers. */
export type PerMessage = Record<
  "bytes" | "up" | "down" | "message" | "wrapping" | "headers" | "requests",
  number
>;
export type Late = { mean: number; p50: number; p95: number; worst: number };
/** What arrived and what it took, between the first and the last sample of the window. */
type Window = Losses & { connections: number; requests: number; up: number; down: number };

export class StreamFigures implements Losses {
  received = 0;
  lost = 0;
  duplicated = 0;
  outOfOrder = 0;
  /** What the cable has counted since it was opened. */
  counts: Counts | undefined;
  late: Late | undefined;
  #messageBytes = 0;
  #last: number;
  #missing = new Set<number>();
  #arrivals: { atMs: number; lateMs: number }[] = [];
  #samples: Sample[] = [];
  /** Messages up to this one, or from before this moment, aren't part of what is measured now. */
  #after: { number: number; ms: number };
  /** Whether a message that was published since has arrived. */
  #begun = false;

  /** `last`: the number of the last message that isn't counted. */
  constructor(last: number) {
    this.#last = last;
    this.#after = { number: last, ms: 0 };
  }

  /**
   * A message has arrived: which one, its bytes as JSON, when the server got it, and when it arrived here.
   * False when it had arrived before.
   */
  take(number: number, bytes: number, publishedMs: number, atMs: number): boolean {
    if (number <= this.#last && !this.#missing.delete(number)) {
      this.duplicated++;
      return false;
    }
    if (number < this.#last) {
      this.outOfOrder++;
      this.lost--;
    } else {
      this.lost += number - this.#last - 1;
      // Remembered, because they may still arrive. Only some of them, because they may never arrive.
      for (let each = Math.max(this.#last + 1, number - 1_000); each < number; each++)
        this.#missing.add(each);
      if (this.#missing.size > 5_000) this.#missing.clear();
      this.#last = number;
    }
    this.received++;
    this.#messageBytes += bytes;
    if (number <= this.#after.number || publishedMs < this.#after.ms) return true;
    this.#begun = true;
    this.#arrivals.push({ atMs, lateMs: Math.max(0, atMs - publishedMs) });
    return true;
  }

  /** What the cable has counted up to now, and what the server has spent. */
  sample(counts: Counts, spent: Spent, atMs: number): void {
    this.counts = counts;
    // Bytes are counted from the first sample, and that comes after the first new message.
    if (!this.#begun) return;
    const { received, lost, duplicated, outOfOrder } = this;
    const messageBytes = this.#messageBytes;
    this.#samples.push({ atMs, counts, spent, messageBytes, received, lost, duplicated, outOfOrder });
    const begins = atMs - windowMs;
    // One sample older than the window stays: the bytes are counted from there.
    while ((this.#samples[1]?.atMs ?? atMs) <= begins) this.#samples.shift();
    const old = this.#arrivals.findIndex((arrival) => arrival.atMs > begins);
    if (old !== 0) this.#arrivals.splice(0, old === -1 ? this.#arrivals.length : old);
    this.late = lateness(this.#arrivals.map(({ lateMs }) => lateMs));
  }

  /** The conditions have changed: message `number` and all before it, or from before `nowMs`, no longer count. */
  restart(number: number, nowMs: number): void {
    this.#after = { number, ms: nowMs };
    this.#begun = false;
    this.#arrivals = [];
    this.#samples = [];
    this.late = undefined;
  }

  /** The difference between the window's last sample and its first, in the value that `of` reads. */
  #grown(of: (sample: Sample) => number): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    return first && last ? of(last) - of(first) : 0;
  }

  get window(): Window {
    return {
      received: this.#grown(({ received }) => received),
      lost: this.#grown(({ lost }) => lost),
      duplicated: this.#grown(({ duplicated }) => duplicated),
      outOfOrder: this.#grown(({ outOfOrder }) => outOfOrder),
      connections: this.#grown(({ counts }) => counts.connections),
      requests: this.#grown(({ counts }) => counts.requests),
      up: this.#grown(({ counts }) => counts.up.bytes),
      down: this.#grown(({ counts }) => counts.down.bytes),
    };
  }

  get perMessage(): PerMessage | undefined {
    const { received, requests, up, down } = this.window;
    if (received === 0) return undefined;
    const message = this.#grown(({ messageBytes }) => messageBytes);
    const payload = this.#grown(({ counts }) => counts.up.payloadBytes + counts.down.payloadBytes);
    const headers = this.#grown(({ counts }) => counts.up.headerBytes + counts.down.headerBytes);
    return {
      bytes: (up + down) / received,
      up: up / received,
      down: down / received,
      // A message that was compressed on its way was smaller there than it is here.
      message: Math.min(message, payload) / received,
      wrapping: Math.max(0, payload - message) / received,
      headers: headers / received,
      requests: requests / received,
    };
  }

  /**
   * Microseconds of CPU for each message that a reader received: what the server spent more than
   * its twin, which is published to as well but has no readers. `below`: the difference is too small to measure.
   */
  get cpuPerMessage(): { micros: number; below: boolean } | undefined {
    const delivered = this.#grown(({ spent }) => spent.delivered);
    if (delivered === 0 || this.measuredMs < settledMs) return undefined;
    const twin = this.#grown(({ spent }) => spent.twinMicros);
    const more = this.#grown(({ spent }) => spent.cpuMicros) - twin;
    // Two processes that do the same differ by a tenth, on a busy computer by more.
    const least = twin / 4;
    return { micros: Math.max(more, least) / delivered, below: more < least };
  }

  /** How long it has been measured, at most a minute. */
  get measuredMs(): number {
    return this.#grown(({ atMs }) => atMs);
  }
}

function lateness(lateMs: number[]): Late | undefined {
  if (lateMs.length === 0) return undefined;
  const sorted = Float64Array.from(lateMs).sort();
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  const mean = sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length;
  return { mean, p50: at(0.5), p95: at(0.95), worst: at(1) };
}
