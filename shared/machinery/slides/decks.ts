// The slides: one deck for each file slides/NN-name.md, all of them one page. A new file is a new deck.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Marked as Markdown, Tokens } from "marked";
import { findLesson, root } from "../launcher/lessons.ts";
import { drawFigure } from "./figures.ts";
import { findSteps, quote } from "./quote.ts";
import { readSection } from "./section.ts";
import { drawSequence } from "./sequence.ts";

export type Deck = {
  /** "03-chat" */
  file: string;
  /** "chat" */
  name: string;
  /** 3; none for the opening and the closing deck */
  number: number | undefined;
  title: string;
  transport: string;
  slides: Slide[];
};

export type Slide = {
  id: string;
  title: string;
  html: string;
  notes: string;
  /** What happens meanwhile: somebody talks, everyone works on an exercise, or nobody works. */
  kind: "talk" | "own work" | "pause";
  /** Minutes in each course that has this slide, from its notes: "**Time.** 2 min in 90, 4 in 240, 5 in two days." */
  minutes: Partial<Record<Course, number>>;
  problems: string[];
};

/** The courses, by their length in minutes or by name. `slides/?course=90` shows only the slides of that course. */
export const courses = [90, 120, 240, "two-days"] as const;
export type Course = (typeof courses)[number];

/** Room for a diagram, in the slide's own pixels (1280 × 720): beside a text, and alone. */
const beside = { width: 780, height: 540 };
const alone = { width: 1150, height: 540 };

// Loaded with the first look at the decks: it would delay each start of a lesson by 30 ms.
let Marked: typeof Markdown;

/** All decks, in the order of their files' names. */
export async function findDecks(folder = join(root, "slides")): Promise<Deck[]> {
  ({ Marked } = await import("marked"));
  return readdirSync(folder)
    .filter((name) => /^\d\d-[a-z0-9-]+\.md$/.test(name))
    .sort()
    .map((name) => readDeck(name, readFileSync(join(folder, name), "utf8")));
}

/** One deck. Needs the Markdown parser that `findDecks` has loaded. */
export function readDeck(fileName: string, text: string): Deck {
  const file = fileName.replace(/\.md$/, "");
  const name = file.slice(3);
  const [, head = "", body = ""] = text.replaceAll("\r\n", "\n").match(/^---\n(.*?)\n---\n(.*)$/s) ?? [];
  const field = (key: string) => head.match(new RegExp(`^${key}: *(.+)$`, "m"))?.[1] ?? "";
  const lesson = findLesson(file);
  const deck = {
    file,
    name,
    number: lesson?.number,
    title: lesson?.title ?? field("title"),
    transport: field("transport"),
    slides: [] as Slide[],
  };
  for (const source of splitSlides(body)) deck.slides.push(readSlide(source, deck));
  return deck;
}

/** At each line of three dashes that is not inside a block of code. */
function splitSlides(body: string): string[] {
  const slides: string[] = [""];
  let fence = "";
  for (const line of body.split("\n")) {
    const [mark] = line.match(/^`{3,}/) ?? [];
    if (mark) fence = fence === "" ? mark : fence === mark ? "" : fence;
    if (line === "---" && !fence) slides.push("");
    else slides[slides.length - 1] += `${line}\n`;
  }
  return slides.filter((slide) => slide.trim());
}

function readSlide(source: string, deck: Deck): Slide {
  const [text = "", notes = ""] = source.split(/^Note:$/m);
  const title = text.match(/^#+ (.+)$/m)?.[1] ?? "";
  const slug = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  const problems: string[] = [];
  const markdown = slideParser(deck, text, problems);
  const html = arrange(markdown.parse(text, { async: false }), deck).replaceAll("<th></th>", "<td></td>");
  return {
    id: deck.slides.length === 0 ? deck.name : `${deck.name}-${slug}`,
    title: title.replace(/[*_`]/g, ""),
    html,
    notes: new Marked().parse(notes, { async: false }),
    kind: html.includes('class="now-you"') ? "own work" : html.includes('class="pause"') ? "pause" : "talk",
    minutes: readMinutes(notes),
    problems,
  };
}

