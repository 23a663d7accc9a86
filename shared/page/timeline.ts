// <time-line>: the last seconds, one bar for each request, so that overlapping and overtaking can be seen.

const shownMs = 10_000;
const rows = 8;
/** How far the bars move, in widths of the picture, before they are placed again. */
const widths = 100;
/** How long a time is in the picture, as CSS writes it. */
const percent = (ms: number) => `${(100 * ms) / shownMs}%`;

type Bar = { element: HTMLElement; row: number; start: number; end?: number };

class TimeLine extends HTMLElement {
  #bars: Bar[] = [];
  #strip!: HTMLElement;
  /** The left end of the strip, as a time. */
  #origin = 0;

  connectedCallback() {
    this.innerHTML = `<p class="legend" aria-hidden="true">
        <span class="key under-way">under way</span> <span class="key empty">empty</span>
        <span class="key full">with messages</span> <span class="key overtaken">overtaken</span>
        <span class="key failed">failed</span></p>
      <div class="track" role="img" aria-label="The last ten seconds: one bar for each request, from left to right">
        <div class="strip"></div>
      </div>
      <p class="scale" aria-hidden="true"><span>10 s ago</span><span>now</span></p>`;
    this.#strip = this.querySelector(".strip") as HTMLElement;
    this.#move();
  }

  /**
   * Moves the strip with all its bars, as an animation: that costs the browser a fifth of moving each bar in a script.
   * For readers who prefer no motion, it moves once a second.
   */
  #move() {
    this.#origin = performance.now();
    for (const bar of this.#bars) this.#place(bar);
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const moving = this.#strip.animate(
      { transform: ["translateX(100%)", `translateX(${100 - 100 * widths}%)`] },
      {
        duration: widths * shownMs,
        easing: isStill ? `steps(${(widths * shownMs) / 1_000}, jump-start)` : "linear",
      },
    );
    moving.startTime = this.#origin;
    moving.onfinish = () => this.#move();
  }

  /** A request begins. Call the function that this returns when it has ended, with how it ended. */
  begin(): (how: "empty" | "full" | "overtaken" | "failed") => void {
    const start = performance.now();
    this.#bars = this.#bars.filter(({ element, end = start }, n) => {
      const over = end < start - shownMs || n < this.#bars.length - 299;
      if (over) element.remove();
      return !over;
    });
    const taken = new Set(this.#bars.filter(({ end }) => end === undefined).map(({ row }) => row));
    const row = [...Array(rows).keys()].find((n) => !taken.has(n)) ?? rows - 1;
    const bar: Bar = { element: document.createElement("span"), row, start };
    bar.element.className = "bar under-way";
    bar.element.style.top = `${(row * 100) / rows}%`;
    this.#place(bar);
    this.#strip.append(bar.element);
    this.#bars.push(bar);
    return (how) => {
      bar.end = performance.now();
      bar.element.className = `bar ${how}`;
      this.#place(bar);
    };
  }

  /** The bar of a request under way is long enough for any. The edge of the picture, which is now, cuts it off. */
  #place({ element, start, end }: Bar) {
    element.style.left = percent(start - this.#origin);
    element.style.width = end === undefined ? "1000%" : `max(3px, ${percent(end - start)})`;
  }
}

customElements.define("time-line", TimeLine);

/** The page's <time-line>. */
export const timeline = document.querySelector("time-line") as TimeLine;
