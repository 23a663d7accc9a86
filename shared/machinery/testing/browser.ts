// A real browser for tests: one in each of Vitest's workers.
import type { Browser, BrowserContext, Page } from "playwright-core";
import { inject } from "vitest";
import { startBrowser } from "../start-browser.ts";
import { atEnd } from "./clean-up.ts";

let started: Promise<Browser> | undefined;
let profile: Promise<BrowserContext> | undefined;

/** The browser. Tabs that a test file leaves open are closed after its last test. */
export async function browser(): Promise<Browser> {
  started ??= startBrowser(inject("browserPath"));
  const one = await started;
  atEnd(() => {
    profile = undefined;
    return Promise.all(one.contexts().map((context: BrowserContext) => context.close()));
  });
  return one;
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
