// Heartbeat: the server finds clients that vanished without closing, and sends every page a sign of life.
import * as v from "valibot";
import { type WebSocket, WebSocketServer } from "ws";
import { Beat, Say } from "../../shared/both/message.ts";
import { atMostEvery } from "../../shared/server/at-most-every.ts";
import { MessageLog } from "../../shared/server/message-log.ts";
import { claimName } from "../../shared/server/names.ts";
import { serve } from "../../shared/server/serve.ts";
import { closeOnShutdown, deliver, limits, onlyOurPage, receive } from "../../shared/server/sockets.ts";

const pingEveryMs = Number(process.env.PING_EVERY_MS ?? 15_000);
const graceMs = Number(process.env.GRACE_MS ?? 10_000);
const log = new MessageLog();
const clients = new Set<WebSocket>();
const sockets = new WebSocketServer({ server: serve(), verifyClient: onlyOurPage, ...limits });
const Incoming = v.variant("type", [Say, Beat]);

function broadcast(message: object) {
  const bytes = Buffer.from(JSON.stringify(message));
  for (const client of clients) deliver(client, bytes);
}
const presenceChanged = atMostEvery(50, () => broadcast({ type: "presence", here: clients.size }));

sockets.on("connection", (client) => {
  clients.add(client);
  // The log's name: a page that reconnects and finds another one knows that the server has restarted.
  deliver(client, JSON.stringify({ type: "greeting", text: "Hello. You are connected.", log: log.name }));
  presenceChanged();

  client.on("message", (data, isBinary) => {
    const message = receive(client, data, isBinary, Incoming);
    if (!message) return;
    if (message.type === "beat") return deliver(client, '{"type":"beat"}'); // the page asks whether we are still there
    // Exercise: more than ten chat messages in a second are too many.
    const from = claimName(client, message.from);
    broadcast({ type: "message", ...log.add(from, message.text) });
  });

  client.on("close", () => {
    clients.delete(client);
    presenceChanged();
  });
  client.on("error", (error) => console.log(`error: ${error.message}`));
});

// The heartbeat. A client that hasn't answered when the grace period ends is gone, whatever TCP believes.
setInterval(() => {
  const silent = new Set(clients);
  for (const client of silent) client.once("pong", () => silent.delete(client)).ping();
  broadcast({ type: "beat" }); // a browser answers pings without telling the page, so it also gets a message
  const judge = () => {
    for (const client of silent) client.terminate(); // close would wait for the client's answer
  };
  // Two timers: if this process was paused, the first fires late, and the pongs are read before the second fires.
  setTimeout(() => setTimeout(judge, 50), graceMs - 50);
}, pingEveryMs);

let count = 0; // everyone sees it stop when the network does
setInterval(() => broadcast({ type: "hello", text: `Hello there #${++count}` }), 1_000);
closeOnShutdown(sockets.clients);
