// Outbox: a page sends a message again when no acknowledgement came. The server acknowledges both, and passes on one.
import * as v from "valibot";
import { type WebSocket, WebSocketServer } from "ws";
import { Beat, type Message, Resume, SayOnce } from "../../shared/both/message.ts";
import { heartbeat } from "../../shared/pieces/heartbeat.ts";
import { type Page, Pages } from "../../shared/pieces/outbox-server.ts";
import { ResumableLog, replay } from "../../shared/pieces/resume-server.ts";
import { heartbeatTimes } from "../../shared/server/heartbeat-times.ts";
import { serve } from "../../shared/server/serve.ts";
import {
  closeOnShutdown,
  deliver,
  limits,
  onlyOurPage,
  receive,
  refuse,
} from "../../shared/server/sockets.ts";

const log = new ResumableLog<Omit<Message, "id">>(Number(process.env.HISTORY ?? 4_000));
const pages = new Pages<WebSocket>(); // what each page has sent so far: this outlives its connections
const live = new Set<WebSocket>();
const sockets = new WebSocketServer({ server: serve(), verifyClient: onlyOurPage, ...limits });
const Incoming = v.variant("type", [Resume, SayOnce, Beat]);

sockets.on("connection", (client) => {
  let page: Page<WebSocket> | undefined;
  let resumed = false;
  const late = setTimeout(() => resumed || refuse(client, 'Send {"type":"resume","after":0} first.'), 3_000);
  client.on("message", (data, isBinary) => {
    const message = receive(client, data, isBinary, Incoming);
    if (!message) return;
    if (message.type === "beat") return deliver(client, '{"type":"beat"}');
    if (message.type === "say") {
      const { id, from, text } = message;
      const kind = id === undefined ? "new" : page?.receive(id);
      if (!kind) return refuse(client, "id: not of the page that this connection resumed as.", id);
      // Exercise: twenty messages in a row need one acknowledgement, not twenty.
      if (id) deliver(client, JSON.stringify({ type: "ack", id, double: kind === "double" }));
      if (kind === "double") return; // everyone has it already
      const said = log.add({ from, text, at: Date.now() });
      const bytes = Buffer.from(JSON.stringify({ type: "message", ...said }));
      for (const each of live) deliver(each, bytes);
    } else {
      if (resumed) return refuse(client, "resume: once for each connection.");
      resumed = true;
      if (message.page) page = pages.resume(message.page, client); // ends the socket that the page has left behind
      // The last acknowledgement may have been lost with the connection.
      if (page?.lastId) deliver(client, JSON.stringify({ type: "ack", id: page.lastId, double: false }));
      replay(client, log, message, () => live.add(client));
    }
  });

  client.on("close", () => live.delete(client));
  client.on("close", () => clearTimeout(late)); // the timer would keep the client in memory
  client.on("close", () => page && pages.leave(page, client));
  client.on("error", (error) => console.log(`error: ${error.message}`));
});

heartbeat(sockets.clients, heartbeatTimes);
closeOnShutdown(sockets.clients);
