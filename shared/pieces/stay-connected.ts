// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The real-time web workshop's authors
//
// A WebSocket that stays connected: notices silence, abandons dead connections, and tries again with full jitter.
//
// It promises: a connection that has fallen silent is abandoned after `silenceMs + answerMs`, or up to `silenceMs / 8`
// later, whatever TCP believes. An attempt that nobody answers is given up after `handshakeMs`. Pauses are random and
// grow up to a cap; they start over only when a connection has lasted `stableMs`, so a server that accepts and closes is
// not hammered. When the network returns, not every page connects in the same instant. Codes that mean "stay away" are
// final. Whatever can't be sent is reported.
// It doesn't: keep or repeat messages (see outbox-client.ts), or fetch what was missed (see resume-client.ts).
// The server must answer {"type":"beat"} with some message, any message.
// Tested against frozen networks, mute servers and servers that close immediately: stay-connected.test.ts beside it.

/** All times in milliseconds. */
export const defaults = {
  /** Back-off: pause n, counted from 0, is random between 0 and the lesser of `capMs` and `baseMs · 2ⁿ`. */
  baseMs: 2_000,
  capMs: 12_000,
  /** The pauses start over when a connection has lasted this long. */
  stableMs: 5_000,
  /** An attempt whose handshake isn't answered by then is given up. */
  handshakeMs: 9_500,
  /** The server beats every 15 s. After this long without any message we ask for one … */
  silenceMs: 16_000,
  /** … and when nothing has come this long after that, the connection is dead. */
  answerMs: 7_000,
  /** `send` refuses to add to more than this many bytes that wait for the network. */
  unsentLimit: 1024 * 1024,
  /** Attempts in a row that never opened, after which it gives up: a page can't see why a handshake was refused. */
  attemptLimit: Number.POSITIVE_INFINITY,
};

/** `WebSocket` is the class to use: the browser's own, or that of the package ws. */
export type Options = Partial<typeof defaults> & { WebSocket?: SocketClass };
type SocketClass = new (url: string) => { readyState: number; send(data: string): void; close(): void };

export type State =
  | { name: "connecting" | "open"; attempt: number }
  /** `code`: the close code, 1006 without a close frame. Undefined: nobody has closed the connection. */
  | { name: "reconnecting"; attempt: number; inMs: number; code?: number | undefined }
  | { name: "closed"; code: number; reason: string };

/** A server that sends binary messages too: declare `data` as `string | ArrayBuffer`. */
export type Handlers = { onopen(): void; onmessage(data: string): void; onstate(state: State): void };

/**
 * Where to connect. A function is asked before every attempt, so a token in the address can be renewed. Undefined means
 * that there is nothing to connect to anymore, for example because a login was refused: that is final. When it throws,
 * the attempt has failed.
 */
export type Address = string | (() => string | undefined | Promise<string | undefined>);

/** Full jitter: without it, every page would reconnect in the same instant and crash the server again. */
export function backOffMs(attempt: number, { baseMs, capMs } = defaults): number {
  return Math.random() * Math.min(capMs, baseMs * 2 ** attempt);
}

/** 1008, or 4000 to 4499 (our own): the server doesn't want us back. After every other code another attempt makes sense. */
export const isFinal = (code: number) => code === 1008 || (code >= 4000 && code < 4500);

/**
 * Connects, and stays connected until `close()` is called or the server sends a final code. Handlers may call `close()`.
 *
 * `send` returns false when there is no connection, or too much waits to be sent. `tryNow` ends a pause, and asks an
 * open connection for a sign of life; give it a number of milliseconds to do so at a random moment within that time.
 * `sinceReceivedMs` is the time since the last message. `unsentBytes` wait for the network (`bufferedAmount`): send
 * nothing that will be replaced soon while there are many.
 */
