// Lines for the terminal: broken between words, never within one.

/**
 * The text in lines of at most 80 columns. Lines after the first begin with `indent` spaces; the first has room for as
 * many, where a caller puts a label. A word that is longer than a line, such as a path, stays whole.
 */
export function wrap(text: string, indent = 0, width = 80): string {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line && indent + line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else line = line ? `${line} ${word}` : word;
    }
    lines.push(line);
  }
  return lines.join(`\n${" ".repeat(indent)}`);
}

/**
 * A line of a difference, "+  const socket = …", for a terminal that has so many columns, 0 for none. What doesn't fit goes
 * on below, between words, four columns further right and after the same sign.
 */
export function fitDifference(
  line: string,
  columns = process.stdout.isTTY ? process.stdout.columns : 0,
): string {
  if (!columns || line.length <= columns) return line;
  const [start] = line.match(/^[-+ ]? */) as [string];
  const rest = wrap(line.slice(start.length), start.length + 4, Math.max(columns, 40));
  return `${start}${rest.replaceAll("\n ", `\n${start[0] ?? " "}`)}`;
}

/**
 * Text for people at a terminal: lines that are longer than it is wide go on below their last column. Elsewhere, as in a
 * pipe, the text stays as it is. Without colors, which would be counted.
 */
export function fitTerminal(
  text: string,
  columns = process.stdout.isTTY ? process.stdout.columns : 0,
): string {
  if (!columns) return text;
  const width = Math.max(columns, 40);
  return text
    .split("\n")
    .map((line) => {
      if (line.length <= width) return line;
      // Columns are two spaces apart, or more.
      const start = line.slice(0, 32).match(/^.*\s{2,}/)?.[0] ?? "";
      return start + wrap(line.slice(start.length), start.length, width);
    })
    .join("\n");
}
