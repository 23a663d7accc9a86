// Passes what programs print on to the terminal: line by line, bounded, and with control characters made visible.
import { type Readable, Writable } from "node:stream";

/** A program may print this many lines a second. The others are counted. */
const linesPerSecond = 1_000;
/** A longer line is cut. */
const longestLine = 4_096;
/** Bytes that wait for a terminal that doesn't read. */
const mostUnread = 256 * 1024;

/** "\x1b[2J" as the text `\x1b[2J`: control characters are shown, so that no text from outside can steer a terminal. */
export function showControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  return text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });
}

// Commas by hand: the first `toLocaleString` loads 7 MiB of data about languages.
const leftOut = (lines: number) => `… ${String(lines).replace(/\B(?=(\d{3})+$)/g, ",")} lines left out`;

/**
 * Calls `show` with each line that a program prints, control characters shown as text. Of what a program prints in one
 * second, 1,000 lines are shown, then their number: "… 12,000 lines left out".
 */
export function readLines(stream: Readable | null, show: (line: string) => void): void {
  /** The line so far, and whether its beginning or its end is missing. */
  let parts: Buffer[] = [];
  let size = 0;
  let shown = 0;
  let skipped = 0;
  let timer: NodeJS.Timeout | undefined;

  function nextSecond() {
    timer = undefined;
    shown = 0;
    if (skipped > 0) show(leftOut(skipped));
    skipped = 0;
  }

  function endLine() {
    if (shown < linesPerSecond) {
      shown++;
      const text = Buffer.concat(parts).toString("utf8").replace(/\r$/, "");
      show(showControls(text) + (size > longestLine ? " …" : ""));
    } else skipped++;
    timer ??= setTimeout(nextSecond, 1_000).unref();
    parts = [];
    size = 0;
  }

  stream?.on("data", (bytes: Buffer) => {
    let from = 0;
    for (let to = bytes.indexOf(10); to !== -1; to = bytes.indexOf(10, from)) {
      if (shown < linesPerSecond) keep(bytes.subarray(from, to));
      endLine();
      from = to + 1;
    }
    keep(bytes.subarray(from));
  });
  function keep(bytes: Buffer) {
    if (bytes.length === 0) return;
    // Copied, or one short line would keep 64 KiB in memory.
    if (size < longestLine) parts.push(Buffer.from(bytes.subarray(0, longestLine - size)));
    size += bytes.length;
  }
  stream?.on("end", () => {
    if (size > 0) endLine();
    clearTimeout(timer);
    nextSecond();
  });
}

/**
 * Passes text on to `stream`. When more than 256 KiB wait there, since nobody reads, lines are left out and counted.
 * For text that comes in whole lines, or in pieces of lines.
 */
export function boundedOutput(stream: Writable): Writable {
  let skipped = 0;
  let skipping = false;
  return new Writable({
    decodeStrings: false,
    write(text: string | Buffer, _encoding, done) {
      const written = String(text);
      if (skipping && stream.writableLength < mostUnread / 2) {
        skipping = false;
        stream.write(`${leftOut(skipped)}\n`);
        skipped = 0;
      }
      skipping ||= stream.writableLength > mostUnread;
      if (skipping) skipped += written.split("\n").length - 1;
      else stream.write(written);
      done();
    },
  });
}
