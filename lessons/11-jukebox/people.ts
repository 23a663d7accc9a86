// Everybody who is here, as a list.
import { number } from "../../shared/page/numbers.ts";

type Person = { id: number; name: string };
const list = document.querySelector(".people") as HTMLElement;
const listedAtMost = 12;

export class People {
  /** Our own id. */
  me = 0;
  readonly #names = new Map<number, string>();

  /** We are connected: this is our id, and these people are here. */
  startOver(me: number, people: Person[]): void {
    this.me = me;
    this.#names.clear();
    this.change(people);
  }

  /** People who have come or changed their names. Someone without a name has left. */
  change(changed: { id: number; name?: string }[]): void {
    for (const { id, name } of changed) {
      if (name === undefined) this.#names.delete(id);
      else this.#names.set(id, name);
    }
    const entries = [...this.#names].map(([id, name]) => (id === this.me ? `${name} (you)` : name));
    const more = entries.length - listedAtMost;
    if (more > 0) entries.splice(listedAtMost, more, `and ${more} more`);
    number("here", this.#names.size);
    list.replaceChildren(
      ...entries.map((text) => {
        const entry = document.createElement("li");
        entry.textContent = text;
        return entry;
      }),
    );
  }
}
