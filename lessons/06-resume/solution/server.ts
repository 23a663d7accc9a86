// Resume: a page that reconnects says what it saw last. It gets what it missed, and then it goes live.
import * as v from "valibot";
import { type WebSocket, WebSocketServer } from "ws";
import { Beat, Resume, Say } from "../../../shared/both/message.ts";
import { heartbeat } from "../../../shared/pieces/heartbeat.ts";
import { heartbeatTimes } from "../../../shared/server/heartbeat-times.ts";
import { type Cursor, MessageLog, pieceSize } from "../../../shared/server/message-log.ts";
import { serve } from "../../../shared/server/serve.ts";
import {
  closeOnShutdown,
  deliver,
  limits,
  onlyOurPage,
  receive,
  refuse,
} from "../../../shared/server/sockets.ts";

const log = new MessageLog(Number(process.env.HISTORY ?? 4_000)); // a page that missed more gets a gap
const live = new Set<WebSocket>(); // the clients that have everything so far: they receive what is said next
const pages = new Map<string, WebSocket>(); // the newest socket of each page
const sockets = new WebSocketServer({ server: serve(), verifyClient: onlyOurPage, ...limits });
const Incoming = v.variant("type", [Resume, Say, Beat]);

/** Sends what came after the cursor, at most 50 messages at a time. When nothing is left, the client is live. */
function replay(client: WebSocket, cursor: Cursor) {
  const { reset, messages } = log.after(cursor);
  const rest = messages.splice(pieceSize(messages)); // 50, or fewer long ones
  client.send(JSON.stringify({ type: "replay", log: log.name, reset, messages }), (error) => {
    // These have left our memory. The rest follows in another turn, so that others don't have to wait.
    if (rest[0] && !error) setImmediate(replay, client, { after: rest[0].id - 1, log: log.name });
  });
  // No await since log.after, so nobody can say anything in between: nothing is lost, and nothing comes twice.
  if (rest.length === 0) live.add(client);
}

sockets.on("connection", (client) => {
  let resumed = false;
  console.log(`${sockets.clients.size} connected`);
  const late = setTimeout(() => resumed || refuse(client, 'Send {"type":"resume","after":0} first.'), 3_000);
  client.on("message", (data, isBinary) => {
    const message = receive(client, data, isBinary, Incoming);
    if (!message) return;
    if (message.type === "beat") return deliver(client, '{"type":"beat"}');
    if (message.type === "say") {
      const bytes = Buffer.from(JSON.stringify({ type: "message", ...log.add(message.from, message.text) }));
      for (const each of live) deliver(each, bytes);
    } else {
      if (resumed) return refuse(client, "resume: once for each connection.");
      resumed = true;
      const { page } = message;
      if (page) {
        // terminate, not close: over a network that fell silent, nobody answers the close frame.
        pages.get(page)?.terminate();
        pages.set(page, client);
        // The older socket's close event comes later. By then the page has a newer one.
        client.on("close", () => pages.get(page) === client && pages.delete(page));
      }
      replay(client, message);
    }
  });
  client.on("close", () => live.delete(client));
  client.on("close", () => clearTimeout(late)); // the timer would keep the client in memory
  client.on("close", () => console.log(`${sockets.clients.size} connected`));
  client.on("error", (error) => console.log(`error: ${error.message}`));
});

heartbeat(sockets.clients, heartbeatTimes);
closeOnShutdown(sockets.clients);
