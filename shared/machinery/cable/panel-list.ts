// The list of what passes. It draws a flood of entries at the pace of the screen, and uses its rows again.
import { keepAtEnd } from "../../page/keep-at-end.ts";
import type { Entry } from "./entry.ts";
import { Row } from "./panel-rows.ts";

/** Rows are in groups, since a browser lays out and paints only the groups in sight (content-visibility in panel.css). */
const rowsInGroup = 20;
const mostGroups = 10;
/** This many groups leave together: when the first rows go, the browser moves all the others. */
const leaveTogether = 3;
export const mostRows = rowsInGroup * mostGroups;

/** At most this many entries of a batch are shown. A batch comes every 100 ms, and is spread over six frames. */
const mostWaiting = 24;
const mostRowsInFrame = 4;

type Group = { element: HTMLElement; rows: Row[]; used: number };

export class EntryList {
  readonly #list = document.createElement("div");
  #groups: Group[] = []; // the oldest first
  #spare: Group[] = [];
  #waiting: Entry[] = [];
  #frame: number | undefined;

  /** `box` scrolls. */
  constructor(box: HTMLElement) {
    box.append(this.#list);
    keepAtEnd(box);
  }

  /**
   * Shows `entries` below the others, in the next animation frames. Returns how many have to be left out, because
   * more come than can be drawn. A hidden tab draws none.
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
    for (const entry of entries.slice(-mostRows)) this.#append(entry);
  }

  #draw = () => {
    this.#frame = undefined;
    for (const entry of this.#waiting.splice(0, mostRowsInFrame)) this.#append(entry);
    this.add([]);
  };

  #append(entry: Entry): void {
    let group = this.#groups.at(-1);
    if (!group || group.used === rowsInGroup) group = this.#startGroup();
    const row = group.rows[group.used] ?? new Row();
    group.rows[group.used++] = row;
    row.show(entry);
    group.element.append(row.item);
  }

  #startGroup(): Group {
    if (this.#groups.length === mostGroups) {
      this.#spare = this.#groups.splice(0, leaveTogether);
      for (const { element } of this.#spare) element.remove();
    }
    const group = this.#spare.pop() ?? { element: document.createElement("ol"), rows: [], used: 0 };
    group.used = 0;
    group.element.replaceChildren();
    this.#list.append(group.element);
    this.#groups.push(group);
    return group;
  }
}
