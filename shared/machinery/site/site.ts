// npm run site: the READMEs, the code that they link to, and the slides as plain files, to be read on the web. No lesson
// runs there. Every link is relative, so the folder may lie anywhere on a web server.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { build } from "esbuild";
import { findLessons, root } from "../launcher/lessons.ts";
import { renderMarkdown } from "../pages/documents.ts";
import { findDecks, renderDecks } from "../slides/decks.ts";

/**
 * Writes all pages into `folder`, beginning with README.md and following its links.
 * @throws when a link leads to a file that doesn't exist
 */
export async function buildSite(folder: string): Promise<void> {
  const save = (path: string, content: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  // Each file of the workshop that somebody can reach. The list grows while it is worked through.
  const files = new Set(["README.md"]);
  for (const file of files) {
    if (file === "slides/") save("slides/index.html", await renderSlides(folder, files));
    else if (placeOf(file) === file) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      cpSync(join(root, file), join(folder, file));
    } else save(placeOf(file), withRelativeLinks(await renderFile(file), file, files));
  }
}

/** Where a file of the workshop is on the site: pages and pictures as they are, everything else as a page. */
function placeOf(file: string): string {
  if (file === "slides/") return "slides/index.html";
  if (file === "slides/README.md") return "slides/README.html";
  if (posix.basename(file) === "README.md") return posix.join(posix.dirname(file), "index.html");
  return /\.(css|svg|png|jpg)$/.test(file) ? file : `${file.replace(/\.md$/, "")}.html`;
}

/** A Markdown file as a page, or the text of another file. */
async function renderFile(file: string): Promise<string> {
  const text = readFileSync(join(root, file), "utf8");
  const isMarkdown = file.endsWith(".md");
  const html = await renderMarkdown(isMarkdown ? text : `# ${file}\n\n\`\`\`\`\`\`\n${text}\n\`\`\`\`\`\`\n`);
  const lesson = findLessons().find(({ folder }) => file === `lessons/${folder}/README.md`);
  const own = lesson
    ? ["server.ts", "client.ts", "index.html"].map((name) => `<a href="${name}">${name}</a>`)
    : [];
  const links = [
    '<a href="/">Workshop</a>',
    `<a href="/slides/${lesson ? `#/${lesson.name}` : ""}">Slides</a>`,
    ...own,
  ];
  return html
    .replace(
      '<article class="prose">',
      isMarkdown ? "$&" : '<article class="prose" style="max-width: 64rem">',
    )
    .replace(/ *<script type="module" src="[^"]*\/reload\.ts"><\/script>\n/, "")
    .replace('<a href="/">All lessons</a>', links.join(" · "))
    .replace(/<a href="http:[^>]*>(.*?)<\/a>/g, "<code>$1</code>"); // a server of the reader's own
}

/** The links of a page, each relative to it. The files that they lead to become part of the site. */
function withRelativeLinks(html: string, file: string, files: Set<string>): string {
  return html.replace(/ (href|src|data-poster)="(?!https?:|data:|[#?])([^"#]*)/g, (_, attribute, link) => {
    const path = posix.join(link.startsWith("/") ? "." : posix.dirname(file), decodeURI(link));
    const target = path === "./" || path === "." ? "README.md" : path;
    if (target.startsWith("..") || !existsSync(join(root, target)))
      throw new Error(`${file} links to ${link}, and there is no such file.`);
    if (target !== "slides/" && statSync(join(root, target)).isDirectory())
      throw new Error(`${file} links to the folder ${link}. Link to a file.`);
    files.add(target);
    const from = posix.dirname(placeOf(file));
    return ` ${attribute}="${posix.relative(from, placeOf(target)).replace(/(^|\/)index\.html$/, "$1") || "./"}`;
  });
}

/** The slides with all that their script needs in one file, and with a picture in place of each lesson. */
async function renderSlides(folder: string, files: Set<string>): Promise<string> {
  await build({
    entryPoints: ["deck.ts", "deck.css"].map((name) => join(root, "slides", name)),
    outdir: join(folder, "slides"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["*/cable/panel.ts"], // the drawer of a lesson that runs
    logLevel: "error",
  });
  const reveal = ["reset.css", "reveal.css"];
  for (const name of reveal)
    cpSync(join(root, "node_modules", "reveal.js", "dist", name), join(folder, "slides", name));
  const html = renderDecks(readFileSync(join(root, "slides", "index.html"), "utf8"), await findDecks());
  const [head = "", body = ""] = html.split("</head>");
  const ownHead = head
    .replace('<html lang="en"', "$& data-site")
    .replace(/ *<script type="importmap">.*?<\/script>\n/s, "")
    .replace("deck.ts", "deck.js")
    .replaceAll("../node_modules/reveal.js/dist/", "");
  files.add("shared/page/icon.svg");
  return `${ownHead}</head>${withRelativeLinks(body, "slides/", files)}`;
}

async function main() {
  const folder = join(root, "site");
  rmSync(folder, { recursive: true, force: true });
  await buildSite(folder);
  console.log(`Written: ${join(folder, "index.html")}`);
}

if (process.argv[1]?.endsWith("site.ts"))
  main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
