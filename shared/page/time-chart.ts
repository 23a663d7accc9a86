// Lines over the last seconds, drawn with uPlot: what the lessons' charts have in common.
import uPlot from "uplot";

/** The first line is whole. The others have a pattern each, so nobody has to tell colors apart. */
export const dashes = [[], [12, 5], [2, 4], [12, 4, 2, 4]];

/** How a line looks. `color`: a custom property of style.css, such as "--websocket". Without one, it is that of the text. */
type Line = { dash: number[] | undefined; color?: string; width?: number; spanGaps?: boolean };

/** `points`: how many each line has, one `everyMs`. `scale` and `axis`: how high the values reach, and how they are labeled. */
type Options = {
  points: number;
  everyMs: number;
  height: number;
  fontPx: number;
  scale: uPlot.Scale;
  axis: uPlot.Axis;
};

/** A line as a legend shows it: the text of an SVG image. */
export const inLegend = (dash: number[] | undefined) =>
  `<svg class="line" viewBox="0 0 42 10" aria-hidden="true"><path d="M0 5h42" stroke-dasharray="${dash?.join(" ")}"/></svg>`;

export class TimeChart {
  readonly #place: HTMLElement;
  readonly #lines: Line[];
  readonly #options: Options;
  /** The values of each line, the latest one last. */
  readonly #values: (number | null)[][];
  #plot: uPlot | undefined;

  constructor(place: HTMLElement, lines: Line[], options: Options) {
    const { points, height } = options;
    this.#place = place;
    this.#lines = lines;
    this.#options = options;
    this.#values = lines.map(() => new Array(points).fill(null));
    this.#build();
    new ResizeObserver(() => this.#plot?.setSize({ width: place.clientWidth, height })).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#build());
  }

  /** One more point for each line: `null` if it has none now. `draw` shows it. */
  add(values: (number | null)[]): void {
    for (const [n, value] of values.entries()) {
      this.#values[n]?.shift();
      this.#values[n]?.push(value);
    }
  }

  /** Takes away the points of line `n`. */
  clear(n: number): void {
    this.#values[n]?.fill(null);
  }

  /** Shows the points as they are now. */
  draw(): void {
    this.#plot?.setData(this.#data());
  }

  #data(): uPlot.AlignedData {
    const { points, everyMs } = this.#options;
    return [Array.from({ length: points }, (_, n) => ((n + 1 - points) * everyMs) / 1_000), ...this.#values];
  }

  #build(): void {
    this.#plot?.destroy();
    const { points, everyMs, height, fontPx, scale, axis } = this.#options;
    // A canvas doesn't know light-dark(), so colors are read where CSS has already chosen.
    const { color: ink, borderTopColor: rule, fontFamily } = getComputedStyle(this.#place);
    const root = getComputedStyle(document.documentElement);
    const look = {
      stroke: ink,
      font: `${fontPx}px ${fontFamily}`,
      grid: { stroke: rule, width: 1 },
      ticks: { show: false },
    };
    this.#plot = new uPlot(
      {
        width: this.#place.clientWidth,
        height,
        padding: [10, 16, 0, 0],
        cursor: { show: false },
        legend: { show: false },
        scales: { x: { time: false, range: [(-points * everyMs) / 1_000, 0] }, y: scale },
        axes: [
          {
            ...look,
            values: (_plot, seconds) => seconds.map((s) => (s === 0 ? "now" : `${-s} s ago`)),
            space: 7 * fontPx,
          },
          { ...look, ...axis },
        ],
        series: [
          {},
          ...this.#lines.map(({ color, ...line }) => ({
            width: 2.5,
            ...line,
            stroke: color ? root.getPropertyValue(color) : ink,
            points: { show: false },
          })),
        ],
      },
      this.#data(),
      this.#place,
    );
  }
}
