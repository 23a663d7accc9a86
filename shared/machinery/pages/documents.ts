// The HTML that the pages server makes or completes: table of contents, READMEs, and the lessons' own pages.
import type { Tokens } from "marked";
import { findLessons } from "../launcher/lessons.ts";
import { readProgress } from "../launcher/progress.ts";

const reload = '<script type="module" src="/shared/machinery/pages/reload.ts"></script>';

/**
 * A page of the repository, with the script that reloads it. First in its head, to see other scripts fail, but
 * after an import map: many browsers accept none once a module has begun to load.
 */
export function withReload(html: string): string {
  const first = /<head[^>]*>((?:(?!<\/head>)[\s\S])*?<script type="importmap">[^<]*<\/script>)?/i;
  return first.test(html) ? html.replace(first, `$&\n    ${reload}`) : reload + html;
}

/** The table of contents: one card for each lesson. */
export function tableOfContents(): string {
  const done = readProgress();
  const cards = findLessons().map(
    ({ folder, number, title, line, minutes }) => `
        <li class="card">
          <span class="number" aria-hidden="true">${number}</span>
          <h2><a href="/lessons/${encodeURIComponent(folder)}/">${escapeHtml(title)}</a></h2>
          <p>${escapeHtml(line)}</p>
          ${minutes ? `<p class="minutes">${minutes} minutes</p>` : ""}
          ${done.has(folder) ? `<p class="passed">✓ done ${escapeHtml(done.get(folder) ?? "")}</p>` : ""}
        </li>`,
  );
  return layout(
    "Real-time web workshop",
    `
    <header>
      <h1>Real-time web workshop</h1>
      <p>One small chat room, built again and again. At first, only one thing changes from lesson to lesson: how
        messages travel. Start a lesson in a terminal, with <code>npm run lesson 1</code>. You can open its page from
        here at any time, but its server runs only after you have started it with that command.</p>
    </header>
    <main>
      <ol class="lessons">${cards.join("")}
      </ol>
      <p><a href="/README.md">About this workshop</a> · <a href="/slides/">Slides to teach from</a></p>
    </main>`,
  );
}

/** A Markdown file as a page. */
export async function renderMarkdown(text: string): Promise<string> {
  const markdown = await markdownParser();
  const title = text.match(/^# (.+)$/m)?.[1] ?? "Real-time web workshop";
  const article = markdown.parse(text, { async: false });
  return layout(
    title.replace(/[*_`]/g, ""),
    `
    <header>
      <p><a href="/">All lessons</a></p>
    </header>
    <main>
      <article class="prose">
${article}      </article>
    </main>`,
  );
}

async function markdownParser() {
  // Loaded when the first README is asked for: it would delay each start by 30 ms.
  const { Marked } = await import("marked");
  return new Marked({
    renderer: {
      // Ids as GitHub gives them, so that links to a heading work in both places.
      heading({ tokens, depth, text }: Tokens.Heading) {
        const id = text
          .toLowerCase()
          .replace(/[^\p{L}\p{N}\s_-]/gu, "")
          .replace(/\s/g, "-");
        return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
    },
  });
}

function layout(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    ${reload}
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${escapeHtml(title)}</title>
    <link rel="icon" href="/shared/page/icon.svg">
    <link rel="stylesheet" href="/shared/page/style.css">
  </head>
  <body>${body}
  </body>
</html>
`;
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
