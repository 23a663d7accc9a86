// Which of the cable's connections is this page's own WebSocket, as far as that can be known.
//
// A page doesn't know the port number of its sockets, so they are matched by time: the cable knows when each connection
// opened. If another tab opened one at the same time, none is marked. HTTP connections belong to all tabs of a browser.
import type { ConnectionState } from "./protocol.ts";

/** Two processes agree on a time no better than this. */
const toleranceMs = 50;

/** The panel's own WebSocket is this one: it doesn't go through the cable. */
export const PlainWebSocket = globalThis.WebSocket;

/**
 * When the page's latest WebSocket was opened, by performance.now(). The page's own script has run before this one, so
 * this file can't see its first socket open. But the page asked for that socket before the panel's own: it was open
 * when the cable first sent something to the panel.
 */
const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
let latest: { fromMs: number; toMs?: number } = { fromMs: navigation?.domInteractive ?? 0 };

globalThis.WebSocket = new Proxy(PlainWebSocket, {
  construct(target, args, newTarget) {
    const socket: WebSocket = Reflect.construct(target, args, newTarget);
    const fromMs = performance.now();
    socket.addEventListener("open", () => {
      latest = { fromMs, toMs: performance.now() };
    });
    return socket;
  },
});

/**
 * The number of this page's own connection; undefined when it can't be known. Called with everything that the cable
 * sends. `offsetMs`: the cable's clock minus ours.
 */
export function ownConnection(connections: ConnectionState[], offsetMs: number): number | undefined {
  latest.toMs ??= performance.now();
  const from = latest.fromMs + offsetMs - toleranceMs;
  const to = latest.toMs + offsetMs + toleranceMs;
  const candidates = connections.filter(
    ({ speaks, openedMs }) => speaks === "WebSocket" && openedMs >= from && openedMs <= to,
  );
  return candidates.length === 1 ? candidates[0]?.number : undefined;
}
