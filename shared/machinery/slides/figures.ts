// Figures on slides that aren't sequence diagrams. In a deck, a block `figure`, the figure's name, and its alternative text:
//
//   ```figure times What the picture shows, in words      "25 s | what happens" a line: on a logarithmic axis; "never" is its end
//   ```figure returns …                                   a way to wait a line: fixed, doubling, full jitter
//   ```figure scatter shared/machinery/bench/results.md Heading of a table | what the picture shows, in words
//
// and those of drawings.ts: log, shrink, timelines, bytes, layers, bits, connections, queues. Their words are explained there.
import { defaults } from "../../pieces/stay-connected.ts";
import { bits, bytes, connections, layers, log, queues, shrink, text, timelines, width } from "./drawings.ts";
import { readSection } from "./section.ts";
import { escapeXml } from "./sequence.ts";

/** @throws with a line that says what it could not read */
export function drawFigure(info: string, source: string): string {
  const [, name = "", alt = ""] = info.match(/^(\S+) +(.+)$/) ?? [];
  const draw = figures[name];
  if (!draw) throw new Error(`There is no figure "${name}".`);
  const lines = source
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const [height, body, words = alt] = draw(lines, alt);
  return (
    `<figure class="drawn"><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(words)}">` +
    `${body}</svg></figure>`
  );
}

type Drawn = [height: number, body: string, words?: string];

const figures: Record<string, (lines: string[], alt: string) => Drawn> = {
  times,
  returns,
  scatter,
  log,
  shrink,
  timelines,
  bytes,
  layers,
  bits,
  connections,
  queues,
};

/** Moments on a logarithmic axis, from one second to never. */
function times(lines: string[]): Drawn {
  const units: Record<string, number> = { s: 1, min: 60, h: 3_600 };
  const x = (seconds: number) => 40 + (Math.log10(seconds) / Math.log10(20_000)) * 900;
  const never = 1_090;
  const top = 30;
  const row = 66;
  const bottom = top + lines.length * row + 16;
  const marks = lines.map((line, n) => {
    const [, amount = "", unit = "", more = "", words = ""] =
      line.match(/^(?:(\d+) (s|min|h)|never)( \+)? *\| *(.+)$/) ?? [];
    if (!words) throw new Error(`A figure of times can't read "${line}".`);
    const at = amount ? x(Number(amount) * (units[unit] ?? 1)) : never;
    const y = top + n * row + 20;
    const side = at > 620 ? "end" : "start";
    const when = amount ? `${more ? "over " : ""}${amount} ${unit}` : "never";
    return (
      `<g class="fragment"><path class="stem" d="M${at} ${y}V${bottom}"/><circle class="dot" cx="${at}" cy="${y}" r="11"/>` +
      `${text(at + (side === "end" ? -22 : 22), y + 8, `${when}: ${words}`, side)}</g>`
    );
  });
  const ticks = [
    [1, "1 s"],
    [10, "10 s"],
    [60, "1 min"],
    [600, "10 min"],
    [3_600, "1 h"],
  ].map(
    ([seconds, words]) =>
      `<path class="axis" d="M${x(Number(seconds))} ${bottom}v10"/>${text(x(Number(seconds)), bottom + 36, String(words), "soft")}`,
  );
  const axis = `<path class="axis" d="M40 ${bottom}H960M980 ${bottom}h10m10 0h10m10 0h10m10 0h80"/>${text(never, bottom + 36, "never", "soft")}`;
  return [bottom + 48, axis + ticks.join("") + marks.join("")];
}

