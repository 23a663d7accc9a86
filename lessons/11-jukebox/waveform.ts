// A track as a picture: how loud it is from its beginning to its end. The playhead over it is moved by the page's style.
import { loudness } from "./sound.ts";
import type { Track } from "./state.ts";

const bars = 128;

export class Waveform {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #track: Track | undefined;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d") as CanvasRenderingContext2D;
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  /** Draws it, unless it is there already. */
  show(track: Track): void {
    if (this.#track === track) return;
    this.#track = track;
    this.#draw();
  }

  #draw() {
    if (!this.#track) return;
    const width = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    const height = Math.round(this.#canvas.clientHeight * devicePixelRatio);
    Object.assign(this.#canvas, { width, height }); // which also clears it
    this.#context.fillStyle = getComputedStyle(this.#canvas).color;
    for (const [n, part] of loudness(this.#track, bars).entries()) {
      const high = Math.max(2, part * height * 0.95);
      this.#context.fillRect((n * width) / bars, (height - high) / 2, (width / bars) * 0.7, high);
    }
  }
}
