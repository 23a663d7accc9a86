// Server-sent events by hand: what an answer that never ends looks like on the wire (WHATWG HTML §9.2).
import type { Answer, Message } from "../../shared/both/old-message.ts";
import type { Cursor } from "../../shared/server/message-log.ts";
import { HttpError } from "../../shared/server/old-http.ts";

/** A message: its id, which the browser remembers, and its data. An empty line ends each event. */
export function event(log: string, message: Message): string {
  // JSON has no line breaks of its own, so one data line is enough.
  return `id: ${log}:${message.id}\ndata: ${JSON.stringify(message)}\n\n`;
}

/**
 * What came after `after`. An id without data is no event, but the browser remembers it: so it can say where it
 * stands even if it goes before it has heard anything. A cursor that did not fit is told by an event of another name.
 */
export function replayed({ log, reset, messages }: Answer, after: number): string {
  const before = messages[0] ? messages[0].id - 1 : reset ? 0 : after;
  const start = `${reset ? "event: reset\ndata:\n" : ""}id: ${log}:${before}\n\n`;
  return start + messages.map((message) => event(log, message)).join("");
}

/**
 * A sign of life. Comments (lines that begin with a colon) keep proxies from taking the connection for idle, but
 * no script ever sees one. So an event says it as well, and when the next will come.
 */
export function beat(everyMs: number): string {
  return `: still here\nevent: beat\ndata: ${everyMs}\n\n`;
}

/**
 * Where a browser stands that comes back: "3f9a1b2c:41", the last id it heard.
 * @throws {HttpError} 400 when it is anything else
 */
export function readLastEventId(id: string | string[] | undefined): Cursor | undefined {
  if (id === undefined) return undefined;
  const [, log, digits] = /^([a-z0-9]{1,40}):(\d+)$/i.exec(String(id)) ?? [];
  const after = Number(digits);
  if (!Number.isSafeInteger(after))
    throw new HttpError(400, "Last-Event-ID: a log's name and a whole number.");
  return { log, after };
}

/**
 * `?until=44`: how far somebody wants to listen. Without it there is no end.
 * @throws {HttpError} 400 when it is no whole number
 */
export function readUntil(query: URLSearchParams): number {
  const until = query.get("until");
  if (until === null) return Number.POSITIVE_INFINITY;
  if (!/^\d{1,15}$/.test(until)) throw new HttpError(400, "until: one whole number, 0 or more.");
  return Number(until);
}
