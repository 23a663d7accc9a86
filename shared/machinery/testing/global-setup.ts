// Runs once before all tests: finds a browser, or installs one, and starts it.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { TestProject } from "vitest/node";
import { installedBrowser } from "../browser.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where all test files reach the browser that they share, or the one line that says why there is none. */
    browser: { address: string; path: string } | { missing: string };
  }
}

export default async function setup({ provide }: TestProject) {
  const executablePath = installedBrowser() ?? downloadedBrowser() ?? debianBrowser();
  if (!executablePath)
    return provide("browser", {
      missing: "No browser found: install Chrome, Edge or Chromium, or set CHROME_PATH to its program.",
    });
  // Tests that run tests (those of the solutions) have one already.
  const { BROWSER_ADDRESS: shared } = process.env;
  if (shared) return provide("browser", { address: shared, path: executablePath });
  const browser = await chromium.launchServer({
    executablePath,
    host: "127.0.0.1",
    args: [
      // As root (containers, CI) Chromium refuses to start with its sandbox.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      ...["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
      ...["--disable-component-update", "--disable-sync"],
    ],
  });
  process.env.BROWSER_ADDRESS = browser.wsEndpoint();
  provide("browser", { address: browser.wsEndpoint(), path: executablePath });
  return () => browser.close();
}

function downloadedBrowser(): string | undefined {
  const require = createRequire(import.meta.url);
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
    execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"], options);
  } catch {
    return;
  }
  return installedBrowser();
}
