// WebSocket, as in lesson 7: a connection that reconnects, and sends its cursor first.
import { stayConnected } from "../../../shared/pieces/stay-connected.ts";
import { type Reader, takeAll } from "./reader.ts";

/** Returns a function that stops it. */
export function websocket(reader: Reader) {
  const connection = stayConnected(`ws://${reader.host}`, {
    onopen: () => void connection.send(JSON.stringify({ type: "resume", ...reader.cursor })),
    onmessage(data) {
      const { type, ...message } = JSON.parse(data);
      if (type === "replay") takeAll(reader, message);
      if (type !== "message") return;
      reader.cursor.after = message.id;
      reader.take(message);
    },
    onstate(now) {
      if (now.name === "connecting") reader.asked();
      if (now.name === "connecting" || now.name === "open") reader.state(now.name);
      if (now.name === "reconnecting") reader.state("reconnecting", `attempt ${now.attempt}`);
    },
  });
  return () => connection.close();
}
