// The last seconds of a stream as a moving sequence diagram: the page left, the server right, time runs downward.

const shownMs = 5_000;
/** One message in this many is drawn. Nobody can tell more than ten lines a second apart. */
export const oneIn = (perSecond: number) => Math.ceil(perSecond / 10);
const margin = 14;

type Drawn = { publishedMs: number; arrivedMs?: number };

/** All times are in milliseconds, by Date.now(). */
export class MovingPicture {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #messages = new Map<number, Drawn>();
  #asked: number[] = [];

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d") as CanvasRenderingContext2D;
  }

  /** A message has reached the server, since one of the lanes has brought it. */
  published(number: number, atMs: number, perSecond: number): void {
    if (number % oneIn(perSecond) !== 0 || this.#messages.has(number)) return;
    this.#messages.set(number, { publishedMs: atMs });
    // A hidden tab doesn't draw, so nothing is removed there.
    for (const oldest of this.#messages.keys()) {
      if (this.#messages.size <= 400) break;
      this.#messages.delete(oldest);
    }
  }

  /** The message has arrived over this lane. */
  arrived(number: number, atMs: number): void {
    const drawn = this.#messages.get(number);
    if (drawn) drawn.arrivedMs ??= atMs;
  }

  /** This lane has sent a request. */
  asked(atMs: number): void {
    this.#asked.push(atMs);
    if (this.#asked.length > 200) this.#asked.shift();
  }

  /** Draws the last five seconds. */
  draw(nowMs: number): void {
    const { width, height } = this.#fit();
    const style = getComputedStyle(this.#canvas);
    const [mark, rule] = [style.color, style.borderTopColor];
    const context = this.#context;
    const [page, server] = [margin, width - margin];
    const y = (timeMs: number) => height - ((nowMs - timeMs) / shownMs) * height;
    context.clearRect(0, 0, width, height);

    context.strokeStyle = rule;
    context.lineWidth = 2;
    line(context, [page, 0, page, height], [server, 0, server, height]);

    const traveled = new Path2D();
    const ends = new Path2D();
    const waiting = new Path2D();
    for (const [number, { publishedMs, arrivedMs }] of this.#messages) {
      if (arrivedMs === undefined) {
        // On its way, or waiting to be asked for. It is drawn on the server's side until it arrives.
        dot(waiting, server, Math.max(4, y(publishedMs)), 3.5);
      } else if (arrivedMs < nowMs - shownMs) {
        this.#messages.delete(number);
      } else {
        traveled.moveTo(server, y(publishedMs));
        traveled.lineTo(page, y(arrivedMs));
        dot(ends, page, y(arrivedMs), 3.5);
      }
    }
    context.strokeStyle = context.fillStyle = mark;
    context.lineWidth = 1.6;
    context.stroke(traveled);
    context.fill(ends);
    context.stroke(waiting);

    // A request: a short stroke from the page toward the server.
    const requests = new Path2D();
    for (const askedMs of this.#asked) {
      requests.moveTo(0, y(askedMs));
      requests.lineTo(page - 5, y(askedMs));
    }
    context.strokeStyle = rule;
    context.lineWidth = 2;
    context.stroke(requests);
  }

  #fit() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const scale = devicePixelRatio;
    const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
    if (this.#canvas.width !== wide || this.#canvas.height !== high) {
      this.#canvas.width = wide;
      this.#canvas.height = high;
      this.#context.scale(scale, scale);
    }
    return { width, height };
  }
}

function line(context: CanvasRenderingContext2D, ...lines: [number, number, number, number][]) {
  context.beginPath();
  for (const [x1, y1, x2, y2] of lines) {
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
  }
  context.stroke();
}

function dot(path: Path2D, x: number, y: number, radius: number) {
  path.moveTo(x + radius, y);
  path.arc(x, y, radius, 0, 2 * Math.PI);
}
