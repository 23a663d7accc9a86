// The benchmark of lesson 10, in small: its bytes are a tenth of the naive way's, and its screens show where hands are.
import { expect, test } from "vitest";
import { naiveWay, pointers } from "./pointers.ts";

test("twenty pointers cost each client a tenth of the bytes, in twenty messages a second", async () => {
  const [naive, ours] = await pointers(20, { warmUpMs: 300, seconds: 0.5 });
  expect([naive?.way, ours?.way]).toEqual([naiveWay, "lesson 10"]);
  expect(naive?.messagesDown).toBeGreaterThan(100);
  expect(ours?.messagesDown).toBeLessThanOrEqual(25);
  expect(ours?.bytesDown).toBeLessThan((naive?.bytesDown ?? 0) / 10);
  expect(ours?.cpuMs).toBeGreaterThan(0);
  // Between two positions, so never younger than a frame.
  expect(ours?.p95).toBeGreaterThan(50);
});
