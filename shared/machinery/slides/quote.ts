// Quotes a file: completes an abbreviated excerpt from the file as it is now, or reports that a line is gone.

export type Quote = {
  text: string;
  /** Where it begins in the file, counted from 1. */
  line: number;
};

/** In an excerpt: everything between the line above and the line below. */
const all = "…";
/** In an excerpt and on the slide: something is left out here. */
const leftOut = "⋮";

/**
 * The part of `source` that `excerpt` stands for. Each line of the excerpt has to be in the source, in this order,
 * and as deep as it is here in relation to the first. Between them may stand … (shown in full) or ⋮ (left out).
 * @throws {Error} when the excerpt is not in the source anymore
 */
export function quote(source: string, excerpt: string): Quote {
  const lines = source.replaceAll("\r\n", "\n").split("\n");
  const wanted = excerpt.replaceAll("\r\n", "\n").replace(/\n+$/, "").split("\n");
  let furthest = 0;
  for (let start = 0; start < lines.length; start++) {
    const { found, reached } = match(lines, wanted, start);
    if (found) return { text: found.join("\n"), line: start + 1 };
    furthest = Math.max(furthest, reached);
  }
  throw new Error(`no longer there: ${wanted[furthest]?.trim()}`);
}

function match(lines: string[], wanted: string[], start: number) {
  const shift = depth(lines[start] ?? "") - depth(wanted[0] ?? "");
  const isLine = (at: number, line: string) => {
    const here = lines[at] ?? "";
    return here.trim() === line.trim() && (here.trim() === "" || depth(here) === depth(line) + shift);
  };
  const found: string[] = [];
  const keep = (line = "") => found.push(shift > 0 ? line.replace(" ".repeat(shift), "") : line);
  let at = start;
  for (const [index, line] of wanted.entries()) {
    if (line.trim() === all || line.trim() === leftOut) continue;
    const mark = index > 0 ? (wanted[index - 1] ?? "").trim() : "";
    let next = at;
    if (mark === all || mark === leftOut) {
      while (next < lines.length && !isLine(next, line)) next++;
      if (mark === all) lines.slice(at, next).forEach(keep);
      else found.push(wanted[index - 1] ?? "");
    }
    if (next >= lines.length || !isLine(next, line)) return { reached: index };
    keep(lines[next]);
    at = next + 1;
  }
  return { found, reached: wanted.length };
}

const depth = (line: string) => line.length - line.trimStart().length;

/**
 * Lines of `text` to highlight one after the other ("2|4-6"), from words that stand in them: `a|b...c` is first the
 * line with a, then those from the one with b to the next one with c.
 * @throws {Error} when a word is not there
 */
export function findSteps(text: string, marks: string): string {
  const lines = text.split("\n");
  const find = (word: string, from = 0) => {
    const found = lines.findIndex((line, index) => index >= from && line.includes(word));
    if (found < 0) throw new Error(`no line to highlight has: ${word}`);
    return found;
  };
  const steps = marks.split("|").map((step) => {
    const [first = "", last] = step.split("...").map((word) => word.trim());
    const from = find(first);
    return last === undefined ? `${from + 1}` : `${from + 1}-${find(last, from + 1) + 1}`;
  });
  return steps.join("|");
}
