// What the server says of its readers, twice a second: three charts of the last two minutes, and a table.
import uPlot from "uplot";
import { number, readable } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import type { Report } from "./readers.ts";

type ReaderReport = Report["readers"][number];

const everyMs = 500;
const points = 240;
const height = 170;
/** The first line is this page's own. The others have a pattern each, so nobody has to tell colors apart. */
const dashes = [[], [12, 5], [2, 4], [12, 4, 2, 4]];
const MB = 1_000_000;

/** Bytes in words: "820 kB", "1.3 MB". */
const inWords = (bytes: number) =>
  bytes < 1_000 ? `${bytes} B` : bytes < MB ? `${readable(bytes / 1_000)} kB` : `${readable(bytes / MB)} MB`;

/** Lines of bytes over time. */
class Chart {
  readonly #place: HTMLElement;
  readonly #least: number;
  readonly #lines: (number | null)[][];
  #plot: uPlot | undefined;

  /** `least`: the scale goes from 0 to at least this many bytes. */
  constructor(place: HTMLElement, lines: number, least: number) {
    this.#place = place;
    this.#least = least;
    this.#lines = Array.from({ length: lines }, () => new Array(points).fill(null));
    this.#build();
    new ResizeObserver(() => this.#plot?.setSize({ width: place.clientWidth, height })).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#build());
  }

  /** One more point for each line. */
  add(values: (number | null)[]): void {
    for (const [n, line] of this.#lines.entries()) {
      line.shift();
      line.push(values[n] ?? null);
    }
    this.#plot?.setData(this.#data());
  }

  /** Another reader gets this line. */
  clear(n: number): void {
    this.#lines[n]?.fill(null);
  }

  #data(): uPlot.AlignedData {
    return [Array.from({ length: points }, (_, n) => ((n + 1 - points) * everyMs) / 1_000), ...this.#lines];
  }

  #build(): void {
    this.#plot?.destroy();
    // A canvas doesn't know light-dark(), so colors are read where CSS has already chosen.
    const { color: ink, borderTopColor: rule, fontFamily } = getComputedStyle(this.#place);
    const own = getComputedStyle(document.documentElement).getPropertyValue("--websocket");
    const axis = {
      stroke: ink,
      font: `12px ${fontFamily}`,
      grid: { stroke: rule, width: 1 },
      ticks: { show: false },
    };
    this.#plot = new uPlot(
      {
        width: this.#place.clientWidth,
        height,
        padding: [10, 14, 0, 0],
        cursor: { show: false },
        legend: { show: false },
        scales: {
          x: { time: false, range: [(-points * everyMs) / 1_000, 0] },
          y: { range: (_plot, _least, most) => [0, Math.max(this.#least, most * 1.1)] },
        },
        axes: [
          {
            ...axis,
            values: (_plot, seconds) => seconds.map((s) => (s === 0 ? "now" : `${-s} s ago`)),
            space: 80,
          },
          { ...axis, values: (_plot, bytes) => bytes.map(inWords), size: 62, space: 34 },
        ],
        series: [
          {},
          ...this.#lines.map((_line, n) => ({
            stroke: n === 0 ? own : ink,
            width: n === 0 ? 2.5 : 2,
            dash: dashes[n],
            points: { show: false },
          })),
        ],
      },
      this.#data(),
      this.#place,
    );
  }
}

/** What the server does for a reader. */
const words: Record<ReaderReport["care"], string> = {
  keep: "keeps everything",
  disconnect: "disconnects",
  oldest: "drops the oldest",
  latest: "keeps only the latest",
  less: "sends less",
  adapt: "decides by itself",
};

const find = (selector: string) => document.querySelector(selector) as HTMLElement;

export class Charts {
  /** Called with each report of the server. */
  onreport: (report: Report) => void = () => {};
  /** This page's own reader. */
  ownId: number | undefined;
  /** Whether to ask the server. */
  isOn = false;
  readonly #kept = new Chart(find("#kept"), dashes.length, 100_000);
  readonly #onTheWay = new Chart(find("#on-the-way"), dashes.length, 100_000);
  readonly #memory = new Chart(find("#memory"), 1, 150 * MB);
  /** Whose each line is, by name, because a reader that comes back has a new id. The first one is this page's. */
  #owners: (string | undefined)[] = dashes.map(() => undefined);

  constructor() {
    setTimeout(() => this.#ask(), 0);
  }

  async #ask() {
    if (this.isOn && !document.hidden)
      try {
        this.#show(await (await fetch(`http://${serverHost}/readers`)).json());
      } catch {} // the server is away: the status says so
    setTimeout(() => this.#ask(), everyMs);
  }

  #show(report: Report) {
    this.onreport(report);
    const lines = this.#assignLines(report.readers);
    this.#kept.add(lines.map((reader) => reader?.kept ?? null));
    this.#onTheWay.add(lines.map((reader) => reader?.onTheWay ?? null));
    this.#memory.add([report.memory]);
    number("memory", inWords(report.memory));
    number("ended", report.ended);
    find("#readers").replaceChildren(
      ...report.readers.map((reader) => this.#row(reader, lines.indexOf(reader))),
    );
  }

  /** This page's reader and up to three others, each for the line that it had before. */
  #assignLines(readers: ReaderReport[]): (ReaderReport | undefined)[] {
    const own = readers.find(({ id }) => id === this.ownId);
    const others = readers.filter((reader) => reader !== own);
    const isHere = (name: string | undefined) => others.some((reader) => reader.name === name);
    this.#owners = this.#owners.map((name, n) => (n > 0 && isHere(name) ? name : undefined));
    for (const { name } of others) {
      const free = this.#owners.indexOf(undefined, 1);
      if (free < 0 || this.#owners.includes(name)) continue;
      this.#owners[free] = name;
      for (const chart of [this.#kept, this.#onTheWay]) chart.clear(free);
    }
    return this.#owners.map((name, n) => (n === 0 ? own : others.find((reader) => reader.name === name)));
  }

  #row({ id, name, care, kept, onTheWay, leftOut }: ReaderReport, line: number): HTMLTableRowElement {
    const row = document.createElement("tr");
    const header = document.createElement("th");
    header.scope = "row";
    if (line >= 0)
      header.innerHTML = `<svg class="line" viewBox="0 0 42 10" aria-hidden="true"><path d="M0 5h42" stroke-dasharray="${dashes[line]?.join(" ")}"/></svg>`;
    header.append(id === this.ownId ? `${name} (this page)` : name);
    row.append(header);
    for (const text of [words[care], inWords(kept), inWords(onTheWay), readable(leftOut)])
      row.insertCell().textContent = text;
    row.classList.toggle("own", line === 0);
    return row;
  }
}
