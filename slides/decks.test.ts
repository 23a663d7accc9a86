// Promises of the decks as files: nothing is missing, nothing quoted is gone, the minutes add up.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readReadme } from "../shared/machinery/checks/readme.ts";
import { findLessons, type Lesson } from "../shared/machinery/launcher/lessons.ts";
import { courses, findDecks, planOf, readDeck, renderDecks } from "../shared/machinery/slides/decks.ts";
import { drawFigure } from "../shared/machinery/slides/figures.ts";
import { drawPictures } from "../shared/machinery/slides/pictures.ts";
import { findSteps, quote } from "../shared/machinery/slides/quote.ts";
import { drawSequence } from "../shared/machinery/slides/sequence.ts";
import { root } from "../shared/machinery/testing/process.ts";

const decks = await findDecks();
const slides = decks.flatMap((deck) => deck.slides);

describe.each(decks.map((deck) => [deck.file, deck] as const))("the deck %s", (file, deck) => {
  test("quotes nothing that is gone, and draws nothing that it cannot read", () => {
    expect(deck.slides.flatMap(({ id, problems }) => problems.map((problem) => `${id}: ${problem}`))).toEqual(
      [],
    );
  });

  test("tells the speaker on every slide what to say, what to ask, and what to do when asked or when it breaks", () => {
    for (const { id, notes } of deck.slides)
      for (const words of [
        /Say\./,
        /Ask\.|Ask, if there is time\./,
        /If asked\.|If it breaks\.|If it goes wrong\./,
      ])
        expect(notes, id).toMatch(new RegExp(`<strong>(${words.source})</strong>`));
  });

  test("says of each slide in which courses it is, and begins with its first slide in each", () => {
    for (const { id, notes } of deck.slides) expect(notes, id).toMatch(/<strong>Time\.<\/strong> (\d|In no)/);
    for (const course of courses)
      if (deck.slides.some(({ minutes }) => minutes[course]))
        expect(deck.slides[0]?.minutes[course], `${course} minutes`).toBeGreaterThan(0);
  });

  test("has a transport's color or none, and asks at most two questions that aren't optional", () => {
    expect(deck.transport).toMatch(/^(polling|long-polling|sse|websocket|none)$/);
    expect(deck.title).not.toBe("");
    expect(
      deck.slides.filter(({ notes }) => notes.includes("<strong>Ask.</strong>")).length,
    ).toBeLessThanOrEqual(2);
  });

  if (deck.number !== undefined)
    test("belongs to a lesson, shows it live, and ends on a question", () => {
      expect(findLessons().map(({ folder }) => folder)).toContain(file);
      expect(deck.slides.some(({ html }) => html.includes(`data-lesson="${file}"`))).toBe(true);
      expect(deck.slides.some(({ html }) => html.includes("<svg"))).toBe(true);
      const talk = deck.slides.filter(({ kind }) => kind === "talk");
      expect(talk.at(-1)?.html).toContain("?</p>\n</blockquote>");
    });

  if (deck.number !== undefined)
    test("lets everyone do the exercise, and names the usual mistakes", () => {
      const [work] = deck.slides.filter(({ kind }) => kind === "own work");
      const { exercise } = readReadme({ folder: file } as Lesson);
      expect(work?.title).toBe(`Now you: ${exercise}`);
      expect(work?.notes).toContain("<strong>Common mistakes.</strong>");
    });
});

