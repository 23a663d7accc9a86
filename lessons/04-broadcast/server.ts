// Broadcast: the server sends without being asked, to one client, to everyone, or to everyone else.
import * as v from "valibot";
import { type WebSocket, WebSocketServer } from "ws";
import { Say, Typing } from "../../shared/both/message.ts";
import { atMostEvery } from "../../shared/server/at-most-every.ts";
import { MessageLog } from "../../shared/server/message-log.ts";
import { claimName } from "../../shared/server/names.ts";
import { serve } from "../../shared/server/serve.ts";
import { closeOnShutdown, deliver, limits, onlyOurPage, receive } from "../../shared/server/sockets.ts";

const log = new MessageLog();
const clients = new Set<WebSocket>();
const sockets = new WebSocketServer({ server: serve(), verifyClient: onlyOurPage, ...limits });
const Incoming = v.variant("type", [Say, Typing]);

/** Sends to all, or to all except one. Encodes before the loop: a thousand clients cost one JSON.stringify. */
function broadcast(message: object, except?: WebSocket) {
  const bytes = Buffer.from(JSON.stringify(message));
  // deliver calls client.send, and disconnects a client that has left more than 1 MiB unread.
  for (const client of clients) if (client !== except) deliver(client, bytes);
}

// A thousand pages that arrive together change the number a thousand times. The server sends it once.
const presenceChanged = atMostEvery(50, () => broadcast({ type: "presence", here: clients.size }));

// Exercise: several rooms. A second parameter, `request`, has the address: request.url is "/?room=tea".
sockets.on("connection", (client) => {
  clients.add(client);
  deliver(client, JSON.stringify({ type: "greeting", text: "Hello. Everybody receives what you say." }));
  presenceChanged();

  client.on("message", (data, isBinary) => {
    // receive does what lesson 3 did by hand: parse, check the fields, refuse what is wrong.
    const message = receive(client, data, isBinary, Incoming);
    if (!message) return;
    const from = claimName(client, message.from); // "Ada (2)" when another Ada is here
    if (message.type === "say") broadcast({ type: "message", ...log.add(from, message.text) });
    if (message.type === "typing") broadcast({ type: "typing", from }, client);
  });

  client.on("close", () => {
    clients.delete(client);
    presenceChanged();
  });
  client.on("error", (error) => console.log(`error: ${error.message}`));
});

setInterval(() => broadcast({ type: "tick", at: Date.now() }), 3_000);

closeOnShutdown(sockets.clients);
