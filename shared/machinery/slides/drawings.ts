// Pictures on slides that are drawn from a few words. figures.ts lists them.
import { escapeXml } from "./sequence.ts";

/** The height of a picture that is 1150 wide, and its content as SVG. */
export type Drawn = [height: number, body: string];

export const width = 1_150;

/** A line of text. Its place is the middle of the line, with the classes "start" and "end" its beginning or end. */
export function text(x: number, y: number, words: string, kind = ""): string {
  return `<text class="${kind}" x="${x}" y="${y}">${escapeXml(words)}</text>`;
}

const rect = (x: number, y: number, wide: number, high: number, kind: string) =>
  `<rect class="${kind}" x="${x}" y="${y}" width="${wide}" height="${high}"/>`;

/** A box with a word in its middle. */
const box = (x: number, y: number, wide: number, high: number, word: string, kind = "box") =>
  rect(x, y, wide, high, kind) + text(x + wide / 2, y + high / 2 + 9, word, "mono");

/** A step of the slide. One that begins with "&" appears together with the one before. */
const steps = (lines: string[], draw: (line: string) => string) => {
  let index = -1;
  return lines.map((line) => {
    if (!line.startsWith("& ")) index++;
    const drawn = draw(line.replace(/^& /, ""));
    const kind = /^cursor/.test(line) ? "fragment cursor" : "fragment";
    return `<g class="${kind}" data-fragment-index="${index}">${drawn}</g>`;
  });
};

function unreadable(line: string): never {
  throw new Error(`A figure can't read "${line}".`);
}

/**
 * The log as numbered boxes, and the cursor that moves along it.
 *
 *   40 41 42 43                 what the log has at first
 *   cursor 41: has seen 41      where the cursor is now
 *   answer 42 43: after 41      what comes after it
 *   add 44: Ada says "Hello"    one more
 */
export function log(lines: string[]): Drawn {
  const [first = "", ...rest] = lines;
  const wide = 180;
  const boxes = first.split(" ");
  const from = Number(boxes[0]);
  const x = (id: number) => 20 + (id - from) * wide;
  const [top, high] = [110, 84];
  let was: number | undefined;
  const numbered = (id: number) => box(x(id), top, wide - 10, high, `${id}`, "box large");
  const drawn = steps(rest, (line) => {
    const [, kind, one, last = one, words = ""] =
      line.match(/^(\w+) (\d+)(?: (\d+))?: (.+)$/) ?? unreadable(line);
    const [left, right] = [x(Number(one)), x(Number(last)) + wide - 10];
    const middle = (left + right) / 2;
    if (kind === "add")
      return numbered(Number(one)) + text(right + 18, top + high / 2 + 8, words, "note start");
    if (kind === "answer")
      return `<path class="bracket" d="M${left} ${top - 12}v-16H${right}v16"/>${text(middle, top - 44, words, "mono")}`;
    const came = middle - (was ?? middle);
    was = middle;
    return (
      `<g class="moving" style="--came:${-came}px"><path class="pointer" d="M${middle} ${top + high + 8}l-22 40h44z"/>` +
      `${text(middle, top + high + 84, words, "strong")}</g>`
    );
  });
  return [300, boxes.map((id) => numbered(Number(id))).join("") + drawn.join("")];
}

/**
 * A set that gets smaller, a line for each moment: who is still in it.
 *
 *   ping: all of them are silent | Ada Grace Linus Mary
 *   each pong: one less | Linus
 */
export function shrink(lines: string[]): Drawn {
  const all = (lines[0]?.split("|")[1] ?? "").trim().split(" ");
  const wide = (width - (lines.length - 1) * 24) / lines.length;
  const drawn = lines.map((line, n) => {
    const [words = "", names = unreadable(line)] = line.split("|").map((part) => part.trim());
    const left = n * (wide + 24);
    const there = names.split(" ");
    const pills = all.map((name, nth) => {
      const half = (wide - 36) / 2;
      const [x, y] = [left + 12 + (nth % 2) * (half + 12), 56 + Math.floor(nth / 2) * 54];
      const ends = there.includes(`✂${name}`);
      const stays = ends || there.includes(name);
      return box(x, y, half, 44, ends ? `✂ ${name}` : name, ends ? "box lost" : stays ? "box" : "box gone");
    });
    const frame = rect(left, 44, wide, 12 + Math.ceil(all.length / 2) * 54, "band");
    return `<g class="fragment">${text(left + 4, 26, words, "start")}${frame}${pills.join("")}</g>`;
  });
  return [64 + Math.ceil(all.length / 2) * 54, drawn.join("")];
}

