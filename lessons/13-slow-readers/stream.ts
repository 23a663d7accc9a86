// The stream as this page sees it: the newest price of each symbol, how late it is, and what is missing.
import { duration, number } from "../../shared/page/numbers.ts";

type Price = { id: number; symbol: string; price: number; at: number };

/** A quote that is older than this when it arrives is late. */
const lateMs = 1_000;
const showEveryMs = 250;
/** Messages and bytes are counted over so many of these steps. */
const steps = 8;

export class Stream {
  readonly #rows = new Map<string, { price: Price; direction: string; row: HTMLTableRowElement }>();
  readonly #place: HTMLTableSectionElement;
  /** Of the last quote that has arrived, 0 before the first one. */
  lastId = 0;
  #newestAt: number | undefined;
  /** The server's clock minus ours. An answer is always late, so the largest difference is the best. */
  #offsetMs = Number.NEGATIVE_INFINITY;
  #arrived: number[] = [0];
  #counts = { leftOut: 0, late: 0, lost: 0, replayed: 0, gaps: 0 };

  /** `place`: the body of a table. */
  constructor(place: HTMLTableSectionElement) {
    this.#place = place;
    setInterval(() => this.#show(), showEveryMs);
  }

  /** A quote has arrived. `replayed`: later than the others, because this page was away. */
  take(price: Price, replayed = false): void {
    if (price.id <= this.lastId) return;
    // Ids rise by one. Those in between were left out, and never come.
    if (this.lastId > 0) this.#counts.leftOut += price.id - this.lastId - 1;
    this.lastId = price.id;
    this.#newestAt = price.at;
    this.#arrived[0] = (this.#arrived[0] ?? 0) + 1;
    if (replayed) this.#counts.replayed++;
    else if (this.#nowMs() - price.at > lateMs) this.#counts.late++;
    const shown = this.#rows.get(price.symbol) ?? this.#newRow(price);
    if (price.price !== shown.price.price) shown.direction = price.price > shown.price.price ? "▲" : "▼";
    shown.price = price;
  }

  /** What this page has missed while it was away. `reset`: the server doesn't have all of it any more. */
  replay({ reset, messages }: { reset: boolean; messages: Price[] }): void {
    if (reset) this.#counts.gaps++;
    for (const price of messages) this.take(price, true);
  }

  /** The server's clock says so. */
  setClock(nowMs: number): void {
    this.#offsetMs = Math.max(this.#offsetMs, nowMs - performance.now());
  }

  connected(): void {
    this.#newestAt = undefined;
  }

  disconnected(): void {
    this.#counts.lost++;
  }

  /** The server has restarted: its numbers and its clock begin again. What came in between is not known. */
  startOver(isGap: boolean): void {
    this.lastId = 0;
    this.#offsetMs = Number.NEGATIVE_INFINITY;
    if (isGap) this.#counts.gaps++;
  }

  #nowMs = () => performance.now() + this.#offsetMs;

  #newRow(price: Price) {
    const row = document.createElement("tr");
    const name = document.createElement("th");
    name.scope = "row";
    name.textContent = price.symbol;
    row.append(name, document.createElement("td"), document.createElement("td"));
    const shown = { price, direction: "", row };
    this.#rows.set(price.symbol, shown);
    const next = [...this.#place.rows].find((one) => String(one.cells[0]?.textContent) > price.symbol);
    this.#place.insertBefore(row, next ?? null);
    return shown;
  }

  #show() {
    const seconds = (this.#arrived.length * showEveryMs) / 1_000;
    number("perSecond", Math.round(this.#arrived.reduce((sum, count) => sum + count) / seconds));
    this.#arrived = [0, ...this.#arrived.slice(0, steps - 1)];
    for (const [name, count] of Object.entries(this.#counts)) number(name, count);
    const isKnown = this.#newestAt !== undefined && Number.isFinite(this.#offsetMs);
    number("behind", isKnown ? this.#age(this.#newestAt) : "–");
    for (const { price, direction, row } of this.#rows.values()) {
      const [, amount, age] = row.cells;
      if (amount) amount.textContent = `${price.price.toFixed(2)} ${direction}`;
      if (age) age.textContent = isKnown ? this.#age(price.at) : "–";
    }
  }

  #age = (at = 0) => duration(Math.max(0, this.#nowMs() - at));
}
