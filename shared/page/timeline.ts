// <time-line>: the last seconds, one bar for each request, so that overlapping and overtaking can be seen.

const shownMs = 10_000;
const rows = 8;

type Bar = { element: HTMLElement; row: number; start: number; end?: number };

class TimeLine extends HTMLElement {
  #bars: Bar[] = [];
  #track!: HTMLElement;

  connectedCallback() {
    this.innerHTML = `<p class="legend" aria-hidden="true">
        <span class="key under-way">under way</span> <span class="key empty">empty</span>
        <span class="key full">with messages</span> <span class="key overtaken">overtaken</span>
        <span class="key failed">failed</span></p>
      <div class="track" role="img" aria-label="The last ten seconds: one bar for each request, from left to right"></div>
      <p class="scale" aria-hidden="true"><span>10 s ago</span><span>now</span></p>`;
    this.#track = this.querySelector(".track") as HTMLElement;
    const draw = () => {
      this.#draw(performance.now());
      // In a hidden tab this stops by itself, and goes on when the tab is seen again.
      requestAnimationFrame(draw);
    };
    requestAnimationFrame(draw);
  }

  /** A request begins. Call the function that this returns when it has ended, with how it ended. */
  begin(): (how: "empty" | "full" | "overtaken" | "failed") => void {
    const taken = new Set(this.#bars.filter(({ end }) => end === undefined).map(({ row }) => row));
    const row = [...Array(rows).keys()].find((n) => !taken.has(n)) ?? rows - 1;
    const bar: Bar = { element: document.createElement("span"), row, start: performance.now() };
    bar.element.className = "bar under-way";
    bar.element.style.top = `${(row * 100) / rows}%`;
    this.#track.append(bar.element);
    this.#bars.push(bar);
    while (this.#bars.length > 300) this.#bars.shift()?.element.remove();
    return (how) => {
      bar.end = performance.now();
      bar.element.className = `bar ${how}`;
    };
  }

  #draw(now: number) {
    this.#bars = this.#bars.filter(({ element, end }) => {
      const over = end !== undefined && end < now - shownMs;
      if (over) element.remove();
      return !over;
    });
    const percent = (time: number) => Math.max(0, 100 - ((now - time) / shownMs) * 100);
    for (const { element, start, end } of this.#bars) {
      element.style.left = `${percent(start)}%`;
      element.style.width = `max(3px, ${percent(end ?? now) - percent(start)}%)`;
    }
  }
}

customElements.define("time-line", TimeLine);

/** The page's <time-line>. */
export const timeline = document.querySelector("time-line") as TimeLine;
