// The room's memory: an ordered log of messages, and what came after a cursor.
import { randomUUID } from "node:crypto";
import type { Answer, Message } from "../both/message.ts";

/** A reader's cursor: the last id it saw (0: none yet), and in which log. */
export type Cursor = { after: number; log?: string | undefined };

/** Keeps the last `keep` messages. Each log has its own name, so a cursor from before a restart is recognized. */
export class MessageLog {
  readonly name = randomUUID().slice(0, 8);
  readonly #keep: number;
  #messages: Message[] = [];
  #lastId = 0;

  constructor(keep = 1_000) {
    this.#keep = keep;
  }

  /** Appends a message, with the next id. */
  add(from: string, text: string): Message {
    const message = { id: ++this.#lastId, from, text, at: Date.now() };
    this.#messages.push(message);
    // Cut only once it is twice as long: moving the whole list for each message would be slow.
    if (this.#messages.length >= 2 * this.#keep) this.#messages = this.#messages.slice(-this.#keep);
    return message;
  }

  /** The cursor of somebody who has seen everything so far. */
  get end(): Cursor {
    return { after: this.#lastId, log: this.name };
  }

  /**
   * What came after the cursor, in order. `reset` declares that the cursor does not fit and this is all there is:
   * it is from another log, from the future, or from before the oldest message kept.
   */
  after({ after, log }: Cursor): Answer {
    const kept = this.#messages.slice(-this.#keep);
    const oldest = kept[0]?.id ?? this.#lastId + 1;
    // Somebody new (no log yet, nothing seen) has lost nothing.
    const isNew = after === 0 && log === undefined;
    const isForeign = log !== undefined && log !== this.name;
    const reset = isForeign || after > this.#lastId || (!isNew && after < oldest - 1);
    return { log: this.name, reset, messages: reset ? kept : kept.filter(({ id }) => id > after) };
  }
}

/** How many of these messages fit into one piece of a replay: 50, or fewer long ones (about 16 KiB of text). */
export function pieceSize(messages: Message[]): number {
  let count = 0;
  let length = 0;
  for (const { text } of messages) {
    if (count === 50 || length >= 16 * 1024) break;
    length += text.length;
    count++;
  }
  return count;
}
