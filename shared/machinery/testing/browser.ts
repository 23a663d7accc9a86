// A real browser for tests: one for all of them, a fresh profile for each page.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { inject } from "vitest";
import { atEnd } from "./clean-up.ts";

let connected: Promise<Browser> | undefined;

/** The browser. What a test file leaves open in it is closed after its last test. */
export async function browser(): Promise<Browser> {
  const found = inject("browser");
  if ("missing" in found) throw new Error(found.missing);
  connected ??= connect(found.startedBy);
  const one = await connected;
  atEnd(() => Promise.all(one.contexts().map((context: BrowserContext) => context.close())));
  return one;
}

async function connect(startedBy: string): Promise<Browser> {
  // Loaded here, because most test files need no browser.
  const [{ chromium }, answer] = await Promise.all([import("playwright-core"), fetch(startedBy)]);
  const address = await answer.text();
  if (!address.startsWith("ws:")) throw new Error(address);
  return chromium.connect(address);
}

/** Opens `url` in a tab with a profile of its own. */
export async function openPage(url: string): Promise<Page> {
  const page = await (await browser()).newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(url);
  return page;
}
