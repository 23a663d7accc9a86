// What the server says of its readers, twice a second: three charts of the last two minutes, and a table.
import { number, readable } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { dashes, inLegend, TimeChart } from "../../shared/page/time-chart.ts";
import type { Report } from "./readers.ts";

type ReaderReport = Report["readers"][number];

const everyMs = 500;
const MB = 1_000_000;

/** Bytes in words: "820 kB", "1.3 MB". */
const inWords = (bytes: number) =>
  bytes < 1_000 ? `${bytes} B` : bytes < MB ? `${readable(bytes / 1_000)} kB` : `${readable(bytes / MB)} MB`;

/** Bytes over time. The first line is this page's own. `least`: the scale goes from 0 to at least this many bytes. */
const chart = (place: HTMLElement, lines: number, least: number) =>
  new TimeChart(
    place,
    dashes.slice(0, lines).map((dash, n) => (n === 0 ? { dash, color: "--websocket" } : { dash, width: 2 })),
    {
      points: 240,
      everyMs,
      height: 170,
      fontPx: 12,
      scale: { range: (_plot, _least, most) => [0, Math.max(least, most * 1.1)] },
      axis: { values: (_plot, bytes) => bytes.map(inWords), size: 62, space: 34 },
    },
  );

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
  readonly #kept = chart(find("#kept"), dashes.length, 100_000);
  readonly #onTheWay = chart(find("#on-the-way"), dashes.length, 100_000);
  readonly #memory = chart(find("#memory"), 1, 150 * MB);
  /** The owner of each line, by name, because a reader that comes back has a new id. The first line is this page's. */
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
    for (const chart of [this.#kept, this.#onTheWay, this.#memory]) chart.draw();
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
    for (const { name } of others) {
      if (this.#owners.includes(name)) continue;
      // A reader that is away keeps its line for as long as there are others.
      const unused = this.#owners.indexOf(undefined, 1);
      const free = unused > 0 ? unused : this.#owners.findIndex((owner, n) => n > 0 && !isHere(owner));
      if (free < 0) continue;
      this.#owners[free] = name;
      for (const chart of [this.#kept, this.#onTheWay]) chart.clear(free);
    }
    return this.#owners.map((name, n) => (n === 0 ? own : others.find((reader) => reader.name === name)));
  }

  #row({ id, name, care, kept, onTheWay, leftOut }: ReaderReport, line: number): HTMLTableRowElement {
    const row = document.createElement("tr");
    const header = document.createElement("th");
    header.scope = "row";
    if (line >= 0) header.innerHTML = inLegend(dashes[line]);
    header.append(id === this.ownId ? `${name} (this page)` : name);
    row.append(header);
    for (const text of [words[care], inWords(kept), inWords(onTheWay), readable(leftOut)])
      row.insertCell().textContent = text;
    row.classList.toggle("own", line === 0);
    return row;
  }
}
