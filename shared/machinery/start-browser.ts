// An installed browser without a window, for the PDF, pictures of pages, and the benchmark of frames.
import { createRequire } from "node:module";
import type { Browser } from "playwright-core";
import { installedBrowser } from "./browser.ts";

/** @throws with a line for the user when there is no browser, or none that starts */
export async function startBrowser(executablePath = installedBrowser()): Promise<Browser> {
  if (!executablePath)
    throw new Error("No browser found: install Chrome, Edge or Chromium, or set CHROME_PATH to its program.");
  // Loaded here, since not everybody who imports this starts a browser; with require, which takes half as long as import.
  const { chromium } = createRequire(import.meta.url)("playwright-core") as typeof import("playwright-core");
  const args = [
    // As root (containers, CI) Chromium refuses to start with its sandbox.
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ...["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
    ...["--disable-component-update", "--disable-sync"],
  ];
  return chromium.launch({ executablePath, args }).catch((cause) => {
    const why = `${executablePath} could not be started. Set CHROME_PATH to another Chrome, Edge or Chromium.`;
    throw new Error(why, { cause });
  });
}
