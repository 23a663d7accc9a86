// An installed browser without a window, for the PDF, pictures of pages, and the benchmark of frames.
import { type Browser, chromium } from "playwright-core";
import { installedBrowser } from "./browser.ts";

/** @throws with a line for the user when there is no browser, or none that starts */
export async function startBrowser(): Promise<Browser> {
  const executablePath = installedBrowser();
  if (!executablePath)
    throw new Error("No browser found: install Chrome, Edge or Chromium, or set CHROME_PATH to its program.");
  // As root (containers, CI) Chromium refuses to start with its sandbox.
  const args = process.getuid?.() === 0 ? ["--no-sandbox", "--disable-gpu"] : ["--disable-gpu"];
  return chromium.launch({ executablePath, args }).catch((cause) => {
    const why = `${executablePath} could not be started. Set CHROME_PATH to another Chrome, Edge or Chromium.`;
    throw new Error(why, { cause });
  });
}