/**
 * What was said, on a line of time, and what a page has received, on another one below. Times are from 0 to 10.
 *
 *   said 40@0.5 41@2.4               appears in the log
 *   got 40@0.9                       arrives at the page
 *   lost 44@8.6                      should have arrived there
 *   away 1.6-5.6: the cable is cut   meanwhile nothing reaches the page
 *   window 6-7: looks up             a stretch of time that is dangerous
 */
export function timelines(lines: string[]): Drawn {
  const x = (time: string | number) => 160 + Number(time) * 97;
  const [said, got, high] = [76, 300, 54];
  const at = new Map<string, number>();
  const items = (list: string) => list.split(" ").map((item) => item.split("@") as [string, string]);
  const drawn = steps(lines, (line) => {
    const [, kind, rest = ""] = line.match(/^(\w+) (.+)$/) ?? unreadable(line);
    if (kind === "said")
      return items(rest)
        .map(([id, time]) => {
          at.set(id, x(time));
          return box(x(time) - 27, said, 54, high, id, "box");
        })
        .join("");
    if (kind === "got" || kind === "lost")
      return items(rest)
        .map(([id, time]) => {
          const [from = unreadable(line), to] = [at.get(id), x(time)];
          const isLost = kind === "lost";
          const share = isLost ? 0.5 : 1;
          const [endX, endY] = [from + (to - from) * share, said + high + (got - said - high) * share];
          const cross = `<path class="cross" d="M${endX - 9} ${endY - 9}l18 18m0 -18l-18 18"/>`;
          return (
            `<path class="way${isLost ? " failed" : ""}" d="M${from} ${said + high}L${endX} ${endY}"/>` +
            (isLost ? cross : "") +
            box(to - 27, got, 54, high, isLost ? "?" : id, isLost ? "box lost" : "box")
          );
        })
        .join("");
    const [, from = "", to = "", words = ""] = rest.match(/^([\d.]+)-([\d.]+): (.+)$/) ?? unreadable(line);
    const middle = (x(from) + x(to)) / 2;
    if (kind === "away")
      return (
        rect(x(from), got - 6, x(to) - x(from), high + 12, "danger") +
        text(middle, got + high + 44, words, "failed")
      );
    return (
      rect(x(from), said - 30, x(to) - x(from), got + high - said + 40, "danger") +
      text(middle, got + high + 44, words, "failed")
    );
  });
  const lanes = [
    [said, "the log"],
    [got, "the page"],
  ].map(
    ([y, words]) =>
      `<path class="axis" d="M130 ${Number(y) + high / 2}H${width - 12}l-10 -7v14l10 -7"/>${text(0, Number(y) + high / 2 + 8, String(words), "start strong")}`,
  );
  return [got + high + 62, lanes.join("") + drawn.join("")];
}

/** Lines of text as they are sent, each with its line end, and what each is for: "id: 41 | what the browser remembers". */
export function bytes(lines: string[]): Drawn {
  const row = 50;
  const drawn = lines.map((line, n) => {
    const [sent = "", words = ""] = line.split("|").map((part) => part.trim());
    const y = 38 + n * row;
    const end = `<tspan class="line-end">${sent ? " ↵" : "↵"}</tspan>`;
    return (
      `<g class="fragment">${rect(0, y - 34, width, row - 2, "band")}` +
      `<text class="start mono" x="16" y="${y}">${escapeXml(sent)}${end}</text>` +
      `${text(width - 16, y, words, "end note")}</g>`
    );
  });
  return [lines.length * row + 4, drawn.join("")];
}

/** A message inside its layers, from the innermost to the outermost: "WebSocket | 2 to 14 B | where a message ends". */
export function layers(lines: string[]): Drawn {
  const [row, high, head, left] = [92, 70, 190, 400];
  const drawn = lines.map((line, n) => {
    const parts = line.split("|").map((part) => part.trim());
    const [name = "", , what = unreadable(line)] = parts;
    const y = n * row + 8;
    const begin = left + (lines.length - 1 - n) * head;
    const blocks = lines.slice(0, n + 1).map((each, index) => {
      const label = each.split("|")[1]?.trim() ?? "";
      const x = left + (lines.length - 1 - index) * head;
      const isOwn = index === n;
      const wide = index === 0 ? width - x - 4 : head;
      return box(x, y, wide, high, label, isOwn ? "box own" : "box gone");
    });
    const outline = n ? rect(begin, y, width - begin - 4, high, "outline") : "";
    return (
      `<g class="fragment">${text(0, y + 30, name, "start strong")}${text(0, y + 62, what, "start soft")}` +
      `${blocks.join("")}${outline}</g>`
    );
  });
  return [lines.length * row, drawn.join("")];
}

