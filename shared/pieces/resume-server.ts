// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The real-time web workshop's authors
//
// Resume, the server's half: a log of what was said, and a replay of what one client has missed.
//
// It promises: between the replay and the first live message nothing is lost and nothing comes twice. A long replay goes
// out in pieces, the next one when the one before has left this process, so it neither fills the memory nor keeps others
// waiting. A gap in the log is declared: `reset` is true, and the messages begin at the oldest that is left.
// It doesn't: outlive the process. A restart empties the log, and its new name tells every client so. For a log that
// lasts, or for several servers, keep the messages and their numbers in a database or a broker.
// It works over any transport. Its other half is resume-client.ts.
// Tested while connections were reset, frozen and paused: resume.test.ts beside it, and in lesson 7.
import { randomUUID } from "node:crypto";

/** What a client has seen: the last id (0: nothing yet), and in which log. */
export type Cursor = { after: number; log?: string | undefined };

/** What a log has after a cursor, in order. `reset`: the cursor doesn't fit, and this is everything there is. */
export type Missed<Message> = { reset: boolean; messages: Message[] };

/** Numbers what is said, from 1, and keeps the last `keep` messages. */
export class ResumableLog<Said extends object> {
  /** Another one for each log, to recognize a cursor from before a restart. */
  readonly name: string = randomUUID().slice(0, 8);
  readonly #keep: number;
  #messages: (Said & { id: number })[] = [];
  #lastId = 0;

  constructor(keep: number) {
    this.#keep = keep;
  }

  /** Appends a message under the next id. An `id` that the message has already is replaced. */
  add(said: Said): Said & { id: number } {
    const message = Object.assign({ id: 0 }, said, { id: ++this.#lastId });
    this.#messages.push(message);
    // Cut only once it is twice as long: moving the whole list for each message would be slow.
    if (this.#messages.length >= 2 * this.#keep) this.#messages = this.#messages.slice(-this.#keep);
    return message;
  }

  /** What came after the cursor. It is a reset when the cursor is from another log, from the future, or too old. */
  after({ after, log }: Cursor): Missed<Said & { id: number }> {
    const kept = this.#messages.slice(-this.#keep);
    const oldest = kept[0]?.id ?? this.#lastId + 1;
    // A client that has seen nothing yet has missed nothing.
    const isNew = after === 0 && log === undefined;
    const isForeign = log !== undefined && log !== this.name;
    const reset = isForeign || after > this.#lastId || (!isNew && after < oldest - 1);
    return { reset, messages: reset ? kept : kept.filter(({ id }) => id > after) };
  }
}

/** The first of these messages, each as JSON, for one piece of a replay: at most 50, and about 16 KiB. */
function firstOf(messages: object[]): string[] {
  const piece: string[] = [];
  let length = 0;
  for (const message of messages) {
    if (piece.length === 50 || length >= 16 * 1024) break;
    const json = JSON.stringify(message);
    length += json.length;
    piece.push(json);
  }
  return piece;
}

/**
 * Sends what came after the cursor as `{"type":"replay",…}`, piece by piece, and calls `goLive` in the same turn of the
 * event loop that finds nothing left. `client` is a WebSocket of the package ws, or something else whose `send` takes a
 * function to call once the text has left this process, with an error if it couldn't be sent.
 */
export function replay<Message extends { id: number }>(
  client: { send(text: string, whenSent: (error?: Error | null) => void): void },
  log: { name: string; after(cursor: Cursor): Missed<Message> },
  cursor: Cursor,
  goLive: () => void,
): void {
  const { reset, messages } = log.after(cursor);
  const piece = firstOf(messages);
  const isLast = piece.length === messages.length;
  const next = { after: messages[piece.length - 1]?.id ?? 0, log: log.name };
  const start = `{"type":"replay","log":${JSON.stringify(log.name)},"reset":${reset},"messages":`;
  client.send(`${start}[${piece.join()}]}`, (error) => {
    // In another turn of the event loop: others don't wait while the network takes one piece after the other. A client so
    // slow that the log has moved on in the meantime gets a declared gap there.
    if (!isLast && !error) setImmediate(() => replay(client, log, next, goLive));
  });
  // No await since log.after, so nobody can say anything in between.
  if (isLast) goLive();
}
