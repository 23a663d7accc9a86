// A real browser for tests: one for each test file, a fresh profile for each test that asks.
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, inject } from "vitest";

let launched: Promise<Browser> | undefined;

/** The test file's browser, started at the first call and closed after its last test. */
export function browser(): Promise<Browser> {
  const found = inject("browser");
  if ("missing" in found) throw new Error(found.missing);
  launched ??= chromium.launch({
    executablePath: found.path,
    args: [
      // As root (containers, CI) Chromium refuses to start with its sandbox.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      ...["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
      ...["--disable-component-update", "--disable-sync"],
    ],
  });
  return launched;
}

afterAll(async () => {
  await (await launched)?.close();
  launched = undefined;
});

/** Opens `url` in a tab with a profile of its own. */
export async function openPage(url: string): Promise<Page> {
  const page = await (await browser()).newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(url);
  return page;
}
