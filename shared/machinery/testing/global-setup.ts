// Runs once before all tests: finds a browser, or installs one, and starts it when the first test asks for it.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { headlessShell, installedBrowser } from "../browser.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** GET `startedBy` starts the browser that all test files share. If it fails, the answer is the reason, in one line. */
    browser: { startedBy: string; path: string } | { missing: string };
  }
}

const require = createRequire(import.meta.url);

export default async function setup({ provide }: TestProject) {
  const shell = !process.env.CHROME_PATH && existsSync(headlessShell) ? headlessShell : undefined;
  const executablePath = shell ?? installedBrowser() ?? downloadedBrowser() ?? debianBrowser();
  // From here on, nothing asks other sites for anything. Node 20 reads certificates whenever it starts, which takes longer
  // than everything else that it does then.
  delete process.env.NODE_EXTRA_CA_CERTS;
  if (!executablePath)
    return provide("browser", {
      missing: "No browser found: install Chrome, Edge or Chromium, or set CHROME_PATH to its program.",
    });
  // Tests that run tests (those of the solutions) have one already.
  const { BROWSER_STARTED_BY: shared } = process.env;
  if (shared) return provide("browser", { startedBy: shared, path: executablePath });
  let starting: ReturnType<typeof start> | undefined;
  const asked = createServer(async (_request, response) => {
    starting ??= start(executablePath);
    const address = await starting.then((browser) => browser.wsEndpoint(), String);
    response.end(address);
  });
  await new Promise<void>((resolve) => asked.listen(0, "127.0.0.1", resolve));
  const startedBy = `http://127.0.0.1:${(asked.address() as AddressInfo).port}/`;
  process.env.BROWSER_STARTED_BY = startedBy;
  provide("browser", { startedBy, path: executablePath });
  return async () => {
    asked.close();
    await (await starting?.catch(() => undefined))?.close();
  };
}

async function start(executablePath: string) {
  return loadPlaywright().chromium.launchServer({
    executablePath,
    host: "127.0.0.1",
    args: [
      // As root (containers, CI) Chromium refuses to start with its sandbox.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      ...["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
      ...["--disable-component-update", "--disable-sync"],
    ],
  });
}

/** Only when it is needed, and with require, which takes half as long as import. */
function loadPlaywright() {
  return require("playwright-core") as typeof import("playwright-core");
}

function downloadedBrowser(): string | undefined {
  const { chromium } = loadPlaywright();
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
