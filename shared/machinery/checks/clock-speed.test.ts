// In a server with another clock speed, whatever a learner may measure or wait with has that speed.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { runNode } from "../testing/process.ts";

const folder = mkdtempSync(join(tmpdir(), "clock-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Prints how many of its milliseconds pass on each clock while it sleeps for 200 ms, and until each timer has rung. */
const program = `
  import { once } from "node:events";
  import { hrtime } from "node:process";
  import { setTimeout as later } from "node:timers";
  import { scheduler, setInterval as ticks, setTimeout as pause } from "node:timers/promises";
  import { promisify } from "node:util";

  const clocks = {
    "Date.now": () => Date.now(),
    "new Date": () => new Date().getTime(),
    "performance.now": () => performance.now(),
    "hrtime": () => process.hrtime()[0] * 1e3 + process.hrtime()[1] / 1e6,
    "hrtime, imported": () => Number(hrtime.bigint()) / 1e6,
  };
  const passed = {};
  const began = Object.values(clocks).map((now) => now());
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  Object.entries(clocks).forEach(([name, now], n) => { passed[name] = now() - began[n]; });

  const start = performance.now();
  const waits = {
    setTimeout: () => new Promise((resolve) => setTimeout(resolve, 1_000)),
    setInterval: () => new Promise((resolve) => { const timer = setInterval(() => { clearInterval(timer); resolve(); }, 1_000); }),
    "setTimeout, imported": () => new Promise((resolve) => later(resolve, 1_000)),
    "setTimeout, a promise": () => pause(1_000),
    "setTimeout, made a promise": () => promisify(setTimeout)(1_000),
    "scheduler.wait": () => scheduler.wait(1_000),
    "AbortSignal.timeout": () => once(AbortSignal.timeout(1_000), "abort"),
    "setInterval, a promise": async () => { for await (const _ of ticks(1_000)) return; },
  };
  await Promise.all(Object.entries(waits).map(async ([name, wait]) => { await wait(); passed[name] = performance.now() - start; }));
  passed.plain = [new Date() instanceof Date, new Date(5).getTime(), typeof Date()].join();
  console.log(JSON.stringify(passed));
`;

test("every clock and timer of a server runs five times as fast", async () => {
  const file = join(folder, "clocks.mjs");
  writeFileSync(file, program);
  const clockSpeed = fileURLToPath(new URL("clock-speed.cjs", import.meta.url));
  const one = runNode([file], { CLOCK_SPEED: "5" }, ["--require", clockSpeed]);
  const [line] = await one.prints(/\{.*\}/);
  const { plain, ...passed } = JSON.parse(line);
  expect(plain).toBe("true,5,string");
  expect(Object.keys(passed)).toHaveLength(13);
  for (const [name, ms] of Object.entries(passed)) {
    expect(ms, name).toBeGreaterThanOrEqual(990);
    // One that keeps its usual speed needs 5,000.
    expect(ms, name).toBeLessThan(4_000);
  }
});
