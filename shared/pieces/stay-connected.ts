// A socket that comes back: notices silence, lets go, and tries again with exponential back-off and full jitter.

/** All times in milliseconds. */
export const defaults = {
  /** Back-off: the n-th pause is random between 0 and the lesser of `capMs` and `baseMs · 2ⁿ`. */
  baseMs: 2_000,
  capMs: 12_000,
  /** Back-off starts over only when a connection has stood this long: a server may accept and close, again and again. */
  standsMs: 5_000,
  /** An attempt whose handshake is not answered is given up. */
  handshakeMs: 9_500,
  /** The server beats every 15 s. After this long without a sign of life we ask for one … */
  silenceMs: 16_000,
  /** … and without an answer to that, the connection is dead. */
  answerMs: 7_000,
  WebSocket: globalThis.WebSocket,
};

export type State =
  | { name: "connecting" | "open"; attempt: number }
  | { name: "reconnecting"; attempt: number; inMs: number }
  | { name: "closed"; code: number; reason: string };

export type Handlers = { onopen(): void; onmessage(data: string): void; onstate(state: State): void };

/** Full jitter: without it, all pages of a server that fell would come back in the same instant, again and again. */
export function backOffMs(attempt: number, { baseMs, capMs } = defaults): number {
  return Math.random() * Math.min(capMs, baseMs * 2 ** attempt);
}

/** 1008, or 4000 to 4499 (this lesson's own): the server does not want us back. Everything else is worth another try. */
export const isFinal = (code: number) => code === 1008 || (code >= 4000 && code < 4500);

/**
 * Connects to `url`, and stays connected until `close()`, or until the server says that it is final.
 * `send` returns false when there is no connection. `tryNow` ends a pause early, and asks an open but silent
 * connection for a sign of life. `heardMs` is the time since the last one.
 */
export function stayConnected(url: string, { onopen, onmessage, onstate }: Handlers, options = {}) {
  const { standsMs, handshakeMs, silenceMs, answerMs, WebSocket, ...backOff } = { ...defaults, ...options };
  let socket: WebSocket | undefined;
  let attempt = 0;
  let heardAt = 0;
  let askedAt: number | undefined;
  let ended = false;
  let timers: ReturnType<typeof setTimeout>[] = [];

  function connect() {
    letGo();
    socket = new WebSocket(url);
    timers = [setTimeout(comeBack, handshakeMs)];
    socket.onopen = () => {
      clearTimers();
      heard();
      timers = [setTimeout(startOver, standsMs), setInterval(listenForLife, silenceMs / 16)];
      onopen();
      onstate({ name: "open", attempt });
    };
    socket.onmessage = ({ data }) => {
      heard();
      onmessage(data);
    };
    // Tells nothing, and is followed by close. In Node, the package ws would end the process if nobody listened.
    socket.onerror = () => {};
    socket.onclose = ({ code, reason }) => {
      if (isFinal(code)) end(code, reason);
      else comeBack();
    };
    // Said last, here and elsewhere: whoever hears it may call close().
    onstate({ name: "connecting", attempt });
  }

  function startOver() {
    attempt = 0;
  }

  function listenForLife() {
    const now = performance.now();
    if (askedAt === undefined && now - heardAt > silenceMs) ask();
    // A hidden tab's timers run late, a sleeping laptop's very late: so first ask, then judge.
    else if (askedAt !== undefined && now - askedAt > answerMs) comeBack();
  }

  function ask() {
    askedAt = performance.now();
    socket?.send('{"type":"beat"}');
  }

  function heard() {
    heardAt = performance.now();
    askedAt = undefined;
  }

  function comeBack() {
    letGo();
    const inMs = backOffMs(attempt, { ...defaults, ...backOff });
    timers = [setTimeout(connect, inMs)];
    onstate({ name: "reconnecting", attempt: ++attempt, inMs });
  }

  /** Lets go of the socket without waiting for its close event: over a dead network that takes a minute. */
  function letGo() {
    clearTimers();
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    socket = undefined;
  }

  function end(code: number, reason: string) {
    ended = true;
    letGo();
    onstate({ name: "closed", code, reason });
  }

  function clearTimers() {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
  }

  connect();
  return {
    heardMs: () => performance.now() - heardAt,
    send(text: string): boolean {
      if (socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(text);
      return true;
    },
    tryNow() {
      if (ended) return;
      if (!socket) connect();
      else if (socket.readyState === WebSocket.OPEN && askedAt === undefined) ask();
    },
    close() {
      end(1000, "");
    },
  };
}