/** A thousand pages whose server is away for ten seconds: a dot for each, at the moment when it is back. */
function returns(lines: string[]): Drawn {
  const pages = 1_000;
  const awayMs = 10_000;
  const endMs = 26_000;
  const x = (ms: number) => 210 + ((ms - awayMs) / (endMs - awayMs)) * 920;
  // Lesson 5's own times.
  const limitMs = (attempt: number) => Math.min(defaults.capMs, defaults.baseMs * 2 ** attempt);
  const ways: Record<string, (attempt: number, random: number) => number> = {
    fixed: () => 1_000,
    doubling: limitMs,
    "full jitter": (attempt, random) => random * limitMs(attempt),
  };
  // The same picture each time.
  let seed = 42;
  const random = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const bands = lines.map((line, n) => {
    const way = ways[line];
    if (!way) throw new Error(`There is no way to wait "${line}".`);
    const top = 20 + n * 120;
    const dots = Array.from({ length: pages }, () => {
      // They notice within a tenth of a second.
      let ms = random() * 100;
      for (let attempt = 0; ms < awayMs; attempt++) ms += way(attempt, random());
      return `M${x(ms).toFixed(1)} ${(top + 8 + random() * 78).toFixed(1)}h0`;
    });
    return (
      `<rect class="band" x="200" y="${top}" width="940" height="94"/>${text(184, top + 56, line, "end")}` +
      `<path class="dots" d="${dots.join("")}"/>`
    );
  });
  const bottom = 20 + lines.length * 120;
  const ticks = [0, 5, 10, 15].map((seconds) =>
    text(
      x(awayMs + seconds * 1_000),
      bottom + 18,
      seconds ? `${seconds} s` : "the server is back",
      seconds ? "soft" : "soft start",
    ),
  );
  return [bottom + 30, bands.join("") + ticks.join("")];
}

/** How late against how many bytes, from a table of results: both axes logarithmic. */
function scatter(_lines: string[], info: string): Drawn {
  const [, path = "", heading = "", alt = ""] = info.match(/^(\S+) +([^|]+?) *\| *(.+)$/) ?? [];
  const { section } = readSection(path, heading);
  const rows = [...section.matchAll(/^\| ([^|]*?) *\| *([\d,.]+) *\|[^|]*\| *([\d,.]+) ms/gm)];
  const number = (digits = "") => Number(digits.replaceAll(",", ""));
  const x = (ms: number) => 110 + (Math.log10(ms / 0.5) / Math.log10(1_000 / 0.5)) * 900;
  const y = (bytes: number) => 390 - (Math.log10(bytes / 15) / Math.log10(6_000 / 15)) * 360;
  const colors: Record<string, string> = {
    "polling every 1 s": "polling",
    "polling every 100 ms": "polling",
    "long polling": "long-polling",
    "server-sent events": "sse",
  };
  const labels: { left: number; top: number }[] = [];
  const dots = rows
    .map(([, name = "", bytes, late]) => ({ name, bytes, left: x(number(late)), top: y(number(bytes)) }))
    .sort((a, b) => a.top - b.top || b.left - a.left);
  const points = dots.map(({ name, bytes, left, top }) => {
    // Far to the right there is no room beside the dot, and on its left are other labels.
    if (left > 700) return text(left + 100, top + 38, `${name}: ${bytes} B`, "end");
    // Below the label before, where dots are close together.
    const above = labels.filter((label) => Math.abs(label.left - left) < 250).map((label) => label.top + 30);
    const at = Math.max(top - (name === "server-sent events" ? 18 : 0), ...above);
    labels.push({ left, top: at });
    // Beside all dots that are close, not on one of them.
    const near = (dot: { left: number; top: number }) =>
      Math.abs(dot.left - left) < 90 && Math.abs(dot.top - at) < 30;
    const close = dots.filter(near).map((dot) => dot.left);
    return text(Math.max(left, ...close) + 24, at + 8, `${name}: ${bytes} B`, "start");
  });
  for (const { name, left, top } of dots) {
    const transport = colors[name] ?? "websocket";
    points.push(`<circle class="dot" data-transport="${transport}" cx="${left}" cy="${top}" r="12"/>`);
  }
  const across = [1, 10, 100, 1_000].map((ms) => text(x(ms), 426, ms < 1_000 ? `${ms} ms` : "1 s", "soft"));
  const up = [100, 1_000].map((bytes) =>
    text(96, y(bytes) + 7, bytes === 1_000 ? "1 kB" : "100 B", "soft end"),
  );
  const axes = '<path class="axis" d="M110 20V390H1130"/>';
  const names =
    text(1_130, 380, "later →", "soft end") + text(122, 34, "↑ more bytes per message", "soft start");
  return [440, axes + across.join("") + up.join("") + names + points.join(""), alt];
}
