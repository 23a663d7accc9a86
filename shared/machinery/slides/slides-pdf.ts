// Prints the slides to slides/slides.pdf with an installed browser. NOTES=1: one page for each slide with its notes,
// for the speaker. COURSE=90: only the slides of that course.
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { root } from "../launcher/lessons.ts";
import { anyFreePort } from "../launcher/ports.ts";
import { whatRunsAt } from "../launcher/what-runs.ts";
import { fitTerminal } from "../launcher/wrap.ts";
import { startBrowser } from "../start-browser.ts";
import { startNode } from "../supervisor/supervisor.ts";

const file = process.argv[2] ?? join(root, "slides", "slides.pdf");
const notes = process.env.NOTES === "1" ? "&showNotes=true" : "";
const course = encodeURIComponent(process.env.COURSE ?? "");

async function main() {
  const browser = await startBrowser();
  const port = await anyFreePort();
  // A pages server of its own, on a port that nobody uses: the usual one may be busy with a lesson.
  const pages = startNode([join(root, "shared", "machinery", "start.cjs"), "pages/pages"], {
    cwd: root,
    env: { ...process.env, PAGE_PORT: String(port) },
    output: "ignore",
  });
  try {
    while (!(await whatRunsAt(port))) {
      if (pages.child.exitCode !== null) throw new Error("The pages server did not start.");
      await pause(50);
    }
    const page = await browser.newPage();
    await page.goto(`http://localhost:${port}/slides/?view=print&course=${course}${notes}`);
    await page.locator("html[data-ready]").waitFor();
    await page.pdf({ path: file, preferCSSPageSize: true, printBackground: true });
    console.log(`Written: ${file}`);
  } finally {
    await browser.close();
    await pages.end();
  }
}

main().catch((error) => {
  console.error(fitTerminal(error.message));
  process.exitCode = 1;
});
