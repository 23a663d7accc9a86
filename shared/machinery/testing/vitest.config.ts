import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: fileURLToPath(new URL("../../..", import.meta.url)),
    include: ["{lessons,shared,slides}/**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    globalSetup: fileURLToPath(new URL("browser-setup.ts", import.meta.url)),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Real processes, a real browser and real clocks on a computer that others use too: what fails is tried once more.
    retry: 1,
    maxWorkers: 3,
  },
});
