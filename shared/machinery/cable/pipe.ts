// One direction of a connection: passes the bytes of one socket on to the other immediately, late, slowly or not at all.
import type { Socket } from "node:net";

/** Bytes that one direction holds back at most (with a delay). Above that, it stops reading for a while. */
const mostQueued = 1024 * 1024;
/** With a throttle it holds back only this, or a quarter of a second. So the sender soon feels how slow the line is. */
const mostQueuedWhenSlow = 16 * 1024;
/** Added to the size of each piece, so that a million one-byte pieces are bounded too. */
const perPiece = 64;

export type PipeFaults = {
  frozen: boolean;
  delayMs: number;
  jitterMs: number;
  bytesPerSecond: number | undefined;
};

type Piece = { dueMs: number; what: Buffer | "FIN" | "RST" };

export type Pipe = {
  set(faults: PipeFaults): void;
  /** Bytes that arrived while it was frozen and haven't been passed on: see `heal` in proxy.ts. */
  waitingBytes(): number;
  /** Passes on what is held back, without waiting for its time. */
  flush(): void;
  /** From now on nothing passes. Bytes that still arrive are dropped. */
  stop(): void;
};

/**
 * Connects `from` to `to`. `passed` is called with bytes that were given to the kernel for `to`, or to the queue in front
 * of it. `ended` is called once, with the way in which `from` ended.
 */
export function pipe(
  from: Socket,
  to: Socket,
  faults: PipeFaults,
  hooks: { passed(bytes: Buffer): void; ended(how: "FIN" | "RST", why: string | undefined): void },
): Pipe {
  let queue: Piece[] = [];
  let queuedBytes = 0;
  let lastDueMs = 0;
  let freeAtMs = 0; // when a throttled line has sent everything so far
  let timer: NodeJS.Timeout | undefined;
  let blocked = false; // `to` is slow
  let stopped = false;
  let why: string | undefined;

  function arrive(what: Piece["what"]): void {
    if (stopped) return;
    // With a reset, the sender's system throws away what a slow line hasn't taken yet. So the reset doesn't wait for it.
    if (what === "RST" && faults.bytesPerSecond !== undefined) drop();
    const straight =
      queue.length === 0 && !faults.frozen && !faults.delayMs && !faults.jitterMs && !faults.bytesPerSecond;
    if (straight) pass(what);
    else {
      const delayMs = Math.max(0, faults.delayMs + (Math.random() * 2 - 1) * faults.jitterMs);
      lastDueMs = Math.max(lastDueMs, performance.now() + delayMs); // one piece never overtakes another, whatever the jitter
      queue.push({ dueMs: lastDueMs, what });
      queuedBytes += sizeOf(what);
      pump();
    }
    readOrNot();
  }

  function pump(): void {
    clearTimeout(timer);
    timer = undefined;
    while (!faults.frozen && !blocked && !stopped) {
      const piece = queue[0];
      if (!piece) break;
      const waitMs = Math.max(piece.dueMs, freeAtMs) - performance.now();
      if (waitMs > 0) {
        timer = setTimeout(pump, Math.ceil(waitMs));
        break;
      }
      next(piece);
    }
    readOrNot();
  }

  /** Sends the first piece, or as much of it as 50 ms of a throttled line can carry. */
  function next(piece: Piece): void {
    const { what } = piece;
    const rate = faults.bytesPerSecond;
    const most = rate === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(rate / 20));
    if (typeof what === "string" || what.length <= most) {
      queue.shift();
      queuedBytes -= sizeOf(what);
    } else {
      piece.what = what.subarray(most);
      queuedBytes -= most;
    }
    const now = typeof what === "string" ? what : what.subarray(0, most);
    if (rate !== undefined) freeAtMs = Math.max(freeAtMs, performance.now()) + (now.length / rate) * 1000;
    pass(now);
  }

  function pass(what: Piece["what"]): void {
    if (what === "RST") hooks.ended("RST", why);
    else if (what === "FIN") {
      to.end();
      hooks.ended("FIN", undefined);
    } else if (to.writable) {
      // Passed on first and read afterwards, so that reading doesn't delay it.
      blocked = !to.write(what);
      hooks.passed(what);
    }
  }

  function drop(): void {
    queue = [];
    queuedBytes = 0;
  }

  function readOrNot(): void {
    const { bytesPerSecond: rate } = faults;
    const most =
      rate === undefined ? mostQueued : Math.min(mostQueued, Math.max(mostQueuedWhenSlow, rate / 4));
    const read = stopped || (!faults.frozen && !blocked && queuedBytes < most);
    if (read && from.isPaused()) from.resume();
    else if (!read && !from.isPaused()) from.pause();
  }

  // Paused before the listener is added: a connection may be frozen from its first byte.
  from.pause();
  from.on("data", arrive);
  from.on("end", () => arrive("FIN"));
  from.on("error", (error: NodeJS.ErrnoException) => {
    why = error.code ?? error.message;
  });
  from.on("close", (hadError) => {
    if (hadError) arrive("RST");
  });
  to.on("drain", () => {
    blocked = false;
    pump();
  });
  readOrNot();

  return {
    set(next) {
      // Pieces that wait for a longer delay than the new one don't have to wait that long.
      const latest = performance.now() + next.delayMs + next.jitterMs;
      for (const piece of queue) piece.dueMs = Math.min(piece.dueMs, latest);
      lastDueMs = Math.min(lastDueMs, latest);
      if (next.bytesPerSecond !== faults.bytesPerSecond) freeAtMs = 0;
      faults = next;
      pump();
    },
    // Node reads a little from a paused socket too. So readableLength shows that something has arrived.
    waitingBytes: () => queue.reduce((sum, { what }) => sum + bytesOf(what), 0) + from.readableLength,
    flush() {
      for (const { what } of queue)
        if (typeof what !== "string" && to.writable && !faults.frozen) {
          to.write(what);
          hooks.passed(what);
        }
      drop();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      drop();
      readOrNot();
    },
  };
}

function bytesOf(what: Piece["what"]): number {
  return typeof what === "string" ? 0 : what.length;
}

function sizeOf(what: Piece["what"]): number {
  return perPiece + bytesOf(what);
}
