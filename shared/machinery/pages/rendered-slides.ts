// The slides as one page, rendered once for each change on disk: it takes 60 ms, and everybody would wait for it.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { root } from "../launcher/lessons.ts";
import { findDecks, renderDecks } from "../slides/decks.ts";

const folder = join(root, "slides");
let latest: { versions: string; files: string[]; html: Promise<string> } | undefined;

/** The page of all slides, without what the pages server adds to it. */
export function renderedSlides(): Promise<string> {
  if (latest && versionsOf(latest.files) === latest.versions) return latest.html;
  const files = findFiles();
  const html = render();
  latest = { versions: versionsOf(files), files, html };
  html.catch(() => {
    latest = undefined;
  });
  return html;
}

async function render(): Promise<string> {
  return renderDecks(readFileSync(join(folder, "index.html"), "utf8"), await findDecks());
}

/** All that the slides are made of: the decks, and the files of the workshop that they name or quote. */
function findFiles(): string[] {
  const files = new Set([folder, join(folder, "index.html")]);
  for (const name of readdirSync(folder)) {
    if (!/^\d\d-[a-z0-9-]+\.md$/.test(name)) continue;
    files.add(join(folder, name));
    files.add(join(root, "lessons", name.replace(/\.md$/, ""), "README.md"));
    const text = readFileSync(join(folder, name), "utf8");
    for (const [path] of text.matchAll(/\b(?:lessons|shared|slides)\/[\w./-]*\w/g))
      files.add(join(root, path));
  }
  return [...files];
}

/** A folder's own time changes when a file is added to it or removed. */
function versionsOf(files: string[]): string {
  return files
    .map((file) => {
      const stats = statSync(file, { throwIfNoEntry: false });
      return stats ? `${stats.mtimeMs} ${stats.size}` : "";
    })
    .join();
}
