// The outbox: what this page says stays here until the server has acknowledged it.

export type Waiting = { id: string; from: string; text: string };

/** More than this is refused: a page that is away for a day must not fill up. */
const limit = 100;

export class Outbox {
  /** A name that nobody else can guess: whoever knows it could make the server ignore this page. */
  readonly page = Array.from(crypto.getRandomValues(new Uint32Array(3)), (n) => n.toString(36)).join("");
  #count = 0;
  #waiting: Waiting[] = [];

  /** What has not been acknowledged, oldest first. */
  get waiting(): readonly Waiting[] {
    return this.#waiting;
  }

  /** Gives a message its id and keeps it. */
  add(from: string, text: string): Waiting {
    if (this.#waiting.length >= limit) throw new Error(`${limit} messages wait already.`);
    const message = { id: `${this.page}-${++this.#count}`, from, text };
    this.#waiting.push(message);
    return message;
  }

  /** The server has this one, and so all before it: they were sent in order. Returns how many that were. */
  acknowledge(id: string): number {
    return this.#waiting.splice(0, this.#waiting.findIndex((each) => each.id === id) + 1).length;
  }

  /** The server does not want this one: sending it again would help nobody. */
  refuse(id: string): void {
    this.#waiting = this.#waiting.filter((each) => each.id !== id);
  }
}
