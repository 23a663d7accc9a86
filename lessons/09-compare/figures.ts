// The figures of one lane: how late, how many bytes, what was lost. Of the last minute, or since the sliders moved.
import type { Message } from "../../shared/both/old-message.ts";
import type { Counts } from "../../shared/machinery/cable/entry.ts";
import type { Spent } from "./settings.ts";

export const windowMs = 60_000;
/** Of CPU time nothing is said before: a process that has begun is dearer than one that runs. */
const settledMs = 3_000;

type Arrival = { atMs: number; lateMs: number };
type Sample = { atMs: number; counts: Counts; spent: Spent; received: number; messageBytes: number };

/** Bytes a message, both ways: the message itself, what is wrapped around it in bodies and frames, and headers. */
export type PerMessage = {
  bytes: number;
  up: number;
  down: number;
  message: number;
  wrapping: number;
  headers: number;
  requests: number;
};
export type Late = { mean: number; p50: number; p95: number; worst: number };

export class Figures {
  received = 0;
  lost = 0;
  doubled = 0;
  outOfOrder = 0;
  /** What the lane's cable has counted since it was laid. */
  counts: Counts | undefined;
  late: Late | undefined;
  #messageBytes = 0;
  #last: number;
  #missing = new Set<number>();
  #arrivals: Arrival[] = [];
  #samples: Sample[] = [];

  /** `after`: the cursor with which the lane begins. */
  constructor(after: number) {
    this.#last = after;
  }

  /** A message has arrived. False when it was there already. */
  take({ id }: Message, bytes: number, atMs: number, lateMs: number): boolean {
    if (id <= this.#last && !this.#missing.delete(id)) {
      this.doubled++;
      return false;
    }
    if (id < this.#last) {
      this.outOfOrder++;
      this.lost--;
    } else {
      this.lost += id - this.#last - 1;
      // Remembered, should they come after all; not more than a few, should they never.
      for (let each = Math.max(this.#last + 1, id - 1_000); each < id; each++) this.#missing.add(each);
      if (this.#missing.size > 5_000) this.#missing.clear();
      this.#last = id;
    }
    this.received++;
    this.#messageBytes += bytes;
    this.#arrivals.push({ atMs, lateMs });
    return true;
  }

  /** What the cable has counted up to now, and what the lane's process has spent. */
  sample(counts: Counts, spent: Spent, atMs: number): void {
    this.counts = counts;
    this.#samples.push({ atMs, counts, spent, received: this.received, messageBytes: this.#messageBytes });
    const begins = atMs - windowMs;
    // One sample older than the window stays: the bytes are counted from there.
    while ((this.#samples[1]?.atMs ?? atMs) <= begins) this.#samples.shift();
    const old = this.#arrivals.findIndex((arrival) => arrival.atMs > begins);
    if (old !== 0) this.#arrivals.splice(0, old === -1 ? this.#arrivals.length : old);
    this.late = lateness(this.#arrivals);
  }

  /** The sliders have moved: what was measured before says nothing of what comes now. */
  restart(): void {
    this.#arrivals = [];
    this.#samples = [];
    this.late = undefined;
  }

  get perMessage(): PerMessage | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    const messages = first && last ? last.received - first.received : 0;
    if (!first || !last || messages === 0) return undefined;
    const each = (of: (sample: Sample) => number) => (of(last) - of(first)) / messages;
    const up = each(({ counts }) => counts.up.bytes);
    const down = each(({ counts }) => counts.down.bytes);
    const message = each(({ messageBytes }) => messageBytes);
    const payload = each(({ counts }) => counts.up.payloadBytes + counts.down.payloadBytes);
    return {
      bytes: up + down,
      up,
      down,
      // What was compressed on its way was less there than it is here.
      message: Math.min(message, payload),
      wrapping: Math.max(0, payload - message),
      headers: each(({ counts }) => counts.up.headerBytes + counts.down.headerBytes),
      requests: each(({ counts }) => counts.requests),
    };
  }

  /**
   * Microseconds of CPU for each message handed to a reader of this lane, this page or another: what the lane's
   * process has spent more than one that hears the same stream and has no readers. `below`: less than can be told.
   */
  get cpuPerMessage(): { micros: number; below: boolean } | undefined {
    const [first, last] = [this.#samples[0]?.spent, this.#samples.at(-1)?.spent];
    const delivered = first && last ? last.delivered - first.delivered : 0;
    if (!first || !last || delivered === 0 || this.measuredMs < settledMs) return undefined;
    const idle = last.idleMicros - first.idleMicros;
    const more = last.cpuMicros - first.cpuMicros - idle;
    // Two processes that do the same differ by a tenth, on a busy computer by more.
    const least = idle / 4;
    return { micros: Math.max(more, least) / delivered, below: more < least };
  }

  /** How long it has been measured, at most a minute. */
  get measuredMs(): number {
    return (this.#samples.at(-1)?.atMs ?? 0) - (this.#samples[0]?.atMs ?? 0);
  }
}

function lateness(arrivals: Arrival[]): Late | undefined {
  if (arrivals.length === 0) return undefined;
  const sorted = Float64Array.from(arrivals, ({ lateMs }) => lateMs).sort();
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  const mean = sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length;
  return { mean, p50: at(0.5), p95: at(0.95), worst: at(1) };
}
