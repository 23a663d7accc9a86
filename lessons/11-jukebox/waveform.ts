// A track as a picture: how loud it is from its beginning to its end, and a playhead.
import { loudness } from "./sound.ts";
import type { Track } from "./state.ts";

const bars = 128;

export class Waveform {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #known = new Map<Track, number[]>();

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d") as CanvasRenderingContext2D;
    new ResizeObserver(() => this.#fit()).observe(canvas);
  }

  /** `share`: where the playhead is, from 0 to 1. The part that has been played is darker. */
  draw(track: Track, share: number): void {
    const { width, height } = this.#canvas;
    const context = this.#context;
    const { color, caretColor } = getComputedStyle(this.#canvas);
    const loud = this.#known.get(track) ?? loudness(track, bars);
    this.#known.set(track, loud);
    context.clearRect(0, 0, width, height);
    const wide = width / bars;
    for (const [n, part] of loud.entries()) {
      context.globalAlpha = (n + 1) / bars <= share ? 1 : 0.35;
      context.fillStyle = color;
      const high = Math.max(2, part * height * 0.95);
      context.fillRect(n * wide, (height - high) / 2, wide * 0.7, high);
    }
    context.globalAlpha = 1;
    context.fillStyle = caretColor;
    context.fillRect(share * width - devicePixelRatio, 0, 2 * devicePixelRatio, height);
  }

  #fit() {
    this.#canvas.width = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    this.#canvas.height = Math.round(this.#canvas.clientHeight * devicePixelRatio);
  }
}
