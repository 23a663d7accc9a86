import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

const checks = "shared/machinery/checks/*.test.ts";

export default defineConfig({
  test: {
    root: here("../../.."),
    globalSetup: here("global-setup.ts"),
    setupFiles: here("clean-up.ts"),
    // In a dev container and in Codespaces the tests run as they do elsewhere.
    env: { PUBLIC_HOST: "", CODESPACE_NAME: "" },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A limit costs time only where a test fails, and a second is short on a busy computer.
    expect: { poll: { timeout: 60_000 } },
    // Modules stay loaded from one test file to the next: nothing here keeps state, see clean-up.ts.
    isolate: false,
    maxConcurrency: 2,
    projects: [
      {
        extends: true,
        // Most of these wait for something: more of them than cores.
        test: {
          name: "all",
          include: ["{lessons,shared,slides}/**/*.test.ts"],
          exclude: [checks, "**/node_modules/**"],
          maxWorkers: 4,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        // Checks judge a server by its times: few at once, after the others, or they judge the computer.
        test: { name: "checks", include: [checks], maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
