// The stream as this page sees it: the newest price of each symbol, how late it is, and what is missing.
import { duration, number } from "../../shared/page/numbers.ts";

type Price = { id: number; symbol: string; price: number; at: number };

/** A quote that is older than this when it arrives is late. */
const lateMs = 1_000;
const showEveryMs = 250;
/** Quotes a second are counted over this many steps. */
const steps = 8;

export class Stream {
  readonly #rows = new Map<string, { price: Price; direction: string; row: HTMLTableRowElement }>();
  readonly #place: HTMLTableSectionElement;
  /** The highest id that has arrived, 0 before the first one: the cursor. */
  lastId = 0;
  /** Ids rise by one, so those that have not arrived can be counted. */
  #firstId = 0;
  #received = 0;
  #newestAt: number | undefined;
  /** The server's clock minus ours. An answer is always late, so the largest difference is the best. */
  #offsetMs = Number.NEGATIVE_INFINITY;
  /** Quotes that have arrived in each of the last steps. */
  #arrived: number[] = [0];
  #leftOutBefore = 0;
  #counts = { late: 0, lost: 0, replayed: 0, gaps: 0 };

  /** `place`: the body of a table. */
  constructor(place: HTMLTableSectionElement) {
    this.#place = place;
    setInterval(() => this.#show(), showEveryMs);
  }

  /** A quote has arrived. `replayed`: later than the others, because this page was away. */
  take(price: Price, replayed = false): void {
    const shown = this.#rows.get(price.symbol) ?? this.#newRow(price);
    if (price.id <= shown.price.id) return;
    this.#firstId ||= price.id;
    this.#received++;
    // A symbol that has waited long comes before a newer price of another symbol.
    if (price.id > this.lastId) [this.lastId, this.#newestAt] = [price.id, price.at];
    this.#arrived[0] = (this.#arrived[0] ?? 0) + 1;
    if (replayed) this.#counts.replayed++;
    else if (this.#nowMs() - price.at > lateMs) this.#counts.late++;
    if (price.price !== shown.price.price) shown.direction = price.price > shown.price.price ? "▲" : "▼";
    shown.price = price;
  }

  get #leftOut(): number {
    return this.#leftOutBefore + (this.#firstId ? this.lastId - this.#firstId + 1 - this.#received : 0);
  }

  /** What this page has missed while it was away. `reset`: the server doesn't have all of it anymore. */
  replay({ reset, messages }: { reset: boolean; messages: Price[] }): void {
    if (reset && this.lastId > 0) this.#counts.gaps++; // otherwise startOver has counted it
    for (const price of messages) this.take(price, true);
  }

  /** The server's clock has just shown this time. */
  setClock(nowMs: number): void {
    this.#offsetMs = Math.max(this.#offsetMs, nowMs - performance.now());
  }

  connected(): void {
    this.#newestAt = undefined;
  }

  disconnected(): void {
    this.#counts.lost++;
  }

  /** The server has restarted: its numbers and its clock begin again. Nobody knows how many quotes came in between. */
  startOver(isGap: boolean): void {
    this.#leftOutBefore = this.#leftOut;
    this.lastId = this.#firstId = this.#received = 0;
    for (const { price } of this.#rows.values()) price.id = 0;
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
    const shown = { price: { ...price, id: 0 }, direction: "", row };
    this.#rows.set(price.symbol, shown);
    const next = [...this.#place.rows].find((one) => String(one.cells[0]?.textContent) > price.symbol);
    this.#place.insertBefore(row, next ?? null);
    return shown;
  }

  #show() {
    const seconds = (this.#arrived.length * showEveryMs) / 1_000;
    number("perSecond", Math.round(this.#arrived.reduce((sum, count) => sum + count) / seconds));
    this.#arrived = [0, ...this.#arrived.slice(0, steps - 1)];
    number("leftOut", this.#leftOut);
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
