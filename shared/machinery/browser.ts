// Where Chrome, Edge or Chromium is on this machine.
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Chromium without windows, a package of Debian: the same engine. Its tabs open in a quarter to a half of the time. */
export const headlessShell = "/usr/bin/chromium-headless-shell";

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
  const candidates = places[process.platform] ?? [...linux.map((name) => `/usr/bin/${name}`), headlessShell];
  return [CHROME_PATH, ...candidates].find((path) => path && existsSync(path));
}
