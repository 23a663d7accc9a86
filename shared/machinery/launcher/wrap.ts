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
