// Promises of the figures and the words made of them.
import { expect, test } from "vitest";
import { noCounts } from "../../shared/machinery/cable/entry.ts";
import { Figures, type Late, type PerMessage } from "./figures.ts";
import { type Spent, toLanes } from "./settings.ts";
import { inWords, lateness } from "./words.ts";

const message = (id: number) => ({ id, from: "clock", text: "tick", at: 0 });
const seen = (mean: number, bytes: number, requests = 0.05) => ({
  late: { mean } as Late,
  perMessage: { bytes, requests, message: bytes - 20 } as PerMessage,
});

test("what is seen is said in words", () => {
  const said = inWords(
    { polling: seen(503, 490), "long-polling": seen(20, 494), sse: seen(4, 121), websocket: seen(0.4, 102) },
    { size: 100, everyMs: 1_000 },
  );
  expect(said).toBe(
    "Polling every second: half a second late on average, 490 bytes for each message of 100. " +
      "WebSocket: less than 1 ms late, 102 bytes. Server-sent events: 4 ms late, 121 bytes. " +
      "Long polling: 20 ms late, 494 bytes.",
  );
});

test.each<[string, number, RegExp]>([
  ["cheaper", 110, /polling wins/],
  ["as cheap", 121, /about as cheap as server-sent events/],
  ["dearer, still less than long polling", 250, /beats long polling/],
  ["dearer", 480, /494 bytes\.$/],
])("where polling is %s, it says so", (_how, bytes, expected) => {
  const all = { ...toLanes(() => seen(5, 121)), polling: seen(500, bytes), "long-polling": seen(8, 494) };
  expect(inWords(all, { size: 100, everyMs: 500 })).toMatch(expected);
});

test("where the message outweighs its headers, or a poll brings one at most, nothing is said for polling", () => {
  const large = { ...toLanes(() => seen(5, 4_020)), "long-polling": seen(8, 4_890) };
  expect(inWords(large, { size: 4_000, everyMs: 1_000 })).toMatch(/all four cost about the same bytes\.$/);
  const few = { ...toLanes(() => seen(5, 121)), polling: seen(500, 130, 1), "long-polling": seen(8, 494) };
  expect(inWords(few, { size: 100, everyMs: 1_000 })).toMatch(/494 bytes\.$/);
});

test("before anything has arrived, that is said", () => {
  const nothing = toLanes(() => ({ late: undefined, perMessage: undefined }));
  expect(inWords(nothing, { size: 100, everyMs: 1_000 })).toBe("Nothing has arrived yet.");
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
  for (const id of [11, 14, 15]) figures.take(message(id), 100, 0, 1);
  expect(figures).toMatchObject({ received: 3, lost: 2, doubled: 0, outOfOrder: 0 });
  figures.take(message(12), 100, 0, 1);
  figures.take(message(12), 100, 0, 1);
  figures.take(message(10), 100, 0, 1);
  expect(figures).toMatchObject({ received: 4, lost: 1, doubled: 2, outOfOrder: 1 });
});

test("lateness and bytes are those of the last minute, and memory holds no more than that", () => {
  const figures = new Figures(0);
  let id = 0;
  for (let second = 0; second < 600; second++) {
    for (let n = 0; n < 100; n++) figures.take(message(++id), 100, second * 1_000, second < 500 ? 900 : 10);
    const counts = noCounts();
    counts.down.bytes = id * 102;
    const spent = { cpuMicros: id * 40, idleMicros: id * 10, delivered: id };
    figures.sample(counts, spent, second * 1_000);
  }
  expect(figures.late).toEqual({ mean: 10, p50: 10, p95: 10, worst: 10 });
  expect(figures.perMessage?.bytes).toBe(102);
  expect(figures.cpuPerMessage).toEqual({ micros: 30, below: false });
  expect(figures.measuredMs).toBe(60_000);
});

/** Two samples, so far apart, between which 100 messages came. */
function measured(spent: Spent, { afterMs = 10_000, payloadBytes = 10_000 } = {}) {
  const figures = new Figures(0);
  figures.sample(noCounts(), { cpuMicros: 0, idleMicros: 0, delivered: 0 }, 0);
  for (let id = 1; id <= 100; id++) figures.take(message(id), 100, afterMs, 1);
  const counts = noCounts();
  Object.assign(counts.down, { bytes: payloadBytes + 2_000, headerBytes: 2_000, payloadBytes });
  figures.sample(counts, spent, afterMs);
  return figures;
}

test("a lane's CPU time is what it has spent more than a process without readers, for each message to any reader", () => {
  const spent = { cpuMicros: 30_000, idleMicros: 10_000, delivered: 1_000 };
  expect(measured(spent).cpuPerMessage).toEqual({ micros: 20, below: false });
});

test("less than a quarter more cannot be told from none, and that is said", () => {
  const spent = { cpuMicros: 12_000, idleMicros: 10_000, delivered: 100 };
  expect(measured(spent).cpuPerMessage).toEqual({ micros: 25, below: true });
  expect(measured({ ...spent, cpuMicros: 9_000 }).cpuPerMessage).toEqual({ micros: 25, below: true });
});

test("of CPU time nothing is said in the first seconds, nor when nothing was delivered", () => {
  const spent = { cpuMicros: 30_000, idleMicros: 10_000, delivered: 1_000 };
  expect(measured(spent, { afterMs: 2_000 }).cpuPerMessage).toBeUndefined();
  expect(measured({ ...spent, delivered: 0 }).cpuPerMessage).toBeUndefined();
});

test("of what came compressed the message is as large as it was on its way", () => {
  const spent = { cpuMicros: 0, idleMicros: 0, delivered: 100 };
  expect(measured(spent, { payloadBytes: 1_500 }).perMessage).toMatchObject({
    bytes: 35,
    message: 15,
    wrapping: 0,
  });
});
