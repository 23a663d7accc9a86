// The chart: how late messages arrived in the last minute, one line for each lane, on a logarithmic scale.
import uPlot from "uplot";
import { windowMs } from "./figures.ts";
import { type Lane, lanes, names, toLanes } from "./settings.ts";

const bucketMs = 500;
const buckets = windowMs / bucketMs;
const height = 260;
/** The legend shows them too, so nobody has to tell colors apart. */
const dashes: Record<Lane, number[]> = {
  polling: [],
  "long-polling": [12, 5],
  sse: [2, 4],
  websocket: [12, 4, 2, 4],
};

export const legend = lanes
  .map(
    (lane) =>
      `<span data-transport="${lane}"><svg viewBox="0 0 42 10" aria-hidden="true"><path d="M0 5h42" stroke-dasharray="${dashes[lane].join(" ")}"/></svg>${names[lane]}</span>`,
  )
  .join("");

export class Chart {
  readonly #place: HTMLElement;
  #plot: uPlot | undefined;
  #first = Math.floor(Date.now() / bucketMs) - buckets;
  #lines = toLanes((): (number | null)[] => new Array(buckets).fill(null));
  /** The half second that isn't over yet. */
  #filling = toLanes(() => ({ sum: 0, count: 0 }));

  constructor(place: HTMLElement) {
    this.#place = place;
    this.#build();
    new ResizeObserver(() => this.#plot?.setSize({ width: place.clientWidth, height })).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#build());
  }

  add(lane: Lane, lateMs: number): void {
    const filling = this.#filling[lane];
    filling.sum += lateMs;
    filling.count++;
  }

  /** Draws what has arrived so far. A point is half a second, its height the mean. */
  draw(nowMs: number): void {
    const first = Math.floor(nowMs / bucketMs) - buckets;
    for (; this.#first < first; this.#first++)
      for (const lane of lanes) {
        const { sum, count } = this.#filling[lane];
        this.#lines[lane].shift();
        this.#lines[lane].push(count > 0 ? Math.max(1, sum / count) : null);
        this.#filling[lane] = { sum: 0, count: 0 };
      }
    this.#plot?.setData(this.#data());
  }

  #data(): uPlot.AlignedData {
    const seconds = Array.from({ length: buckets }, (_, n) => ((n + 1 - buckets) * bucketMs) / 1_000);
    return [seconds, ...lanes.map((lane) => this.#lines[lane])];
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
          ...lanes.map((lane) => ({
            stroke: getComputedStyle(document.documentElement).getPropertyValue(`--${lane}`),
            width: 2.5,
            dash: dashes[lane],
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
