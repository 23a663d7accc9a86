// Ends everything that a test file has started, after its last test. vitest loads this before each file, see vitest.config.ts.
import { afterAll } from "vitest";

// Global, because vitest loads this file again for each test file, and the modules that import it only once.
const kept = globalThis as { endings?: (() => unknown)[] };
kept.endings ??= [];
const { endings } = kept;

/** Calls `end` after the last test of this file, the latest first. It may return a promise. */
export function atEnd(end: () => unknown): void {
  endings.push(end);
}

afterAll(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});
