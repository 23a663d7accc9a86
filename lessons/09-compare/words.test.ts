// Promises of the figures, and of the words about them.
import { expect, test } from "vitest";
import { noCounts } from "../../shared/machinery/cable/entry.ts";
import { Figures, type Late, type PerMessage } from "./figures.ts";
import { type Spent, toLanes } from "./settings.ts";
import { answer, inWords, lateness } from "./words.ts";

const seen = (mean: number, bytes: number, requests = 0.05) => ({
  late: { mean } as Late,
  perMessage: { bytes, requests, message: bytes - 20 } as PerMessage,
});

test("what can be seen is put into words", () => {
  const words = inWords(
    { polling: seen(503, 490), "long-polling": seen(20, 494), sse: seen(4, 121), websocket: seen(0.4, 102) },
    { size: 100, everyMs: 1_000 },
  );
  expect(words).toBe(
    "Polling every second: half a second late on average, 490 bytes for each message of 100. " +
      "WebSocket: less than 1 ms late, 102 bytes. Server-sent events: 4 ms late, 121 bytes. " +
      "Long polling: 20 ms late, 494 bytes.",
  );
});

test.each<[string, number, RegExp]>([
  ["cheapest", 90, /Polling costs the fewest bytes/],
  ["a little more expensive than the WebSocket", 109, /little more or no more than the cheapest lane/],
  ["more expensive, and still cheaper than long polling", 250, /fewer bytes than long polling/],
  ["expensive", 480, /494 bytes\.$/],
])("where polling is %s, the words say so", (_how, bytes, expected) => {
  const all = { ...toLanes(() => seen(5, 102)), polling: seen(500, bytes), "long-polling": seen(8, 494) };
  expect(inWords(all, { size: 100, everyMs: 500 })).toMatch(expected);
});

test("nothing speaks for polling where messages are large, or where a poll brings one at most", () => {
  const large = { ...toLanes(() => seen(5, 4_020)), "long-polling": seen(8, 4_890) };
  expect(inWords(large, { size: 4_000, everyMs: 1_000 })).toMatch(
    /about the same bytes on all four lanes\.$/,
  );
  const few = { ...toLanes(() => seen(5, 121)), polling: seen(500, 130, 1), "long-polling": seen(8, 494) };
  expect(inWords(few, { size: 100, everyMs: 1_000 })).toMatch(/494 bytes\.$/);
});

test.each<[string, number, number, number, RegExp]>([
  ["late and expensive", 500, 490, 1, /^Here the WebSocket is sooner and cheaper\.$/],
  ["late and a little more expensive", 500, 109, 1, /^Here the WebSocket is sooner and cheaper\.$/],
  [
    "late, at the same bytes",
    500,
    104,
    1,
    /^Here both cost about the same bytes, and the WebSocket is sooner\.$/,
  ],
  ["late and cheaper", 500, 80, 1, /^Here polling is cheaper, if 500 ms late is soon enough\./],
  ["as late and expensive", 510, 490, 500, /^Here the WebSocket is cheaper and about as late\.$/],
  ["as late, at the same bytes", 510, 100, 500, /^Here it makes no difference\.$/],
])("polling that is %s: the answer compares it with the WebSocket", (_how, late, bytes, socketLate, line) => {
  const all = { ...toLanes(() => seen(socketLate, 102)), polling: seen(late, bytes) };
  const lines = answer(all);
  expect(lines).toHaveLength(3);
  expect(lines[1]).toBe(`Bytes a message: polling ${bytes}, WebSocket 102.`);
  expect(lines[2]).toMatch(line);
});

test("before anything has arrived, the words say that", () => {
  const nothing = toLanes(() => ({ late: undefined, perMessage: undefined }));
  expect(inWords(nothing, { size: 100, everyMs: 1_000 })).toBe("Nothing has arrived yet.");
  expect(answer(nothing)[0]).toMatch(/being measured/);
});

test.each([
  [0.4, "less than 1 ms late"],
  [12.3, "12 ms late"],
  [500, "half a second late"],
  [1_000, "a second late"],
  [2_500, "2.5 s late"],
])("%d ms is %j", (ms, words) => {
  expect(lateness(ms)).toBe(words);
});

test("a hole is a loss until it is filled, then it is out of order; what comes twice is doubled", () => {
  const figures = new Figures(10);
  for (const number of [11, 14, 15, 12, 12, 10]) figures.take(number, 100, 0, 1);
  expect(figures).toMatchObject({ received: 4, lost: 1, doubled: 2, outOfOrder: 1 });
});

test("lateness and bytes are those of the last minute, and memory holds no more than that", () => {
  const figures = new Figures(0);
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

test("after a restart, what was published before no longer counts, however late it arrives", () => {
  const figures = new Figures(0);
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
  const figures = new Figures(0);
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
