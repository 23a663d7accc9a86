// Runs once before all tests: finds a browser, or installs one. Each worker starts it for itself, see browser.ts.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { headlessShell, installedBrowser } from "../browser.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The browser's program, "" where there is none. */
    browserPath: string;
  }
}

const require = createRequire(import.meta.url);

export default function setup({ provide }: TestProject) {
  const shell = !process.env.CHROME_PATH && existsSync(headlessShell) ? headlessShell : undefined;
  const path = shell ?? installedBrowser() ?? downloadedBrowser() ?? debianBrowser();
  // From here on, nothing asks other sites for anything. Node 20 reads certificates whenever it starts, which takes longer
  // than everything else that it does then.
  delete process.env.NODE_EXTRA_CA_CERTS;
  provide("browserPath", path ?? "");
}

function downloadedBrowser(): string | undefined {
  // Loaded here, because it is seldom needed.
  const { chromium } = require("playwright-core") as typeof import("playwright-core");
  if (!existsSync(chromium.executablePath())) {
    console.log("No browser installed: fetching one with playwright, once …");
    const cli = join(require.resolve("playwright-core/package.json"), "..", "cli.js");
    spawnSync(process.execPath, [cli, "install", "chromium"], { stdio: "ignore", timeout: 300_000 });
  }
  return existsSync(chromium.executablePath()) ? chromium.executablePath() : undefined;
}

function debianBrowser(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  console.log("Fetching Chromium from Debian's packages, once …");
  try {
    const options = {
      stdio: "ignore",
      timeout: 900_000,
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    } as const;
    execFileSync("apt-get", ["update", "-qq"], options);
    const what = ["--no-install-recommends", "chromium-headless-shell"];
    execFileSync("apt-get", ["install", "-y", "-qq", ...what], options);
  } catch {
    return;
  }
  return installedBrowser();
}
