// All readers: events for everybody, the limit for all together, and a report of how they are doing.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { WebSocket } from "ws";
import { sendJson } from "../../shared/server/http.ts";
import { nowMs, toBytes } from "./market.ts";
import type { Reader } from "./reader.ts";

/** Bytes that all readers together may leave in this process. */
const limit = 32 * 1024 * 1024;
/** Readers at the same time: everyone gets 200 messages a second, so each one makes the others wait a little. */
const { MAX_READERS = 300 } = process.env;
/** Readers in a report. */
const reported = 20;

export class Readers extends Set<Reader> {
  #ended = 0;
  /** Those that have joined, including those that still get what they have missed. */
  readonly #admitted = new Set<Reader>();

  /** Whether this reader may join. If not, it is closed with 1013: try again later. */
  hasRoomFor(reader: Reader): boolean {
    if (this.#admitted.size < Number(MAX_READERS)) this.#admitted.add(reader);
    if (this.#admitted.has(reader)) return true;
    reader.client.close(1013, `${MAX_READERS} readers are here already`);
    return false;
  }

  override delete(reader: Reader): boolean {
    this.#admitted.delete(reader);
    return super.delete(reader);
  }

  /** An event: to everybody, whatever they have asked for. */
  broadcast(event: object): void {
    const bytes = toBytes(event);
    for (const reader of this) reader.send(bytes);
  }

  /** Disconnects a reader that is too slow. */
  end(reader: Reader): void {
    this.delete(reader);
    this.#ended++;
    reader.end();
  }

  /** Disconnects the slowest when all together leave more than 32 MiB here. */
  boundTogether(): void {
    let all = 0;
    let slowest: Reader | undefined;
    for (const reader of this) {
      all += reader.kept;
      if (!slowest || reader.kept > slowest.kept) slowest = reader;
    }
    if (slowest && all > limit) this.end(slowest);
  }

  /** For the heartbeat: all clients except those that acknowledge. Behind unread data, a ping would wait too long. */
  silent(clients: Set<WebSocket>): Iterable<WebSocket> {
    const now = () => {
      const reading = new Set([...this].filter(({ isReading }) => isReading).map(({ client }) => client));
      return [...clients].filter((client) => !reading.has(client));
    };
    return { [Symbol.iterator]: () => now().values() };
  }

  /** `memory`: bytes that the process uses. `ended`: readers that were disconnected because they were too slow. */
  report() {
    const readers = [...this].slice(0, reported).map((reader) => reader.report());
    return { nowMs: nowMs(), memory: process.memoryUsage.rss(), ended: this.#ended, readers };
  }

  /** GET /readers. Over HTTP, so that it doesn't wait behind what a reader hasn't read. */
  sendReport = (_request: IncomingMessage, response: ServerResponse): void =>
    sendJson(response, 200, this.report());
}

export type Report = ReturnType<Readers["report"]>;
