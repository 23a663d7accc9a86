// Everybody who is here: names, the motion of each pointer, and a list for those who can't see the board.
import { type Cursor, colorOf } from "../../shared/page/board.ts";
import { number } from "../../shared/page/numbers.ts";
import { Motion } from "./motion.ts";
import type { Position } from "./positions.ts";

type Person = { name: string; motion?: Motion };
const list = document.querySelector(".people") as HTMLElement;
const listedAtMost = 12;

export class People {
  /** Our own id. */
  me = 0;
  #people = new Map<number, Person>();
  #listed = "";

  constructor() {
    setInterval(() => this.#list(), 1_000);
  }

  /** We are connected: this is our id, and these people are here. */
  startOver(me: number, people: { id: number; name: string }[]): void {
    this.me = me;
    this.#people.clear();
    this.change(people);
  }

  /** People who have come or changed their names. Someone without a name has left. */
  change(changed: { id: number; name?: string }[]): void {
    for (const { id, name } of changed) {
      if (name === undefined) this.#people.delete(id);
      else this.#people.set(id, { ...this.#people.get(id), name });
    }
    this.#list();
  }

  move(positions: Position[]): void {
    const now = performance.now();
    for (const { id, ...place } of positions) {
      const person = this.#people.get(id);
      if (person?.motion) person.motion.moveTo(place, now);
      else if (person) person.motion = new Motion(place, now);
      // A position of an unknown person: the name is still on its way.
    }
  }

  /** The cursors to draw at this moment. */
  *cursors(nowMs: number, smooth: boolean): Generator<Cursor> {
    for (const [id, { name, motion }] of this.#people)
      if (motion)
        yield {
          id,
          name,
          ...motion.at(nowMs, smooth),
          opacity: motion.opacity(nowMs),
          own: id === this.me,
        };
  }

  /** The first few names, and how many there are. A faded pointer is marked with a word, too. */
  #list() {
    const now = performance.now();
    const entries = [...this.#people].slice(0, listedAtMost).map(([id, { name, motion }]) => {
      const remark = id === this.me ? " (you)" : motion && motion.opacity(now) < 1 ? " (silent)" : "";
      return { text: name + remark, color: colorOf(id) };
    });
    const more = this.#people.size - entries.length;
    if (more > 0) entries.push({ text: `and ${more} more`, color: "" });
    number("here", this.#people.size);
    // Written only when it has changed: a screen reader would read it again. Colors change with the light or dark setting.
    if (JSON.stringify(entries) === this.#listed) return;
    this.#listed = JSON.stringify(entries);
    list.replaceChildren(
      ...entries.map(({ text, color }) => {
        const entry = document.createElement("li");
        entry.textContent = text;
        entry.style.setProperty("--color", color);
        return entry;
      }),
    );
  }
}