test("every slide has an address of its own", () => {
  const ids = slides.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test.each(courses)("the course %s is full, and a third of it is everyone's own work", (course) => {
  const { talk, ownWork, pause } = planOf(decks, course);
  const all = talk + ownWork + pause;
  if (course !== "two-days") expect(all).toBe(course);
  // Two working days, without lunch. They grow with each lesson.
  else expect(all / 60).toSatisfy((hours: number) => hours >= 8 && hours <= 14);
  expect(ownWork).toBeGreaterThanOrEqual(all / 3);
});

test("two days have every slide of the shorter courses, and lessons 10 to 13", () => {
  for (const { file, slides } of decks)
    for (const { id, minutes } of slides)
      if (minutes[90] || minutes[120] || minutes[240] || /^1[0-3]-/.test(file))
        expect(minutes["two-days"], id).toBeGreaterThan(0);
});

test.each(courses)("a live slide gets four to six minutes in the course %s", (course) => {
  for (const { id, html, minutes } of slides) {
    if (!html.includes('class="live"') || !minutes[course]) continue;
    expect(minutes[course], id).toBeGreaterThanOrEqual(4);
    expect(minutes[course], id).toBeLessThanOrEqual(6);
  }
});

test("every picture has a text alternative", () => {
  for (const { html } of slides)
    for (const [, alt] of html.matchAll(/<svg[^>]*aria-label="([^"]*)"/g))
      expect(alt?.length).toBeGreaterThan(40);
});

test("the diagrams in READMEs are those of the slides", async () => {
  const pictures = await drawPictures();
  expect(pictures.length).toBeGreaterThanOrEqual(findLessons().length - 1);
  for (const { file, svg } of pictures)
    expect(readFileSync(file, "utf8").replaceAll("\r\n", "\n"), file).toBe(svg);
});

test("the figures that notes repeat are those of results.md", () => {
  const results = readFileSync(join(root, "shared/machinery/bench/results.md"), "utf8");
  const row = (heading: string, name: string) =>
    (
      results
        .split(`## ${heading}\n`)[1]
        ?.split("\n")
        .find((line) => line.startsWith(`| ${name} `)) ?? ""
    )
      .split("|")
      .slice(2, -1)
      .map((cell) => Number.parseFloat(cell.replace(/,/g, "")));
  const times = (heading: string, one: string, other: string, column: number, digits = 0) =>
    ((row(heading, one)[column] ?? 0) / (row(heading, other)[column] ?? 0)).toFixed(digits);
  const notes = decks.flatMap((deck) => deck.slides.map((slide) => slide.notes)).join("\n");

  const once = "plainest loop, encoded once";
  const each = "encoded for each client";
  const [thousand, tenThousand] = ["1,000", "10,000"].map((clients) =>
    times(`Fan-out: ${clients} clients`, once, each, 0, 1),
  );
  expect(notes).toContain(
    `${thousand} times as many deliveries a second with 1,000 clients, and ${tenThousand} times`,
  );
  const few = "Transports: 50 clients, 1 message a second";
  const often = ["polling every 100 ms", "polling every 1 s"] as const;
  expect(notes).toContain(
    `${times(few, ...often, 0)} times the bytes, ${times(few, ...often, 4)} times the CPU time`,
  );
  const many = "Transports: 50 clients, 20 messages a second";
  expect(notes).toContain(`costs ${times(many, "WebSocket, compressed", "WebSocket", 4)} times the CPU time`);
});

test("a file that is added is a deck that is shown, with a place in the menu and the plan", () => {
  const text = "---\ntransport: sse\n---\n\n# A new one\n\nText\n\nNote:\n**Say.** Hello.\n";
  const page = renderDecks("<!-- slides --><!-- menu -->", [...decks, readDeck("42-new.md", `${text}\n`)]);
  expect(page).toContain('<section id="new"');
  expect(page).toContain('href="#/new"');
});

test("a table's second heading is for as long as the first one isn't there", () => {
  const show = (headings: string) => {
    const table = `\`\`\`table shared/machinery/bench/results.md ${headings}\n\`\`\``;
    return readDeck("44-c.md", `---\ntransport: none\n---\n\n## A\n\n${table}\n`).slides[0];
  };
  const here = "Fan-out: 1,000 clients";
  expect(show(`Not measured | ${here}`)?.html).toBe(show(here)?.html);
  expect(show(`${here} | Not measured`)?.html).toBe(show(here)?.html);
  expect(show("Not measured")?.problems[0]).toContain('no heading "Not measured"');
});

test("a figure says what it can't read", () => {
  expect(() => drawFigure("pie Words", "")).toThrow('There is no figure "pie".');
  const kinds = ["times", "log", "shrink", "timelines", "layers", "bits", "queues"];
  for (const kind of kinds)
    expect(() => drawFigure(`${kind} Words`, "40\nnonsense"), kind).toThrow(/can't read "(40|nonsense)"/);
});

test("every command on a slide exists", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const named = slides.flatMap(({ html }) => [...html.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name));
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !(name && name in scripts))).toEqual([]);
});

