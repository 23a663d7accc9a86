// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The real-time web workshop's authors
//
// One write for many, for a server that uses the package ws (8 or newer): everyone receives the same, and it is encoded,
// framed and written as seldom as possible.
//
// It promises: everything said in one turn of the event loop goes out as one WebSocket message, a JSON array of what was
// said, in order. It is encoded once and framed once, and each client costs one write. A client receives what is said after
// it has joined, nothing from before. A client that leaves more than `unreadLimit` bytes unread is terminated. One that is
// closing or has gone gets nothing. For a client with compression (permessage-deflate), ws itself compresses and sends
// each message.
// It doesn't: keep the order between `say` and your own `client.send`, which doesn't wait for the end of the turn. A
// message that you send in fragments (`fin: false`) must not go to a client that has joined, since no other message may
// come between two fragments (RFC 6455 §5.4). This piece writes to the socket of the handshake, past ws. ws documents that
// socket, but doesn't promise that others may write to it: run the test when you update ws.
// A page reads it with `for (const message of JSON.parse(event.data)) …`.
// Tested with clients that leave, stop reading, compress or receive other messages too: one-write.test.ts beside it.
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";

/** Clients that all receive the same. */
export class Audience {
  readonly #unreadLimit: number;
  /** Each client with its socket, or with none when ws must send because it compresses. */
  readonly #clients = new Map<WebSocket, Socket | undefined>();
  /** What was said in this turn of the event loop, as JSON. */
  #said: string[] = [];

  /** `unreadLimit`: how many bytes each client may leave unread. They wait in this process. */
  constructor({ unreadLimit = 1024 * 1024 } = {}) {
    this.#unreadLimit = unreadLimit;
  }

  /**
   * This client receives everything from now on, until it closes.
   * @param request the client's handshake: both are in the "connection" event of a WebSocketServer
   */
  join(client: WebSocket, request: IncomingMessage): void {
    // Messages said earlier in this turn aren't for this client.
    this.#write();
    this.#clients.set(client, client.extensions === "" ? request.socket : undefined);
    client.once("close", () => this.#clients.delete(client));
  }

  /** Sends it to everyone at the end of this turn. Throws, as JSON.stringify does, when it can't be encoded. */
  say(message: object): void {
    // Encoded now: the caller may change the object before the turn ends.
    const { length } = this.#said;
    this.#said.push(JSON.stringify(message));
    if (length === 0) setImmediate(() => this.#write());
  }

  #write() {
    if (this.#said.length === 0) return;
    const text = `[${this.#said.join(",")}]`;
    this.#said = [];
    const frame = textFrame(text);
    for (const [client, socket] of this.#clients) {
      if (client.readyState !== client.OPEN) continue;
      // terminate, not close: a close frame would wait behind all that is unread.
      if (client.bufferedAmount > this.#unreadLimit) client.terminate();
      else if (socket) socket.write(frame);
      else client.send(text);
    }
  }
}

/** A text as the frame that a server sends. It isn't masked, so it is the same for every client (RFC 6455 §5.2). */
function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const headerLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerLength + length);
  frame[0] = 0x81; // a whole message, and it is text
  frame[1] = headerLength === 2 ? length : headerLength === 4 ? 126 : 127;
  if (headerLength === 4) frame.writeUInt16BE(length, 2);
  if (headerLength === 10) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.write(text, headerLength);
  return frame;
}
