// A board with everybody's pointer on it: a canvas that tells where the hand is, and draws arrows, names and ripples.

/** A place on the board, from 0 to 65,535 each way, whatever the size of the canvas. */
export type Place = { x: number; y: number };
/** The part of the board that is shown. */
export type View = { left: number; top: number; right: number; bottom: number };
/** `opacity` from 0 to 1. `own`: our own pointer, as the others see it. */
export type Cursor = Place & { id: number; name: string; opacity: number; own: boolean };

export const wholeBoard: View = { left: 0, top: 0, right: 65_535, bottom: 65_535 };
const rippleMs = 1_200;
const still = matchMedia("(prefers-reduced-motion: reduce)");
const night = matchMedia("(prefers-color-scheme: dark)");

export class Board {
  /** Called with each place that the hand has been at, including those between two frames of the screen. */
  onmove: (place: Place) => void = () => {};
  /** Called where the hand has clicked, tapped, or pressed Enter. */
  onpress: (place: Place) => void = () => {};
  view = wholeBoard;
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #hand: Place = { x: 32_768, y: 32_768 };
  #ripples: (Place & { id: number; atMs: number })[] = [];
  /** Arrow and name of each person, drawn once: text is what costs most. */
  #pictures = new Map<string, HTMLCanvasElement>();
  #scale = 1;
  #inCanvas: (place: Place) => [x: number, y: number] = () => [0, 0];

