// The diagrams in the lessons' READMEs: those of the slides, each as an SVG file that stands alone.
//
//   ![Every fifteen seconds …](the-heartbeat.svg)     the diagram of the slide "The heartbeat" of the same lesson
//
// node shared/machinery/start.cjs slides/pictures writes the files. A test fails when one is older than its slide.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findLessons, root } from "../launcher/lessons.ts";
import { type Deck, findDecks } from "./decks.ts";

export type Picture = { file: string; svg: string };

/** All pictures that READMEs show. Throws when one names no slide with a diagram. */
export async function drawPictures(): Promise<Picture[]> {
  const decks = await findDecks();
  return findLessons().flatMap(({ folder }) => {
    const readme = readFileSync(join(root, "lessons", folder, "README.md"), "utf8");
    return [...readme.matchAll(/^!\[[^\]]*\]\(([\w-]+)\.svg\)$/gm)].map(([, name = ""]) => ({
      file: join(root, "lessons", folder, `${name}.svg`),
      svg: standAlone(
        name,
        decks.find(({ file }) => file === folder),
      ),
    }));
  });
}

function standAlone(name: string, deck: Deck | undefined): string {
  const slide = deck?.slides.find(({ id }) => id === `${deck.name}-${name}`);
  const [, size, rest] =
    slide?.html.match(/<figure class="sequence"><svg viewBox="([^"]+)"(.*?)<\/svg><\/figure>/s) ?? [];
  if (!deck || !rest) throw new Error(`${deck?.file}: no slide "${name}" with a diagram.`);
  // Room for letters that a font draws wider than the diagram expects.
  const [, , width = 0, height = 0] = (size ?? "").split(" ").map(Number);
  const box = `-20 -10 ${width + 40} ${height + 20}`;
  const moving = rest
    .replace(
      /class="fragment" data-fragment-index="(\d+)"/g,
      (_, index) => `class="step" style="--at:${Number(index) + 1}s"`,
    )
    .replace(/<\/g>(?=<g class="step")/g, "</g>\n");
  const [label = "", ...parts] = moving.split(/(?<=>)/);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box}"${label}
<style>
${styles()}
</style>
<g class="sequence" data-transport="${deck.transport}">
<rect class="paper" x="-20" y="-10" width="100%" height="100%"/>
${parts.join("")}
</g>
</svg>
`;
}

/** The rules of the slides, and the colors of the pages. */
function styles(): string {
  const read = (file: string) => readFileSync(join(root, file), "utf8").replaceAll("\r\n", "\n");
  const page = read("shared/page/style.css");
  const colors = page.match(/^(?::root|\[data-transport)[^}]*\}/gm) ?? [];
  const rules = read("slides/deck.css").match(/^\.sequence (?!svg)[^}]*\}/gm) ?? [];
  return [
    ...colors,
    ...rules,
    ".paper { fill: var(--paper); }",
    // Everything is there from the beginning, also on paper. Each arrow is drawn once more when its turn comes.
    "@media (prefers-reduced-motion: no-preference) { .travel { animation: travel 0.8s ease-out var(--at); } }",
    "@keyframes travel { from { stroke-dashoffset: 1; } }",
  ].join("\n");
}

async function main() {
  for (const { file, svg } of await drawPictures()) {
    writeFileSync(file, svg);
    console.log(`Written: ${file}`);
  }
}

if (process.argv[1]?.endsWith("pictures.ts")) void main();
