// Resume, the server's half: what a page missed comes first, then it goes live; what it says twice is heard once.
import { type Answer, optional, Refused, say } from "../both/old-message.ts";
import type { Cursor, MessageLog } from "./message-log.ts";

/** On open a page says where it stands, as in lesson 1: the last id it saw, in which log; and a name only it knows. */
export const resume = { after: count, log: optional(word), page: optional(word) };

/** What may come twice has an id of its own: the page's name and a count that rises, "k3f9a1-12". */
export const sayOnce = { ...say, id: optional(ownId) };

/** Messages in one piece of a replay: 650 kB at their longest, less than a client may leave unread. */
const pieceLength = 50;

/**
 * Sends what came after the cursor, each piece when the one before has left our memory. `goLive` is called in the same
 * turn of the event loop that finds nothing left: nobody can speak in between, so there is no hole and no double.
 */
export function replay(
  log: MessageLog,
  cursor: Cursor,
  send: (piece: Answer, whenSent: (error?: Error | null) => void) => void,
  goLive: () => void,
): void {
  const { reset, messages } = log.after(cursor);
  const piece = messages.slice(0, pieceLength);
  const isLast = piece.length === messages.length;
  send({ log: log.name, reset, messages: piece }, (error) => {
    // A page so slow that history has moved on meanwhile finds a declared gap here.
    if (!isLast && !error) replay(log, { after: piece.at(-1)?.id ?? 0, log: log.name }, send, goLive);
  });
  if (isLast) goLive();
}

/** What each page has said so far. A page counts up and sends in order, so one number for each is enough. */
export class Heard {
  readonly #keep: number;
  #counts = new Map<string, number>();

  /** Remembers `keep` pages: whoever has been silent longest is forgotten first. */
  constructor(keep = 10_000) {
    this.#keep = keep;
  }

  /** Whether this id comes for the first time. */
  isNew(id: string): boolean {
    const [page = "", count] = id.split("-");
    const last = this.#counts.get(page) ?? 0;
    const isNew = Number(count) > last;
    // Deleted first: a Map keeps the order in which keys came, and this one moves to the end.
    this.#counts.delete(page);
    this.#counts.set(page, isNew ? Number(count) : last);
    if (this.#counts.size > this.#keep) this.#counts.delete(this.#counts.keys().next().value as string);
    return isNew;
  }

  /** The last id heard from `page`. */
  last(page: string): string | undefined {
    const count = this.#counts.get(page);
    return count === undefined ? undefined : `${page}-${count}`;
  }
}

function count(value: unknown, field: string): number {
  if (!Number.isSafeInteger(value) || Number(value) < 0)
    throw new Refused(`${field}: must be a whole number, 0 or more.`);
  return value as number;
}

function word(value: unknown, field: string): string {
  if (typeof value !== "string" || !/^[a-z0-9]{1,40}$/i.test(value))
    throw new Refused(`${field}: must be 1 to 40 letters and digits.`);
  return value;
}

function ownId(value: unknown, field: string): string {
  if (typeof value !== "string" || !/^[a-z0-9]{1,40}-\d{1,15}$/i.test(value))
    throw new Refused(`${field}: must be the page's name and a count, like k3f9a1-12.`);
  return value;
}
