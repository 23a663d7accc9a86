// The list of what passes. It draws a flood of entries at the pace of the screen, and uses its rows again.
import type { Entry } from "./entry.ts";
import { Row } from "./panel-rows.ts";

/** Rows are in groups, since a browser lays out and paints only the groups in sight (content-visibility in panel.css). */
const rowsInGroup = 20;
const mostGroups = 10;
export const mostRows = rowsInGroup * mostGroups;

/** Of each batch, which comes every 100 ms, so many entries are shown at most, spread over its six frames. */
const mostWaiting = 40;
const mostRowsInFrame = 8;

type Group = { element: HTMLElement; rows: Row[]; used: number };

export class EntryList {
  readonly #list: HTMLElement;
  #groups: Group[] = []; // the oldest first
  #waiting: Entry[] = [];
  #frame: number | undefined;

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  /**
   * Shows `entries` below the others, in the next animation frames. Returns how many have to be left out, since more
   * come than can be drawn. A hidden tab draws none.
   */
  add(entries: Entry[]): number {
    this.#waiting.push(...entries);
    const leftOut = Math.max(0, this.#waiting.length - mostWaiting);
    this.#waiting.splice(0, leftOut);
    if (this.#waiting.length > 0) this.#frame ??= requestAnimationFrame(this.#draw);
    return leftOut;
  }

  /** Shows the last 200 of these entries instead of all others, immediately. */
  replace(entries: Entry[]): void {
    this.#waiting = [];
    this.#groups = [];
    this.#list.replaceChildren();
    this.#write(entries.slice(-mostRows));
  }

  #draw = () => {
    this.#frame = undefined;
    this.#write(this.#waiting.splice(0, mostRowsInFrame));
    this.add([]);
  };

  #write(entries: Entry[]): void {
    const { scrollTop, clientHeight, scrollHeight } = this.#list;
    const isAtEnd = scrollTop + clientHeight > scrollHeight - 30;
    for (const entry of entries) this.#append(entry);
    if (isAtEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }

  #append(entry: Entry): void {
    let group = this.#groups.at(-1);
    if (!group || group.used === rowsInGroup) group = this.#startGroup();
    const row = group.rows[group.used] ?? new Row();
    group.rows[group.used++] = row;
    row.show(entry);
    group.element.append(row.item);
  }

  #startGroup(): Group {
    const oldest = this.#groups.length < mostGroups ? undefined : this.#groups.shift();
    const group = oldest ?? { element: document.createElement("ol"), rows: [], used: 0 };
    group.used = 0;
    group.element.replaceChildren();
    this.#list.append(group.element);
    this.#groups.push(group);
    return group;
  }
}
