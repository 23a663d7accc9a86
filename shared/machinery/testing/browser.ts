// A real browser for tests: one for all of them, a fresh profile for each page.
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, inject } from "vitest";

let connected: Promise<Browser> | undefined;

/** The browser; what a test file leaves open in it is closed after its last test. */
export function browser(): Promise<Browser> {
  const found = inject("browser");
  if ("missing" in found) throw new Error(found.missing);
  connected ??= chromium.connect(found.address);
  return connected;
}

afterAll(async () => {
  await (await connected)?.close();
  connected = undefined;
});

/** Opens `url` in a tab with a profile of its own. */
export async function openPage(url: string): Promise<Page> {
  const page = await (await browser()).newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(url);
  return page;
}