/** Bits or bytes in a row, with what each group means: "0001 | opcode: / text". A line of dashes begins another row. */
export function bits(lines: string[]): Drawn {
  const rows = lines
    .join("\n")
    .split(/\n-+\n/)
    .map((row) => row.split("\n"));
  let y = 8;
  const drawn = rows.map((groups) => {
    const cells = groups.flatMap((group) => group.split("|")[0]?.trim().split(" ") ?? []);
    const wide = Math.min(112, Math.floor((width - 8) / cells.length));
    let x = 4;
    const parts = groups.map((group) => {
      const [values = "", words = unreadable(group)] = group.split("|").map((part) => part.trim());
      const left = x;
      const boxes = values.split(" ").map((value) => {
        x += wide;
        return box(x - wide, y, wide, 66, value, "box");
      });
      const outline = rect(left, y, x - left, 66, "outline");
      const named = words
        .split(" / ")
        .map((line, n) => text((left + x) / 2, y + 102 + n * 32, line, n ? "soft" : "strong"));
      return `<g class="fragment">${boxes.join("")}${outline}${named.join("")}</g>`;
    });
    y += 190;
    return parts.join("");
  });
  return [y - 14, drawn.join("")];
}

/** Tabs of one browser, and the connections that it opens to one host: a line for each tab, "waits" for one without. */
export function connections(lines: string[]): Drawn {
  const row = 56;
  const bottom = lines.length * row + 12;
  const [tabs, server] = [300, 830];
  const drawn = lines.map((line, n) => {
    const y = n * row + 12;
    const [name = "", waits] = line.split("|").map((part) => part.trim());
    const tab = box(40, y, tabs - 40, row - 12, name, waits ? "box lost" : "box");
    const middle = y + (row - 12) / 2;
    const way = waits
      ? `<path class="way failed" stroke-dasharray="9 7" d="M${tabs} ${middle}h70"/>${text(tabs + 90, middle + 9, waits, "start failed")}`
      : `<path class="way" d="M${tabs} ${middle}H${server}"/><circle class="dot" cx="${server}" cy="${middle}" r="8"/>`;
    return waits ? `<g class="fragment">${tab}${way}</g>` : tab + way;
  });
  const host =
    rect(server, 0, 300, bottom, "outline") + text(server + 150, bottom / 2 + 9, "one host", "strong");
  return [bottom + 8, rect(4, 0, tabs - 4 + 40, bottom, "band") + host + drawn.join("")];
}

/**
 * A page that reads slowly, and what waits for it in the server: a line for each answer, with its cost.
 *
 *   keep everything | all of it, in memory | A1 B2 A3     what waits, the first one to leave beside the page
 *   drop the oldest | gaps | -A1 -B2 A3                   with a minus: it is left out
 *   disconnect | late | ✂ A1 B2 A3                        the connection is cut
 */
export function queues(lines: string[]): Drawn {
  const [row, high, wide, top] = [96, 54, 58, 44];
  const [page, server] = [320, 560];
  const drawn = lines.map((line, n) => {
    const [name = "", cost = "", waiting = unreadable(line)] = line.split("|").map((part) => part.trim());
    const y = top + n * row + 12;
    const middle = y + high / 2;
    const isCut = waiting.startsWith("✂");
    const boxes = waiting
      .replace(/^✂ */, "")
      .split(" ")
      .map((word, nth) => {
        const isGone = isCut || word.startsWith("-");
        return box(
          server + 14 + nth * wide,
          y,
          wide - 6,
          high,
          word.replace("-", ""),
          isGone ? "box gone" : "box own",
        );
      });
    const way = isCut
      ? `<path class="way failed" stroke-dasharray="9 7" d="M${page + 100} ${middle}H${server}"/>${text(500, middle - 14, "✂", "failed")}`
      : `<path class="way" d="M${server} ${middle}H${page + 112}"/><path class="head" d="M${page + 104} ${middle}l16 -7v14z"/>`;
    return (
      `<g class="fragment">${text(0, middle - 8, name, "start strong")}${text(0, middle + 24, cost, "start soft")}` +
      `${box(page, y, 100, high, "page", "box")}${way}${boxes.join("")}</g>`
    );
  });
  const bottom = top + lines.length * row;
  const sides =
    text(server + 14, 28, "waits in the server", "start strong") +
    rect(server, top, width - server - 4, bottom - top, "band");
  return [bottom + 6, sides + drawn.join("")];
}
