import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

export default defineConfig({
  test: {
    root: here("../../.."),
    include: ["{lessons,shared,slides}/**/*.test.ts"],
    globalSetup: here("global-setup.ts"),
    setupFiles: here("clean-up.ts"),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A limit costs time only where a test fails, and a second is short on a busy computer.
    expect: { poll: { timeout: 30_000 } },
    // Modules stay loaded from one test file to the next: nothing here keeps state, see clean-up.ts.
    isolate: false,
    maxWorkers: 2,
    // Checks judge a server by its times: few at once, or they judge the computer.
    maxConcurrency: 2,
  },
});
