// Runs once before all tests: makes sure that a browser is there, or gets one.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the browser's program, or the one line that says why there is none. */
    browser: { path: string } | { missing: string };
  }
}

export default function setup({ provide }: TestProject) {
  const path = installedBrowser() ?? downloadedBrowser() ?? debianBrowser();
  provide(
    "browser",
    path
      ? { path }
      : { missing: "No browser found: install Chrome, Edge or Chromium, or set CHROME_PATH to its program." },
  );
}

/** An installed Chrome, Edge or Chromium: CHROME_PATH first, then where each system puts them. */
export function installedBrowser(): string | undefined {
  const {
    CHROME_PATH,
    PROGRAMFILES = "C:\\Program Files",
    "PROGRAMFILES(X86)": x86 = "C:\\Program Files (x86)",
    LOCALAPPDATA = "",
  } = process.env;
  const chrome = join("Google", "Chrome", "Application", "chrome.exe");
  const edge = join("Microsoft", "Edge", "Application", "msedge.exe");
  const places: Record<string, string[]> = {
    win32: [
      join(PROGRAMFILES, chrome),
      join(x86, chrome),
      join(LOCALAPPDATA, chrome),
      join(x86, edge),
      join(PROGRAMFILES, edge),
    ],
    darwin: [
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
      "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
      "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ],
  };
  const linux = ["google-chrome", "google-chrome-stable", "microsoft-edge", "chromium", "chromium-browser"];
  const candidates = places[process.platform] ?? linux.map((name) => `/usr/bin/${name}`);
  return [CHROME_PATH, ...candidates].find((path) => path && existsSync(path));
}

function downloadedBrowser(): string | undefined {
  const require = createRequire(import.meta.url);
  const { chromium } = require("playwright-core");
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
