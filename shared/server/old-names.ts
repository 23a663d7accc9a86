// Names in a room: whoever takes the name of somebody present is marked, "Ada (2)".
import { nameKey } from "../both/text.ts";

export class Names {
  #owners = new Map<string, object>();
  #keys = new Map<object, string>();

  /** The name under which `owner` speaks: `name`, or marked where another one present has a name that looks the same. */
  claim(owner: object, name: string): string {
    for (let n = 1; ; n++) {
      const marked = n === 1 ? name : `${name} (${n})`;
      const key = nameKey(marked);
      const holder = this.#owners.get(key);
      if (holder === owner) return marked;
      if (holder) continue;
      this.release(owner);
      this.#owners.set(key, owner);
      this.#keys.set(owner, key);
      return marked;
    }
  }

  /** `owner` has left, or taken another name. */
  release(owner: object): void {
    this.#owners.delete(this.#keys.get(owner) ?? "");
    this.#keys.delete(owner);
  }
}
