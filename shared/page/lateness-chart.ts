// A chart of how late messages arrived in the last minute: one line for each series, on a logarithmic scale.
import { dashes, inLegend, TimeChart } from "./time-chart.ts";

const windowMs = 60_000;
const bucketMs = 500;
const buckets = windowMs / bucketMs;

export class LatenessChart {
  readonly #sums: Map<string, { sum: number; count: number }>;
  readonly #chart: TimeChart;
  #first = Math.floor(Date.now() / bucketMs) - buckets;

  /** `titles`: for each of at most four lines its name, which is that of its color in style.css, and its title. */
  constructor(place: HTMLElement, legend: HTMLElement, titles: Record<string, string>) {
    const names = Object.keys(titles);
    this.#sums = new Map(names.map((name) => [name, { sum: 0, count: 0 }]));
    legend.innerHTML = names
      .map((name, n) => `<span data-transport="${name}">${inLegend(dashes[n])}${titles[name]}</span>`)
      .join("");
    const lines = names.map((name, n) => ({ dash: dashes[n], color: `--${name}`, spanGaps: true }));
    this.#chart = new TimeChart(place, lines, {
      points: buckets,
      everyMs: bucketMs,
      height: 260,
      fontPx: 13,
      scale: { distr: 3, range: (_plot, _least, most) => [1, most > 9_000 ? 100_000 : 10_000] },
      axis: {
        splits: () => [1, 10, 100, 1_000, 10_000, 100_000],
        values: (_plot, late) => late.map((ms) => (ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`)),
        size: 64,
      },
    });
  }

  /** A message has arrived this late. */
  add(name: string, lateMs: number): void {
    const line = this.#sums.get(name);
    if (!line) return;
    line.sum += lateMs;
    line.count++;
  }

  /** Draws what has arrived so far. A point is half a second, its height the mean. */
  draw(nowMs: number): void {
    const first = Math.floor(nowMs / bucketMs) - buckets;
    for (; this.#first < first; this.#first++) {
      const lines = [...this.#sums.values()];
      this.#chart.add(lines.map(({ sum, count }) => (count > 0 ? Math.max(1, sum / count) : null)));
      for (const line of lines) line.sum = line.count = 0;
    }
    this.#chart.draw();
  }
}
