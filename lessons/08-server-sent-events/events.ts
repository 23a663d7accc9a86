// What the stream looks like on the wire (WHATWG HTML §9.2): lines of text, and an empty line after each event.
import type { Message } from "../../shared/both/message.ts";
import { HttpError } from "../../shared/server/http.ts";
import type { Cursor } from "../../shared/server/message-log.ts";

/**
 * How long the browser waits before it reconnects, in ms. Browsers rarely back off, and add no jitter of their own. So
 * each browser gets a random time between `ms` and 2.5 times that, or all would reconnect in the same instant.
 */
export function retry(ms: number): string {
  return `retry: ${Math.round(ms * (1 + 1.5 * Math.random()))}\n`;
}

/** One message. The browser remembers the id, and hands the data to the page. */
export function event(log: string, message: Message): string {
  // JSON has no line breaks of its own, so one data line is enough.
  return `id: ${log}:${message.id}\ndata: ${JSON.stringify(message)}\n\n`;
}

/** The first messages of a list as events: about 4 KiB of them, or all. */
export function firstEvents(log: string, messages: Message[]): { events: string; count: number } {
  let events = "";
  let count = 0;
  for (const message of messages) {
    if (events.length >= 4 * 1024) break;
    events += event(log, message);
    count++;
  }
  return { events, count };
}

/**
 * Where the stream begins. An id without data is no event, but the browser remembers it, so it can reconnect before the
 * first message too. `reset` tells the page that its cursor doesn't fit this log, in an event with a name of its own.
 */
export function start(log: string, after: number, reset: boolean): string {
  return `${reset ? "event: reset\ndata:\n" : ""}id: ${log}:${after}\n\n`;
}

/** A sign of life. The first line is a comment, which no script sees. So an event says when the next one is due. */
export function beat(everyMs: number): string {
  return `: still here\nevent: beat\ndata: ${everyMs}\n\n`;
}

/**
 * The cursor of a browser that reconnects: "3f9a1b2c:41", the last id it saw. Undefined when the browser sends none.
 * @throws {HttpError} 400 when the header is anything else
 */
export function readLastEventId(id: string | string[] | undefined): Cursor | undefined {
  if (id === undefined) return undefined;
  const [, log, digits] = /^([a-z0-9]{1,40}):(\d+)$/i.exec(String(id)) ?? [];
  const after = Number(digits);
  if (!Number.isSafeInteger(after))
    throw new HttpError(400, "Last-Event-ID: must be a log's name, a colon and a whole number.");
  return { log, after };
}
