// Around a WebSocketServer: who may connect, how much one client may send, and how much it may leave unread.
import * as v from "valibot";
import { type RawData, type VerifyClientCallbackAsync, WebSocket } from "ws";
import { byteLimit, whyRefused } from "../both/message.ts";
import { Allowance } from "./allowance.ts";
import { isAllowedOrigin } from "./allowed-hosts.ts";
import { onShutdown } from "./serve.ts";

/**
 * For `verifyClient`: pages of other sites are refused with 403. A browser lets any page connect to any server, and only
 * says in the Origin header which page it is (RFC 6455 §10.2). Other programs send no Origin.
 */
export const onlyOurPage: VerifyClientCallbackAsync = ({ origin }, done) => {
  const allowed = origin === undefined || isAllowedOrigin(origin);
  done(allowed, 403, "Only the workshop's own page may connect.");
};

/**
 * Options for a WebSocketServer that bound what a flood can do: few fragments for each message, and one message for each
 * turn of the event loop, so that the other clients get their turns too. And no subprotocol: ws alone would agree to any.
 */
export const floodLimits = {
  maxFragments: 128,
  allowSynchronousEvents: false,
  handleProtocols: () => false as const,
};

/** The same, with the size of a message: ws alone would accept 100 MiB. */
export const limits = { maxPayload: byteLimit, ...floodLimits };

/** Messages that one client may send together. */
const burst = 2_000;
/** And how many a second after that: plenty for a person who types. */
const typing = 200;

const allowances = new WeakMap<WebSocket, Allowance>();

/**
 * Whether this client may send one more message now. If not, its message was refused, and it is closed with 1008 when it
 * sends many more. False, too, for messages that arrive after we have begun to close.
 */
export function withinAllowance(client: WebSocket, perSecond = typing): boolean {
  if (client.readyState !== WebSocket.OPEN) return false;
  const allowance = allowances.get(client) ?? new Allowance(burst, perSecond);
  allowances.set(client, allowance);
  if (allowance.take()) return true;
  sendRefusal(client, `Too many messages: send at most ${perSecond} a second.`);
  return false;
}

/**
 * Tells a client why its message was refused: `error` is what JSON.parse or the check of its fields threw, or a sentence
 * of our own. `id` is the message's own, if it has one. After ten refusals in ten seconds the client is closed with 1008.
 * Any other error is thrown again, because it is a mistake of ours.
 */
export function refuse(client: WebSocket, error: unknown, id?: string): void {
  const reason = typeof error === "string" ? error : whyRefused(error);
  if (reason === undefined) throw error;
  sendRefusal(client, reason, id);
}

/**
 * Does what lesson 3 does by hand: checks one message of a client against `schema`. Undefined when there is nothing to
 * act on, because the message was refused (and the client knows why), binary (closed with 1003) or one too many.
 * A lesson that also uses binary messages reads them with `fromBinary`. If that returns undefined, it closes with 1003.
 * `perSecond`: how many messages a second it allows, where no person types them.
 */
export function receive<Schema extends v.GenericSchema>(
  client: WebSocket,
  data: RawData,
  isBinary: boolean,
  schema: Schema,
  { fromBinary, perSecond }: { fromBinary?: (bytes: Buffer) => object | undefined; perSecond?: number } = {},
): v.InferOutput<Schema> | undefined {
  if (isBinary && !fromBinary) return void client.close(1003, "send text");
  if (!withinAllowance(client, perSecond)) return;
  let input: unknown;
  try {
    input = isBinary ? fromBinary?.(data as Buffer) : JSON.parse(data.toString());
    if (input === undefined) return void client.close(1003, "not a binary message of this server");
    return v.parse(schema, input);
  } catch (error) {
    refuse(client, error, ownId(input));
  }
}

/** The id in a message, if any: the refusal names it. */
function ownId(input: unknown): string | undefined {
  const { id } = Object(input);
  return typeof id === "string" && id.length <= 64 ? id : undefined;
}

const refusals = new WeakMap<WebSocket, number[]>();

function sendRefusal(client: WebSocket, reason: string, id?: string) {
  const now = performance.now();
  const recent = [...(refusals.get(client) ?? []), now].filter((time) => now - time < 10_000);
  refusals.set(client, recent);
  if (recent.length < 10) deliver(client, JSON.stringify({ type: "refused", reason, id }));
  else client.close(1008, "ten refusals in ten seconds");
}

/** Bytes that one client may leave unread: they wait in our memory. */
const unreadLimit = 1024 * 1024;

/**
 * Sends text, given as a string or as its bytes, or with `binary` the bytes as they are. A client that has gone is
 * skipped, and one that leaves more than 1 MiB unread is disconnected.
 */
export function deliver(client: WebSocket, data: string | Uint8Array | DataView, binary = false): void {
  if (client.readyState !== WebSocket.OPEN) return;
  // terminate, not close: a close frame would wait behind all that is unread.
  if (client.bufferedAmount > unreadLimit) client.terminate();
  // ws alone would send bytes as a binary frame, even those of a text, and a browser would receive a Blob.
  else client.send(data, { binary });
}

/** When the process is asked to end, closes every client with 1001, "going away" (RFC 6455 §7.4.1). */
export function closeOnShutdown(clients: Iterable<WebSocket>): void {
  onShutdown(() => {
    for (const client of clients) client.close(1001, "server going away");
  });
}
