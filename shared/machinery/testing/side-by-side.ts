// For tests that mostly wait: they all wait at the same time.
import { beforeAll, test } from "vitest";

/** Tests by name. All of them begin before the first test of their suite, and run beside it and each other. */
export function sideBySide(tests: Record<string, () => Promise<void>>): void {
  const running = new Map<string, Promise<void>>();
  beforeAll(() => {
    for (const [name, run] of Object.entries(tests)) {
      const result = run();
      // Its test reports a failure, later.
      result.catch(() => {});
      running.set(name, result);
    }
  });
  test.each(Object.keys(tests))("%s", (name) => running.get(name));
}
