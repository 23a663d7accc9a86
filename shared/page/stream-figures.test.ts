// Promises of the figures of a stream.
import { expect, test } from "vitest";
import { noCounts } from "../machinery/cable/entry.ts";
import { type Spent, StreamFigures } from "./stream-figures.ts";

test("a hole is a loss until it is filled, then it is out of order; a message that comes twice is duplicated", () => {
  const figures = new StreamFigures(10);
  for (const number of [11, 14, 15, 12, 12, 10]) figures.take(number, 100, 0, 1);
  expect(figures).toMatchObject({ received: 4, lost: 1, duplicated: 2, outOfOrder: 1 });
});

test("lateness and bytes are those of the last minute, and memory holds no more than that", () => {
  const figures = new StreamFigures(0);
  let number = 0;
  for (let second = 0; second < 600; second++) {
    const nowMs = second * 1_000;
    for (let n = 0; n < 100; n++) figures.take(++number, 100, nowMs - (second < 500 ? 900 : 10), nowMs);
    const counts = noCounts();
    counts.down.bytes = number * 102;
    const spent = { cpuMicros: number * 40, twinMicros: number * 10, delivered: number };
    figures.sample(counts, spent, nowMs);
  }
  expect(figures.late).toEqual({ mean: 10, p50: 10, p95: 10, worst: 10 });
  expect(figures.perMessage?.bytes).toBe(102);
  expect(figures.cpuPerMessage).toEqual({ micros: 30, below: false });
  expect(figures.measuredMs).toBe(60_000);
  expect(figures.window).toMatchObject({ received: 6_000, lost: 0 });
});

test("after a restart, messages published before no longer count, however late they arrive", () => {
  const figures = new StreamFigures(0);
  const sampleAt = (ms: number, bytes: number) => {
    const counts = noCounts();
    counts.down.bytes = bytes;
    figures.sample(counts, { cpuMicros: 0, twinMicros: 0, delivered: 0 }, ms);
  };
  figures.take(1, 100, 0, 5);
  sampleAt(10, 100);
  figures.restart(3, 20);
  figures.take(2, 100, 15, 2_000); // published before
  figures.take(3, 100, 25, 2_000); // counted as before, whatever the server's clock says
  sampleAt(2_000, 300);
  expect([figures.late, figures.perMessage]).toEqual([undefined, undefined]);
  figures.take(4, 4_000, 2_010, 2_020);
  sampleAt(2_500, 4_300);
  figures.take(5, 4_000, 2_600, 2_620);
  sampleAt(3_000, 8_300);
  expect(figures.late).toMatchObject({ p50: 10, worst: 20 });
  expect(figures.perMessage?.bytes).toBe(4_000);
  expect(figures.received).toBe(5);
});

/** Two samples, this far apart, between which 100 messages arrived. */
function measured(spent: Spent, { afterMs = 10_000, payloadBytes = 10_000 } = {}) {
  const figures = new StreamFigures(0);
  figures.take(1, 0, 0, 1);
  figures.sample(noCounts(), { cpuMicros: 0, twinMicros: 0, delivered: 0 }, 0);
  for (let number = 2; number <= 101; number++) figures.take(number, 100, afterMs, afterMs + 1);
  const counts = noCounts();
  Object.assign(counts.down, { bytes: payloadBytes + 2_000, headerBytes: 2_000, payloadBytes });
  figures.sample(counts, spent, afterMs);
  return figures;
}

test("CPU time is what the lesson's server spent more than its twin, for each message to any reader", () => {
  const spent = { cpuMicros: 30_000, twinMicros: 10_000, delivered: 1_000 };
  expect(measured(spent).cpuPerMessage).toEqual({ micros: 20, below: false });
});

test("less than a quarter more than the twin can't be told from chance, and is shown as that", () => {
  const spent = { cpuMicros: 12_000, twinMicros: 10_000, delivered: 100 };
  expect(measured(spent).cpuPerMessage).toEqual({ micros: 25, below: true });
  expect(measured({ ...spent, cpuMicros: 9_000 }).cpuPerMessage).toEqual({ micros: 25, below: true });
});

test("no CPU time is shown in the first seconds, nor when nothing was delivered", () => {
  const spent = { cpuMicros: 30_000, twinMicros: 10_000, delivered: 1_000 };
  expect(measured(spent, { afterMs: 2_000 }).cpuPerMessage).toBeUndefined();
  expect(measured({ ...spent, delivered: 0 }).cpuPerMessage).toBeUndefined();
});

test("a message that was compressed is as large as it was on its way", () => {
  const spent = { cpuMicros: 0, twinMicros: 0, delivered: 100 };
  const { perMessage } = measured(spent, { payloadBytes: 1_500 });
  expect(perMessage).toMatchObject({ bytes: 35, message: 15, wrapping: 0 });
});
