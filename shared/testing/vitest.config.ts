import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: fileURLToPath(new URL("../..", import.meta.url)),
    include: ["{lessons,shared,slides}/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/exercise.test.ts"],
    globalSetup: fileURLToPath(new URL("browser-setup.ts", import.meta.url)),
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Most tests wait for a process, a browser or a clock, so four at a time suit two cores.
    maxWorkers: 4,
  },
});