  /** `canvas`: inside an element that takes the keys. */
  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d") as CanvasRenderingContext2D;
    const fit = () => this.#fit();
    new ResizeObserver(fit).observe(canvas);
    night.addEventListener("change", fit); // new pictures, in other colors
    canvas.addEventListener("pointermove", (event) => {
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length > 0 ? events : [event]) this.#move(each);
    });
    canvas.addEventListener("pointerdown", (event) => {
      this.#move(event);
      this.onpress(this.#hand);
    });
    const keys = canvas.parentElement as HTMLElement;
    keys.addEventListener("keydown", (event) => this.#press(event));
    keys.tabIndex = 0;
    keys.role = "application";
    keys.ariaLabel = "Everybody's pointers. The arrow keys move yours, and Enter leaves a ripple.";
  }

  /** A ripple begins at this place, in the color of this person. */
  ripple(id: number, { x, y }: Place): void {
    this.#ripples.push({ id, x, y, atMs: performance.now() });
    if (this.#ripples.length > 200) this.#ripples.shift();
  }

  /** `nowMs`: by performance.now(), which is the time that requestAnimationFrame gives. */
  draw(cursors: Iterable<Cursor>, nowMs: number): void {
    const { width, height } = this.#canvas;
    const context = this.#context;
    const { left, top, right, bottom } = this.view;
    const [wide, high] = [width / (right - left), height / (bottom - top)];
    context.clearRect(0, 0, width, height);
    this.#inCanvas = ({ x, y }) => [(x - left) * wide, (y - top) * high];
    this.#ripples = this.#ripples.filter(({ atMs }) => nowMs - atMs < rippleMs);
    for (const ripple of this.#ripples) this.#drawRipple(ripple, (nowMs - ripple.atMs) / rippleMs);
    for (const cursor of cursors) {
      const [x, y] = this.#inCanvas(cursor);
      if (x < 0 || y < 0 || x > width || y > height) continue;
      context.globalAlpha = cursor.opacity;
      const middle = cursor.own ? ringPx * this.#scale : 0;
      context.drawImage(this.#pictureOf(cursor), x - middle, y - middle);
    }
    context.globalAlpha = 1;
  }

  #drawRipple(ripple: Place & { id: number }, age: number) {
    const context = this.#context;
    const [x, y] = this.#inCanvas(ripple);
    context.strokeStyle = colorOf(ripple.id);
    context.lineWidth = 3 * this.#scale;
    context.globalAlpha = 1 - Math.max(0, age);
    // For readers who prefer no motion, a ring that fades.
    for (const radius of still.matches ? [24] : [60 * age, 36 * age]) {
      context.beginPath();
      context.arc(x, y, Math.max(0, radius) * this.#scale, 0, 2 * Math.PI);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  #pictureOf({ id, name, own }: Cursor): HTMLCanvasElement {
    const key = `${id} ${own} ${name}`;
    const known = this.#pictures.get(key);
    if (known) return known;
    if (this.#pictures.size > 1_000) this.#pictures.clear();
    const picture = own ? drawRing(colorOf(id), this.#scale) : drawArrow(name, colorOf(id), this.#scale);
    this.#pictures.set(key, picture);
    return picture;
  }

  #fit() {
    const { clientWidth, clientHeight } = this.#canvas;
    this.#scale = devicePixelRatio;
    this.#canvas.width = Math.round(clientWidth * this.#scale);
    this.#canvas.height = Math.round(clientHeight * this.#scale);
    this.#pictures.clear();
  }

  #move({ clientX, clientY }: { clientX: number; clientY: number }) {
    const box = this.#canvas.getBoundingClientRect();
    const { left, top, right, bottom } = this.view;
    this.#moveTo(
      left + ((clientX - box.left) / box.width) * (right - left),
      top + ((clientY - box.top) / box.height) * (bottom - top),
    );
  }

  #moveTo(x: number, y: number) {
    const { left, top, right, bottom } = this.view;
    const between = (least: number, value: number, most: number) =>
      Math.round(Math.min(most, Math.max(least, value)));
    this.#hand = { x: between(left, x, right), y: between(top, y, bottom) };
    this.onmove(this.#hand);
  }

  /** For everybody who has no mouse: the arrow keys move, and Enter presses. */
  #press(event: KeyboardEvent) {
    const { left, right } = this.view;
    const step = (right - left) / 40;
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, -step],
      ArrowDown: [0, step],
    };
    const by = steps[event.key];
    if (!by && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    if (by) this.#moveTo(this.#hand.x + by[0], this.#hand.y + by[1]);
    else this.onpress(this.#hand);
  }
}

/** A color for each id, equally dark, and as different from the last one as it can be (the golden angle). */
export function colorOf(id: number): string {
  return `oklch(${night.matches ? 0.75 : 0.48} 0.13 ${Math.round((id * 137.508) % 360)})`;
}

const ringPx = 14;

function newCanvas(width: number, height: number, scale: number) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(width * scale);
  canvas.height = Math.ceil(height * scale);
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.scale(scale, scale);
  return { canvas, context };
}

function drawRing(color: string, scale: number): HTMLCanvasElement {
  const { canvas, context } = newCanvas(2 * ringPx, 2 * ringPx, scale);
  context.strokeStyle = color;
  context.lineWidth = 3;
  context.setLineDash([6, 4]);
  context.arc(ringPx, ringPx, ringPx - 3, 0, 2 * Math.PI);
  context.stroke();
  return canvas;
}

function drawArrow(name: string, color: string, scale: number): HTMLCanvasElement {
  const font = "13px system-ui, sans-serif";
  const measure = newCanvas(1, 1, 1).context;
  measure.font = font;
  const width = Math.min(160, Math.ceil(measure.measureText(name).width));
  const { canvas, context } = newCanvas(width + 34, 42, scale);
  context.fillStyle = color;
  // The tip of the arrow is the pointer's place.
  context.fill(new Path2D("M1 1 L1 20 L6 15.5 L9.5 23 L13 21.5 L9.5 14 L16 14 Z"));
  context.beginPath();
  context.roundRect(14, 20, width + 14, 20, 6);
  context.fill();
  context.fillStyle = night.matches ? "#15171b" : "#ffffff";
  context.font = font;
  context.textBaseline = "middle";
  context.fillText(name, 21, 30.5, 160);
  return canvas;
}