export function stayConnected(
  address: Address,
  { onopen, onmessage, onstate }: Handlers,
  options: Options = {},
) {
  const settings = { ...defaults, ...options };
  const { stableMs, handshakeMs, silenceMs, answerMs, unsentLimit, attemptLimit } = settings;
  let socket: WebSocket | undefined;
  let attempt = 0;
  let unopened = 0;
  let receivedAt = 0;
  let askedAt: number | undefined;
  let pausing = false;
  let ended = false;
  /** Counts attempts, to recognize an address that arrives for an attempt that is over. */
  let current = 0;
  let timers: ReturnType<typeof setTimeout>[] = [];

  function connect() {
    abandon();
    const mine = ++current;
    unopened++;
    timers = [setTimeout(reconnect, handshakeMs)];
    if (typeof address === "string") open(address);
    else
      Promise.resolve()
        .then(address)
        .then(
          (url) => mine === current && (url === undefined ? end(1000, "no address") : open(url)),
          () => mine === current && reconnect(),
        );
    // Last, here and elsewhere: the handler may call close().
    onstate({ name: "connecting", attempt });
  }

  function open(url: string) {
    socket = new (options.WebSocket ?? globalThis.WebSocket)(url) as WebSocket;
    socket.binaryType = "arraybuffer"; // a browser's default is a Blob, which can only be read asynchronously
    socket.onopen = () => {
      clearTimers();
      signOfLife();
      unopened = 0;
      timers = [setTimeout(startOver, stableMs), setInterval(checkForLife, silenceMs / 16)];
      onopen();
      onstate({ name: "open", attempt });
    };
    socket.onmessage = ({ data }) => {
      signOfLife();
      onmessage(data);
    };
    // This event says nothing, and close follows. With the package ws in Node, a process without a listener would crash.
    socket.onerror = () => {};
    socket.onclose = ({ code, reason }) => {
      if (isFinal(code)) end(code, reason);
      else reconnect(code);
    };
  }

  function startOver() {
    attempt = 0;
  }

  function checkForLife() {
    const now = performance.now();
    if (askedAt === undefined && now - receivedAt > silenceMs) ask();
    // A hidden tab's timers run late, a sleeping laptop's very late. So first ask, and judge only after that.
    else if (askedAt !== undefined && now - askedAt > answerMs) reconnect();
  }

  function ask() {
    askedAt = performance.now();
    socket?.send('{"type":"beat"}');
  }

  function signOfLife() {
    receivedAt = performance.now();
    askedAt = undefined;
  }

  function reconnect(code?: number) {
    abandon();
    if (unopened >= attemptLimit) return end(1006, `${attemptLimit} attempts failed`);
    pausing = true;
    const inMs = backOffMs(attempt, settings);
    timers = [setTimeout(connect, inMs)];
    onstate({ name: "reconnecting", attempt: ++attempt, inMs, code });
  }

  /** Forgets the socket without waiting for its close event: over a dead network that takes a minute. */
  function abandon() {
    clearTimers();
    current++;
    pausing = false;
    askedAt = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    socket = undefined;
  }

  function end(code: number, reason: string) {
    ended = true;
    abandon();
    onstate({ name: "closed", code, reason });
  }

  function clearTimers() {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
  }

  function hurry() {
    if (pausing) connect();
    else if (socket && socket.readyState === socket.OPEN && askedAt === undefined) ask();
  }

  connect();
  return {
    sinceReceivedMs: () => performance.now() - receivedAt,
    unsentBytes: () => socket?.bufferedAmount ?? 0,
    send(data: Parameters<WebSocket["send"]>[0]): boolean {
      if (!socket || socket.readyState !== socket.OPEN || socket.bufferedAmount > unsentLimit) return false;
      socket.send(data);
      return true;
    },
    tryNow(withinMs = 0) {
      if (ended) return;
      if (withinMs > 0) timers.push(setTimeout(hurry, Math.random() * withinMs));
      else hurry();
    },
    close() {
      end(1000, "");
    },
  };
}
