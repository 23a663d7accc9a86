// WebSocket: lesson 5's connection, which comes back, and says its cursor first, as in lesson 6.
import { stayConnected } from "../../../shared/pieces/stay-connected.ts";
import type { Reader } from "./reader.ts";

/** Begins to listen. Call what is returned to end it. */
export function websocket({ host, cursor, take, asked, state }: Reader) {
  const connection = stayConnected(`ws://${host}`, {
    onopen: () => void connection.send(JSON.stringify({ type: "resume", ...cursor })),
    onmessage(data) {
      const message = JSON.parse(data);
      if ("id" in message) take(message);
    },
    onstate(now) {
      if (now.name === "connecting") asked();
      if (now.name === "connecting" || now.name === "open") state(now.name);
      if (now.name === "reconnecting") state("reconnecting", `attempt ${now.attempt}`);
    },
  });
  return () => connection.close();
}
