// A chart of how late messages arrived in the last minute: one line for each series, on a logarithmic scale.
import uPlot from "uplot";

const windowMs = 60_000;
const bucketMs = 500;
const buckets = windowMs / bucketMs;
const height = 260;
/** The legend shows them too, so nobody has to tell colors apart. */
const dashes = [[], [12, 5], [2, 4], [12, 4, 2, 4]];

type Line = { name: string; dash: number[]; points: (number | null)[]; sum: number; count: number };

export class LatenessChart {
  readonly #place: HTMLElement;
  readonly #lines: Map<string, Line>;
  #plot: uPlot | undefined;
  #first = Math.floor(Date.now() / bucketMs) - buckets;

  /** `titles`: for each of at most four lines its name, which is that of its color in style.css, and its title. */
  constructor(place: HTMLElement, legend: HTMLElement, titles: Record<string, string>) {
    this.#place = place;
    this.#lines = new Map(
      Object.keys(titles).map((name, n) => [
        name,
        { name, dash: dashes[n] ?? [], points: new Array(buckets).fill(null), sum: 0, count: 0 },
      ]),
    );
    legend.innerHTML = [...this.#lines.values()]
      .map(
        ({ name, dash }) =>
          `<span data-transport="${name}"><svg viewBox="0 0 42 10" aria-hidden="true"><path d="M0 5h42" stroke-dasharray="${dash.join(" ")}"/></svg>${titles[name]}</span>`,
      )
      .join("");
    this.#build();
    new ResizeObserver(() => this.#plot?.setSize({ width: place.clientWidth, height })).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#build());
  }

  /** A message has arrived, so late. */
  add(name: string, lateMs: number): void {
    const line = this.#lines.get(name);
    if (!line) return;
    line.sum += lateMs;
    line.count++;
  }

  /** Draws what has arrived so far. A point is half a second, its height the mean. */
  draw(nowMs: number): void {
    const first = Math.floor(nowMs / bucketMs) - buckets;
    for (; this.#first < first; this.#first++)
      for (const line of this.#lines.values()) {
        line.points.shift();
        line.points.push(line.count > 0 ? Math.max(1, line.sum / line.count) : null);
        line.sum = line.count = 0;
      }
    this.#plot?.setData(this.#data());
  }

  #data(): uPlot.AlignedData {
    const seconds = Array.from({ length: buckets }, (_, n) => ((n + 1 - buckets) * bucketMs) / 1_000);
    return [seconds, ...[...this.#lines.values()].map(({ points }) => points)];
  }

  #build(): void {
    this.#plot?.destroy();
    // A canvas doesn't know light-dark(), so colors are read where CSS has already chosen.
    const { color: ink, borderTopColor: rule, fontFamily } = getComputedStyle(this.#place);
    const font = `13px ${fontFamily}`;
    const axis = { stroke: ink, font, grid: { stroke: rule, width: 1 }, ticks: { show: false } };
    this.#plot = new uPlot(
      {
        width: this.#place.clientWidth,
        height,
        padding: [10, 18, 0, 0],
        cursor: { show: false },
        legend: { show: false },
        scales: {
          x: { time: false, range: [-windowMs / 1_000, 0] },
          y: { distr: 3, range: (_plot, _least, most) => [1, most > 9_000 ? 100_000 : 10_000] },
        },
        axes: [
          {
            ...axis,
            values: (_plot, seconds) => seconds.map((s) => (s === 0 ? "now" : `${-s} s ago`)),
            space: 90,
          },
          {
            ...axis,
            splits: () => [1, 10, 100, 1_000, 10_000, 100_000],
            values: (_plot, late) => late.map((ms) => (ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`)),
            size: 64,
          },
        ],
        series: [
          {},
          ...[...this.#lines.values()].map(({ name, dash }) => ({
            stroke: getComputedStyle(document.documentElement).getPropertyValue(`--${name}`),
            width: 2.5,
            dash,
            spanGaps: true,
            points: { show: false },
          })),
        ],
      },
      this.#data(),
      this.#place,
    );
  }
}
