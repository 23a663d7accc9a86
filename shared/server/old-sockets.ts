// WebSockets for the lessons: bounded frames in, checked messages out of them, and nobody waited for too long.
import { type RawData, WebSocket } from "ws";
import { byteLimit, Refused, readTyped, type Shape } from "../both/old-message.ts";

/** Options for every WebSocketServer here; ws alone would take 100 MiB in one message. */
export const frameLimits = { maxPayload: byteLimit, maxFragments: 128 };

/** A client that leaves this many bytes unread is ended: what we send it waits in our memory. */
const unreadLimit = 1024 * 1024;

/** Sends text, given as a string or as its bytes. Whoever is gone is passed over, whoever stopped reading is ended. */
export function deliver(client: WebSocket, text: string | Buffer): void {
  if (client.readyState !== WebSocket.OPEN) return;
  // terminate, not close: a close frame would wait behind all that is unread.
  if (client.bufferedAmount > unreadLimit) client.terminate();
  // binary: false, since bytes would go out as a binary frame and reach a browser as a Blob.
  else client.send(text, { binary: false });
}

/**
 * What a client sent, checked against the `kinds` of message that the lesson knows; undefined when something is
 * wrong with it. Then the client has been told what, and after ten faults in ten seconds it is closed with 1008.
 * Binary frames are closed with 1003 (RFC 6455 §7.4.1).
 */
export function readMessage<Kinds extends Record<string, Shape>>(
  client: WebSocket,
  data: RawData,
  isBinary: boolean,
  kinds: Kinds,
) {
  // More can arrive between our close frame and the client's.
  if (client.readyState !== WebSocket.OPEN) return;
  if (isBinary) {
    client.close(1003, "send text");
    return;
  }
  let value: unknown;
  try {
    value = parse(data.toString());
    return readTyped(value, kinds);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refuse(client, error.message, ownId(value));
  }
}

/** The id that a message brought along, if any: the answer says which one was refused. */
function ownId(value: unknown): string | undefined {
  const { id } = Object(value);
  return typeof id === "string" && id.length <= 64 ? id : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused("That is not JSON.");
  }
}

const faultsOf = new WeakMap<WebSocket, number[]>();

/** Tells a client why its message (the one with that id, if it has one) was refused. Ten times in ten seconds, and it is closed with 1008. */
export function refuse(client: WebSocket, reason: string, id?: string): void {
  const now = performance.now();
  const recent = [...(faultsOf.get(client) ?? []), now].filter((time) => now - time < 10_000);
  faultsOf.set(client, recent);
  if (recent.length < 10) deliver(client, JSON.stringify({ type: "refused", reason, id }));
  else client.close(1008, "ten faults in ten seconds");
}
