// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The real-time web workshop's authors
//
// Heartbeat, for a server that uses the package ws (8 or newer): finds the clients that vanished without closing.
//
// It promises: a client that stops answering is terminated after `pingEveryMs + graceMs` at the latest, and its "close"
// event follows immediately. A client that answers within `graceMs` is never terminated, not even after this process was
// paused (a debugger, a laptop's lid). Each ping comes with a message that scripts can see, because browsers answer pings by
// themselves and show them to no page.
// It doesn't: notice a page whose script hangs while its browser still answers pings. Nor does it spare a slow reader: a
// ping waits behind all that the client hasn't read yet, and its answer may come too late.
// Tested with frozen networks and paused processes: heartbeat.test.ts beside it, and lessons 6 and 7.
import { WebSocket } from "ws";

/** The message that pages see. A page that has received nothing for a while may send the same, and gets it back. */
export const beat = '{"type":"beat"}';

/** A client that has left more bytes than this unread gets its ping, but no further message. */
const unreadLimit = 64 * 1024;

/**
 * Every `pingEveryMs` pings each of `clients` (RFC 6455 §5.5.2) and sends it a beat; `graceMs` later terminates those that
 * haven't answered. Both in milliseconds. Returns a function that stops it.
 */
export function heartbeat(
  clients: Iterable<WebSocket>,
  { pingEveryMs = 15_000, graceMs = 10_000 }: { pingEveryMs?: number; graceMs?: number } = {},
): () => void {
  const timers = new Set<NodeJS.Timeout>();
  const later = (ms: number, act: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, ms);
    timers.add(timer);
  };

  const interval = setInterval(() => {
    const silent = new Set([...clients].filter((client) => client.readyState === WebSocket.OPEN));
    for (const client of silent) {
      client.once("pong", () => silent.delete(client));
      client.ping();
      if (client.bufferedAmount < unreadLimit) client.send(beat);
    }
    // In two steps: after a pause of this process the first comes late, while the answers wait in the system's buffers.
    // They are read before the second.
    later(graceMs * 0.9, () =>
      later(graceMs * 0.1, () => {
        // terminate, not close: a closing handshake takes two, and one of them is gone.
        for (const client of silent) client.terminate();
      }),
    );
  }, pingEveryMs);

  return () => {
    clearInterval(interval);
    for (const timer of timers) clearTimeout(timer);
  };
}
