// A real browser for tests: one in each of Vitest's workers.
import { createRequire } from "node:module";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { inject } from "vitest";
import { atEnd } from "./clean-up.ts";

let started: Promise<Browser> | undefined;
let profile: Promise<BrowserContext> | undefined;

/** The browser. Tabs that a test file leaves open are closed after its last test. */
export async function browser(): Promise<Browser> {
  const found = inject("browser");
  if ("missing" in found) throw new Error(found.missing);
  started ??= start(found.path);
  const one = await started;
  atEnd(() => {
    profile = undefined;
    return Promise.all(one.contexts().map((context: BrowserContext) => context.close()));
  });
  return one;
}

function start(executablePath: string) {
  // Loaded here, because most test files need no browser; with require, which takes half as long as import.
  const { chromium } = createRequire(import.meta.url)("playwright-core") as typeof import("playwright-core");
  return chromium.launch({
    executablePath,
    args: [
      // As root (containers, CI) Chromium refuses to start with its sandbox.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      ...["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
      ...["--disable-component-update", "--disable-sync"],
    ],
  });
}

/** Opens `url` in a tab with a profile of its own. */
export async function openPage(url: string): Promise<Page> {
  return load(await (await browser()).newPage(), url);
}

/**
 * Opens `url` in a tab beside the others of this test file, in one profile, as a reader's two windows are: that costs
 * half as much. `prepare` may change the tab before it loads the page.
 */
export async function openTab(url: string, prepare: (page: Page) => unknown = () => {}): Promise<Page> {
  const one = await browser();
  profile ??= one.newContext();
  const page = await (await profile).newPage();
  await prepare(page);
  return load(page, url);
}

async function load(page: Page, url: string): Promise<Page> {
  page.setDefaultTimeout(60_000);
  await page.goto(url);
  return page;
}
