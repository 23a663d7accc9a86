// The slides as one page, rendered once for each change on disk: it takes 60 ms, and everybody would wait for it.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { root } from "../launcher/lessons.ts";
import { findDecks, renderDecks } from "../slides/decks.ts";
import { withReload } from "./documents.ts";
import { inlineScripts, speakerViewScripts } from "./policy.ts";

const folder = join(root, "slides");

/** The page of all slides, its ETag (RFC 9110 §8.8.3), and the scripts that its policy must allow. */
type Rendered = { body: Buffer; etag: string; scripts: string[] };
let latest: { versions: string; files: string[]; page: Promise<Rendered> } | undefined;

export function renderedSlides(): Promise<Rendered> {
  if (latest && versionsOf(latest.files) === latest.versions) return latest.page;
  const files = findFiles();
  const page = render();
  latest = { versions: versionsOf(files), files, page };
  page.catch(() => {
    latest = undefined;
  });
  return page;
}

async function render(): Promise<Rendered> {
  const html = renderDecks(readFileSync(join(folder, "index.html"), "utf8"), await findDecks());
  const body = Buffer.from(withReload(html));
  const etag = `"${createHash("sha256").update(body).digest("base64url")}"`;
  return { body, etag, scripts: [...inlineScripts(html), ...speakerViewScripts()] };
}

/** All that the slides are made of: the decks, and the files of the workshop that they name or quote. */
function findFiles(): string[] {
  const files = new Set([folder, join(folder, "index.html"), join(folder, "posters")]);
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