function readMinutes(notes: string): Slide["minutes"] {
  const [, time = ""] = notes.match(/^\*\*Time\.\*\* (.*)\.$/m) ?? [];
  const minutes = Object.fromEntries(
    [...time.matchAll(/(\d+)(?: min)? in (\d+|two days)/g)].map(([, minutes, course = ""]) => [
      course.replace(" ", "-"),
      Number(minutes),
    ]),
  );
  // Two days have every slide of the shorter courses, with the same minutes where the notes name no others.
  const same = minutes[240] ?? minutes[120];
  return same ? { "two-days": same, ...minutes } : minutes;
}

function slideParser(deck: Deck, text: string, problems: string[]) {
  // Whether there is any text beside the diagram: a slide without its headings and blocks isn't blank.
  const hasText = /\S/.test(text.replace(/^```.*?^```$|^#[^\n]*$/gms, ""));
  const attempt = (make: () => string) => {
    try {
      return make();
    } catch (error) {
      problems.push((error as Error).message);
      return `<p class="problem">${escapeHtml((error as Error).message)}</p>`;
    }
  };
  return new Marked({
    renderer: {
      strong({ text: word }: Tokens.Strong) {
        const transport = transports[word];
        const mark = transport ? ` class="transport" data-transport="${transport}"` : "";
        return `<strong${mark}>${new Marked().parseInline(word)}</strong>`;
      },
      code({ text: code, lang = "" }: Tokens.Code) {
        const [, kind = "", rest = ""] = lang.match(/^(\S+) *(.*)$/) ?? [];
        if (kind === "sequence") return attempt(() => drawSequence(code, rest, hasText ? beside : alone));
        if (kind === "live") return live(deck, new Marked().parse(code, { async: false }), rest);
        if (kind === "join") return invitation(deck, new Marked().parse(code, { async: false }));
        if (kind === "table") return attempt(() => measured(rest));
        if (kind === "plan") return '<div class="plan"></div>';
        if (kind === "figure") return attempt(() => drawFigure(rest, code));
        if (kind === "now-you") return nowYou(deck, new Marked().parse(code, { async: false }));
        if (kind === "pause")
          return `<div class="pause">${new Marked().parse(code, { async: false })}${countdown}</div>`;
        if (rest) return attempt(() => excerpt(kind, rest, code));
        return figure(kind || "plaintext", code);
      },
    },
  });
}

/** Names that have their color where they are in bold. */
const transports: Record<string, string> = {
  polling: "polling",
  "long polling": "long-polling",
  "server-sent events": "sse",
  WebSocket: "websocket",
};

/** Code from one of the workshop's files: ```ts lessons/03-chat/server.ts {words of a line|of the next} */
function excerpt(language: string, info: string, code: string): string {
  const [, path = "", marks = ""] = info.match(/^(\S+)(?: +\{(.+)\})?$/) ?? [];
  let source: string;
  try {
    source = readFileSync(join(root, path), "utf8");
  } catch {
    throw new Error(`${path}: there is no such file`);
  }
  try {
    const { text, line } = quote(source, code);
    return figure(language, dedent(text), `${path}, line ${line}`, marks && findSteps(text, marks));
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

/** The table under a heading of a Markdown file, and below it the file's first sentence: shared/machinery/bench/results.md Fan-out: 1,000 clients */
function measured(info: string): string {
  const [, path = "", heading = ""] = info.match(/^(\S+) +(.+)$/) ?? [];
  const { section, text } = readSection(path, heading);
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  const names = Object.keys(transports).join("|");
  const coloured = rows.map((row) => row.replace(new RegExp(`^\\| (${names})\\b`), "| **$1**"));
  const [measuredWhere = ""] = text.match(/^.*?\.(?= [A-Z])/) ?? [];
  const where = measuredWhere && `<small>${measuredWhere}</small>\n`;
  return slideParser({} as Deck, "", []).parse(`${coloured.join("\n")}\n\n${where}`, { async: false });
}

function dedent(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim());
  const depth = Math.min(...lines.map((line) => line.length - line.trimStart().length));
  return text.replace(new RegExp(`^ {${depth}}`, "gm"), "");
}

const languages: Record<string, string> = { ts: "typescript", js: "javascript", sh: "bash" };

function figure(language: string, text: string, from = "", steps = ""): string {
  const name = languages[language] ?? language;
  // An empty fragment for each step: slides/deck.ts counts how many of them have been reached.
  const fragments = steps
    .split("|")
    .map((lines) => lines && `<i class="fragment" data-lines="${lines}"></i>`);
  return (
    `<figure class="code">${fragments.join("")}<pre><code class="language-${name}">${escapeHtml(text)}</code></pre>` +
    `${from && `<figcaption>${escapeHtml(from)}</figcaption>`}</figure>`
  );
}

/** The picture of a lesson in its slide, made by posters.ts: for paper, and for the speaker's view. */
export const posterOf = (folder: string) => `slides/posters/${folder}.jpg`;

/** The lesson itself, twice or once. slides/deck.ts fills in what runs, or says how to start it. */
function live({ file, title, number }: Deck, hint: string, howMany: string): string {
  const poster = existsSync(join(root, posterOf(file))) ? ` data-poster="/${posterOf(file)}"` : "";
  const frame = (which: string) =>
    `<iframe title="${escapeHtml(title)}, ${which} tab" data-lesson-page="/lessons/${file}/"></iframe>`;
  return (
    `<div class="live" data-lesson="${file}" data-number="${number}"${poster}>` +
    `<div class="hint">${hint}</div><div class="frames" hidden>${frame("first")}${howMany === "one" ? "" : frame("second")}</div>` +
    '<div class="not-running"></div></div>'
  );
}

/** A code to scan, filled in by slides/deck.ts, and what it is for. */
function invitation({ number }: Deck, text: string): string {
  return `<div class="join" data-number="${number}"><div class="code"></div><div class="text">${text}</div></div>`;
}

/** A clock that slides/deck.ts counts down from the slide's minutes. */
const countdown = '<p class="countdown"><span role="timer"></span><button type="button">Start</button></p>';

/** Everyone's own work: the task, how to begin, and how long. */
function nowYou({ number, file }: Deck, task: string): string {
  return (
    `<div class="now-you"><div class="task">${task}</div><div><ol><li><code>npm run lesson ${number}</code></li>` +
    `<li>Read <b>Exercise</b> in <code>lessons/${file}/README.md</code>. Begin with <b>Start small</b>.</li>` +
    `<li>After each save: <code>npm run check ${number}</code></li></ol>${countdown}</div></div>`
  );
}

/** Puts a diagram on the left, and the text about it on the right. */
function arrange(html: string, deck: Deck): string {
  const [, heading = "", rest = ""] = html.match(/^(\s*<h[12].*?<\/h[12]>)?(.*)$/s) ?? [];
  const [drawing] = rest.match(/<figure class="sequence">.*<\/figure>/s) ?? [];
  const text = drawing ? rest.replace(drawing, "").trim() : "";
  const numeral = deck.number === undefined ? "" : `<span class="numeral">${deck.number}</span>`;
  const titled = heading.replace(/<h1>/, `<h1>${numeral}`);
  if (rest.includes("<h3>")) return `${titled}<div class="cards">${pair(rest)}</div>`;
  if (!drawing || !text) return titled + rest;
  return `${titled}<div class="columns">${drawing}<div class="text">${text}</div></div>`;
}

/** Each heading of the third level with what follows it. */
const pair = (html: string) => html.replace(/<h3>.*?(?=<h3>|$)/gs, (part) => `<div>${part}</div>`);

/** All slides as the page that shows them: `template` is slides/index.html. */
export function renderDecks(template: string, decks: Deck[]): string {
  const stacks = decks.map((deck) => {
    const head = deck.number === undefined ? deck.title : `${deck.number} · ${deck.title}`;
    const sections = deck.slides.map(({ id, html, notes, minutes }, index) => {
      const kind = index === 0 ? "slide first" : "slide";
      const running = index === 0 ? "" : `<p class="running-head">${escapeHtml(head)}</p>`;
      const inCourses = Object.entries(minutes).map(([course, each]) => ` data-minutes-${course}="${each}"`);
      return (
        `<section id="${id}" data-transport="${deck.transport}"${inCourses.join("")}>\n` +
        `<div class="${kind}">${running}\n${html}</div>\n<aside class="notes">${notes}</aside>\n</section>`
      );
    });
    return `<section data-deck="${deck.file}">\n${sections.join("\n")}\n</section>`;
  });
  return template
    .replace("<!-- slides -->", () =>
      stacks.join("\n").replaceAll('<div class="plan"></div>', renderPlan(decks)),
    )
    .replace("<!-- menu -->", () => renderMenu(decks));
}

const heading = ({ number, title }: Deck) =>
  (number === undefined ? "" : `<span class="numeral">${number}</span> `) + escapeHtml(title);

const sum = (slides: Slide[], course: Course) =>
  slides.reduce((minutes, slide) => minutes + (slide.minutes[course] ?? 0), 0);

function renderMenu(decks: Deck[]): string {
  const entries = decks.map((deck) => {
    const minutes = courses.map(
      (course) => `<span data-course="${course}">${sum(deck.slides, course) || "–"}</span>`,
    );
    return (
      `<li><a href="#/${deck.name}" data-transport="${deck.transport}">${heading(deck)}</a>` +
      `<span class="minutes">${minutes.join("")}</span></li>`
    );
  });
  const columns = courses.map(
    (course) =>
      `<a href="?course=${course}" data-course="${course}">${course === "two-days" ? "2 days" : course}</a>`,
  );
  return (
    `<p class="columns"><a href="?">all slides</a><span class="minutes">${columns.join("")}</span></p>` +
    `<ol>${entries.join("")}</ol>`
  );
}

/** What a course is made of: minutes of talk, of everyone's own work, and of pauses. */
export function planOf(decks: Deck[], course: Course) {
  const slides = decks.flatMap((deck) => deck.slides);
  const minutesOf = (kind: Slide["kind"]) =>
    sum(
      slides.filter((slide) => slide.kind === kind),
      course,
    );
  return { talk: minutesOf("talk"), ownWork: minutesOf("own work"), pause: minutesOf("pause") };
}

/** The courses as bars: one part for each deck, for everyone's own work and for each pause, as long as it takes. */
function renderPlan(decks: Deck[]): string {
  const bars = courses.map((course) => {
    const parts = decks.flatMap((deck) => {
      const talk = sum(
        deck.slides.filter(({ kind }) => kind === "talk"),
        course,
      );
      const rest = deck.slides.filter(({ kind, minutes }) => kind !== "talk" && minutes[course]);
      const name = `${deck.number ?? ""} ${deck.title}`.trim();
      return [
        { kind: "talk", label: `${deck.number ?? ""}`, name, minutes: talk, transport: deck.transport },
        ...rest.map(({ kind, minutes }) => ({
          kind: kind.replace(" ", "-"),
          label: "",
          name: kind === "pause" ? "break" : "your own work",
          minutes: minutes[course] ?? 0,
          transport: "none",
        })),
      ].filter(({ minutes }) => minutes > 0);
    });
    const items = parts.map(
      ({ kind, label, name, minutes, transport }) =>
        `<li class="${kind}" data-transport="${transport}" style="flex-grow: ${minutes}">` +
        `<b aria-hidden="true">${label}</b><i>${escapeHtml(name)}, ${minutes} min</i></li>`,
    );
    const { talk, ownWork, pause } = planOf(decks, course);
    const adds = `${talk} min together, ${ownWork} min on your own${pause ? `, ${pause} min break` : ""}`;
    const name = course === "two-days" ? "two days" : `${course} minutes`;
    return `<h3 data-course="${course}">${name} <small>${adds}</small></h3><ol data-course="${course}">${items.join("")}</ol>`;
  });
  return `<div class="plan">${bars.join("")}</div>`;
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? "");
}