test("no slide asks another host for anything", () => {
  const files = ["index.html", "deck.css", "frame.css", "deck.ts"].map((name) =>
    readFileSync(join(root, "slides", name), "utf8"),
  );
  for (const text of [...files, renderDecks("<!-- slides -->", decks)])
    expect(text.match(/(?:src|href|url\(|from|@import)[ =("']*https?:\/\/[^"')]*/g) ?? []).toEqual([]);
});

describe("an excerpt", () => {
  const source = "a {\n  b();\n  if (c) {\n    d();\n  }\n  e();\n}\nf();\n";

  test("is completed with the lines between its own", () => {
    expect(quote(source, "  if (c) {\n    …\n  }")).toEqual({ text: "  if (c) {\n    d();\n  }", line: 3 });
  });

  test("leaves out the lines that ⋮ stands for", () => {
    expect(quote(source, "a {\n  ⋮\n  e();").text).toBe("a {\n  ⋮\n  e();");
  });

  test("ends at the line that is as deep as its own, not at the first that looks like it", () => {
    expect(quote("x {\n  y {\n  }\n}\n", "x {\n…\n}").text).toBe("x {\n  y {\n  }\n}");
  });

  test("reads files with Windows' line ends", () => {
    expect(quote(source.replaceAll("\n", "\r\n"), "b();\nif (c) {").text).toBe("b();\nif (c) {");
  });

  test.each([
    ["a line that is gone", "a {\n  z();", "no longer there: z();"],
    ["a line that has changed", "a {\n  b(1);", "no longer there: b(1);"],
    ["lines that changed places", "  e();\n  …\n  b();", "no longer there: b();"],
    ["a first line that is gone", "z {\n…\n}", "no longer there: z {"],
  ])("with %s says which", (_what, excerpt, message) => {
    expect(() => quote(source, excerpt)).toThrow(message);
  });

  test("highlights lines by words in them, and says when no line has them", () => {
    expect(findSteps("a\nb\nc\nd", "b|a...c")).toBe("2|1-3");
    expect(() => findSteps("a\nb", "z")).toThrow("no line to highlight has: z");
  });

  test("that is gone is reported on its slide, with file and line", () => {
    const text =
      "---\ntransport: none\n---\n\n## A\n\n```ts shared/machinery/slides/quote.ts\nno such line\n```\n\n```ts nowhere.ts\na\n```\n";
    const [slide] = readDeck("43-b.md", text).slides;
    expect(slide?.problems).toEqual([
      "shared/machinery/slides/quote.ts: no longer there: no such line",
      "nowhere.ts: there is no such file",
    ]);
    expect(slide?.html).toContain("no longer there: no such line");
  });
});

describe("a diagram", () => {
  const draw = (steps: string) =>
    drawSequence(`page | server\n${steps}`, "Told in words", { width: 700, height: 500 });

  test("has the page on the left, and each step later and lower than the one before", () => {
    const svg = draw("page -> server: one\nserver -> page: two\n& note page: three");
    expect([...svg.matchAll(/data-fragment-index="(\d)"/g)].map(([, index]) => index)).toEqual([
      "0",
      "1",
      "1",
    ]);
    const starts = [...svg.matchAll(/class="travel"[^>]*d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)"/g)].map(
      (match) => match.slice(1).map(Number),
    );
    const [[x1 = 0, y1 = 0, x2 = 0, y2 = 0] = [], [, y3 = 0] = []] = starts;
    expect(x1).toBeLessThan(x2);
    expect(y1).toBeLessThan(y2);
    expect(y2).toBeLessThan(y3);
  });

  test.each([
    ["page -> moon: one", 'no lane "moon"'],
    ["what is this", 'cannot read "what is this"'],
  ])("says what it cannot read: %s", (steps, message) => {
    expect(() => draw(steps)).toThrow(message);
  });
});
