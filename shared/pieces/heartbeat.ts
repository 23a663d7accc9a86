// The server's heartbeat: who does not answer a ping is gone, whatever TCP believes.
import { WebSocket } from "ws";

/** A beat that scripts can see: browsers answer pings by themselves and show them to nobody. */
export const beat = JSON.stringify({ type: "beat" });

/**
 * Every `pingEveryMs` pings each client (RFC 6455 §5.5.2) and sends it a visible beat. Who has not answered
 * `graceMs` later is terminated, and its "close" event follows at once. A dead client is known after
 * `pingEveryMs + graceMs` at the latest.
 */
export function heartbeat(clients: Set<WebSocket>, { pingEveryMs = 15_000, graceMs = 10_000 } = {}): void {
  setInterval(() => {
    const silent = new Set([...clients].filter((client) => client.readyState === WebSocket.OPEN));
    for (const client of silent) {
      client.once("pong", () => silent.delete(client));
      client.ping();
      client.send(beat);
    }
    setTimeout(() => {
      // setImmediate: after a stall (a debugger, a laptop's lid) the answers lie unread in the system's buffers.
      // They are read before this judges.
      setImmediate(() => {
        // terminate, not close: a closing handshake needs two, and one of them is gone.
        for (const client of silent) client.terminate();
      });
    }, graceMs);
  }, pingEveryMs);
}
