// Promises of the words about the figures.
import { expect, test } from "vitest";
import type { Late, PerMessage, StreamFigures } from "../../shared/page/stream-figures.ts";
import { toLanes } from "./settings.ts";
import { answer, inWords, lateness } from "./words.ts";

const seen = (mean: number, bytes: number, requests = 0.05, lost = 0) => ({
  measuredMs: 10_000,
  late: { mean } as Late,
  perMessage: { bytes, requests, message: bytes - 20 } as PerMessage,
  window: { lost } as StreamFigures["window"],
});

test("the words describe the figures", () => {
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
  ["as cheap as the WebSocket", 105, /about as few bytes as the cheapest lane/],
  ["a little more expensive", 109, /hardly more bytes than the cheapest lane/],
  ["more expensive, and still cheaper than long polling", 250, /fewer bytes than long polling/],
  ["expensive", 480, /494 bytes\.$/],
])("where polling is %s, the words say so", (_how, bytes, expected) => {
  const all = { ...toLanes(() => seen(5, 102)), polling: seen(500, bytes), "long-polling": seen(8, 494) };
  expect(inWords(all, { size: 100, everyMs: 500 })).toMatch(expected);
});

test("polling isn't recommended where messages are large, or where a poll brings one at most", () => {
  const large = { ...toLanes(() => seen(5, 4_020)), "long-polling": seen(8, 4_890) };
  expect(inWords(large, { size: 4_000, everyMs: 1_000 })).toMatch(
    /no lane costs a quarter more than another\.$/,
  );
  const few = { ...toLanes(() => seen(5, 121)), polling: seen(500, 130, 1), "long-polling": seen(8, 494) };
  expect(inWords(few, { size: 100, everyMs: 1_000 })).toMatch(/494 bytes\.$/);
});

test.each<[string, number, number, number, string]>([
  ["late and expensive", 500, 490, 1, "Here the WebSocket is faster and cheaper."],
  ["late and a little more expensive", 500, 109, 1, "Here the WebSocket is faster and cheaper."],
  ["late, at the same bytes", 500, 104, 1, "Same bytes, but the WebSocket is faster."],
  ["late and cheaper", 500, 80, 1, "Polling is cheaper, the WebSocket faster."],
  ["as late and expensive", 510, 490, 500, "The WebSocket is cheaper, at the same latency."],
  ["as late and cheaper", 510, 80, 500, "Polling is cheaper, at the same latency."],
  ["as late, at the same bytes", 510, 100, 500, "Here it makes no difference."],
  ["earlier and expensive", 70, 490, 300, "The WebSocket is cheaper, polling faster."],
  ["earlier and cheaper", 70, 80, 300, "Here polling is faster and cheaper."],
  ["earlier, at the same bytes", 70, 104, 300, "Same bytes, but polling is faster."],
])("polling that is %s: the answer compares it with the WebSocket", (_how, late, bytes, socketLate, line) => {
  const all = { ...toLanes(() => seen(socketLate, 102)), polling: seen(late, bytes) };
  const lines = answer(all);
  expect(lines).toHaveLength(3);
  expect(lines[1]).toBe(`Bytes per message: polling ${bytes}, WebSocket 102.`);
  expect(lines[2]).toBe(line);
});

test("the answer doesn't praise polling for the latency of messages that it has lost", () => {
  const all = { ...toLanes(() => seen(8_300, 113)), polling: seen(3_600, 235, 0.05, 1_295) };
  expect(answer(all)[2]).toBe("Polling seems faster: it lost the late messages.");
});

test("before anything has arrived, the words say that", () => {
  const nothing = toLanes(() => ({ ...seen(0, 0), measuredMs: 0, late: undefined, perMessage: undefined }));
  expect(inWords(nothing, { size: 100, everyMs: 1_000 })).toBe("Nothing has arrived yet.");
  expect(answer(nothing)[0]).toMatch(/^Measuring/);
});

test("no answer is given in the first five seconds", () => {
  const early = { ...toLanes(() => seen(5, 102)), polling: { ...seen(500, 80), measuredMs: 4_000 } };
  expect(answer(early)[0]).toMatch(/^Measuring/);
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
