// One reader: the bytes sent to it, the bytes it has read, and the quotes that wait until it has room.
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { type ResumableLog, replay } from "../../shared/pieces/resume-server.ts";
import { Allowance } from "../../shared/server/allowance.ts";
import { tolerateUnread } from "../../shared/server/connections.ts";
import { refuse } from "../../shared/server/sockets.ts";
import { type Encoded, type Price, toBytes } from "./market.ts";
import type { Wishes } from "./messages.ts";

/** A reader with more unread bytes than this gets none of the waiting quotes. */
const enough = 16 * 1024;

type Done = (error?: Error | null) => void;

export class Reader {
  readonly client: WebSocket;
  readonly #connection: Socket;
  readonly id: number;
  hasJoined = false;
  readonly #wishing = new Allowance(2_000, 200);
  wishes: Wishes = { type: "join", name: "", care: "keep", by: "buffered", perSecond: 4, after: 0 };
  /** Bytes that were given to ws, and bytes that the reader says it has read. */
  #sent = 0;
  #read = 0;
  #readAtMs = Number.NEGATIVE_INFINITY;
  /** Quotes that wait for room, by a key. A Map keeps the order in which its keys came. */
  readonly #waiting = new Map<number | string, Encoded>();
  #leftOut = 0;
  #nextAtMs = 0;

  /** `connection`: the TCP connection under `client`. */
  constructor(client: WebSocket, connection: Socket, id: number) {
    this.client = client;
    this.#connection = connection;
    this.id = id;
    tolerateUnread(connection); // `serve` would end it after 15 s, or at 4 MiB: this lesson shows what comes after that
  }

  /** Whether the reader may send one more message that isn't an acknowledgement. If not, the message is refused. */
  mayWish(): boolean {
    if (this.#wishing.take()) return true;
    refuse(this.client, "Too many messages: send at most 200 a second.");
    return false;
  }

  /** Takes the reader's name and wishes. Returns whether this is the reader's first join. */
  join(wishes: Wishes): boolean {
    const isNew = !this.hasJoined;
    if (wishes.care !== this.wishes.care) this.#waiting.clear();
    this.wishes = wishes;
    this.hasJoined = true;
    return isNew;
  }

  /** A reader that was disconnected gets what it has missed first, without the order books. The others go live now. */
  start(prices: ResumableLog<Price>, goLive: () => void): void {
    const { care, log, after } = this.wishes;
    this.send(toBytes({ type: "welcome", id: this.id, log: prices.name }));
    const asText = { send: (text: string, whenSent: Done) => this.send(Buffer.from(text), whenSent) };
    if (care === "disconnect" && log) replay(asText, prices, { log, after }, goLive);
    else goLive();
  }

  /** Bytes that wait in this process. */
  get kept(): number {
    return this.client.bufferedAmount;
  }

  /** Bytes that the reader hasn't read: as far as this process can see, or as far as the reader says. */
  get unread(): number {
    return this.wishes.by === "buffered" ? this.kept : this.#sent - this.#read;
  }

  /** Sends now, and can't take it back. `whenSent`: called when the bytes have left this process, read or not. */
  send(bytes: Buffer, whenSent?: Done): void {
    // The client has begun to close: don't keep for half a minute what it will never read.
    if (this.client.readyState !== WebSocket.OPEN && this.kept > 0) this.end();
    this.#sent += bytes.length;
    this.client.send(bytes, { binary: false }, whenSent);
  }

  /** Sends later. A newer quote replaces one with the same key, in its place. Beyond 100, the oldest is left out. */
  wait(key: number | string, quote: Encoded): void {
    if (this.#waiting.has(key)) this.#leftOut++;
    this.#waiting.set(key, quote);
    if (this.#waiting.size <= 100) return;
    this.#waiting.delete(this.#waiting.keys().next().value as number | string);
    this.#leftOut++;
  }

  /** Sends what waits, as far as there is room. Returns whether nothing waits anymore. */
  sendWaiting(): boolean {
    const less = this.wishes.care === "less";
    for (const [key, { bytes, brief }] of this.#waiting) {
      if (this.unread > enough || (less && !this.#isTime())) return false;
      this.#waiting.delete(key);
      this.send(less ? brief : bytes);
    }
    return true;
  }

  /** For a reader that has asked for less: whether the next price is due. */
  #isTime(): boolean {
    const now = performance.now();
    if (now < this.#nextAtMs) return false;
    this.#nextAtMs = now + 1_000 / this.wishes.perSecond;
    return true;
  }

  /** The reader says that it has read this many bytes: never fewer than before, and no more than were sent. */
  acknowledge(bytes: number): void {
    if (bytes > this.#read) this.#readAtMs = performance.now();
    this.#read = Math.max(this.#read, Math.min(bytes, this.#sent));
  }

  /** Whether the reader has acknowledged more bytes in the last ten seconds. */
  get isReading(): boolean {
    return performance.now() - this.#readAtMs < 10_000;
  }

  /** A reset (RST): both systems forget what they hold. A close frame would wait behind all that is unread. */
  end(): void {
    // Between the end of a connection and its close, Node can't reset it, and "close" would never come.
    if (this.#connection.writableEnded) this.#connection.destroy();
    else this.#connection.resetAndDestroy();
  }

  /** For the page's charts. `onTheWay`: bytes that this process has handed on, and the reader hasn't read yet. */
  report() {
    const { name, care } = this.wishes;
    const onTheWay = Math.max(0, this.#sent - this.#read - this.kept);
    return { id: this.id, name, care, kept: this.kept, onTheWay, leftOut: this.#leftOut };
  }
}
