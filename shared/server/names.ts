// Names of the people who are connected: a second Ada is shown as "Ada (2)".
import type { WebSocket } from "ws";
import { nameKeys } from "../both/look-alikes.ts";

/** When this many numbers in a row are taken, numbers are no longer tried in order. */
const inOrder = 5;

type Taken = { name: string; base: string[]; number: number; shown: string; keys: string[] };

/** Who has which name. No two have names that look the same. */
export class Names<Owner> {
  readonly #taken = new Map<Owner, Taken>();
  readonly #owners = new Map<string, Owner>();
  /** For each key of a name, who is shown with which number. Without these, the 400th Ada would cost 400 times as much. */
  readonly #numbered = new Map<string, Map<number, Owner>>();

  /**
   * The name to show for `owner`: `name` itself, or marked with a number while somebody else has a name that looks the
   * same. The owner gives up their earlier name.
   */
  claim(owner: Owner, name: string): string {
    const before = this.#taken.get(owner);
    const base = nameKeys(name);
    const numbered = base.map((key) => this.#numbered.get(key));
    let tries = 0;
    for (let number = 1; ; number++) {
      if (numbered.some((one) => (one?.get(number) ?? owner) !== owner)) continue;
      if (before?.name === name && before.number === number) return before.shown;
      const shown = number === 1 ? name : `${name} (${number})`;
      const keys = nameKeys(shown);
      if (keys.every((key) => (this.#owners.get(key) ?? owner) === owner)) {
        this.release(owner);
        this.#take(owner, { name, base, number, shown, keys });
        return shown;
      }
      // Somebody may call themselves "Ada (2)", and so on up to 400. Nobody can have all of the numbers that come now.
      if (++tries < inOrder) continue;
      if (before?.name === name) return before.shown;
      number += Math.floor(Math.random() * 10 * this.#taken.size);
    }
  }

  /** From now on, others may have this owner's name. */
  release(owner: Owner): void {
    const { base = [], number = 0, keys = [] } = this.#taken.get(owner) ?? {};
    for (const key of keys) this.#owners.delete(key);
    for (const key of base) {
      const numbers = this.#numbered.get(key);
      numbers?.delete(number);
      if (numbers?.size === 0) this.#numbered.delete(key);
    }
    this.#taken.delete(owner);
  }

  #take(owner: Owner, taken: Taken) {
    for (const key of taken.keys) this.#owners.set(key, owner);
    for (const key of taken.base) {
      const numbers = this.#numbered.get(key) ?? new Map<number, Owner>();
      this.#numbered.set(key, numbers.set(taken.number, owner));
    }
    this.#taken.set(owner, taken);
  }
}

const names = new Names<WebSocket>();
const known = new WeakSet<WebSocket>();

/**
 * The name to show for `client`: `name` itself, or marked with a number while another client that is connected uses a
 * name that looks the same. The client gives it up when it takes another one, and when its connection closes.
 */
export function claimName(client: WebSocket, name: string): string {
  if (!known.has(client)) client.once("close", () => names.release(client));
  known.add(client);
  return names.claim(client, name);
}
