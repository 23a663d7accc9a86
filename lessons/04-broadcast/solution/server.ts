// Broadcast: the server sends without being asked, to one client, to everyone, or to everyone else.
import * as v from "valibot";
import { type WebSocket, WebSocketServer } from "ws";
import { Say, Typing } from "../../../shared/both/message.ts";
import { atMostEvery } from "../../../shared/server/at-most-every.ts";
import { MessageLog } from "../../../shared/server/message-log.ts";
import { claimName } from "../../../shared/server/names.ts";
import { serve } from "../../../shared/server/serve.ts";
import { closeOnShutdown, deliver, limits, onlyOurPage, receive } from "../../../shared/server/sockets.ts";

const log = new MessageLog();
/** The room of each client, or null if the client's address names none. */
const rooms = new Map<WebSocket, string | null>();
const sockets = new WebSocketServer({ server: serve(), verifyClient: onlyOurPage, ...limits });
const Incoming = v.variant("type", [Say, Typing]);

/** To everyone in a room, or to everyone there except one. Encoded once, before the loop. */
function broadcast(room: string | null, message: object, except?: WebSocket) {
  const bytes = Buffer.from(JSON.stringify(message));
  // deliver calls client.send, and disconnects a client that has left more than 1 MiB unread.
  for (const [client, theirs] of rooms) if (theirs === room && client !== except) deliver(client, bytes);
}

// A thousand pages that arrive together change their numbers a thousand times. Each room gets its own number once.
const presenceChanged = atMostEvery(50, () => {
  const all = [...rooms.values()];
  for (const room of new Set(all))
    broadcast(room, { type: "presence", here: all.filter((each) => each === room).length });
});

sockets.on("connection", (client, request) => {
  const room = new URL(request.url ?? "/", "http://localhost").searchParams.get("room");
  rooms.set(client, room);
  deliver(client, JSON.stringify({ type: "greeting", text: "Hello. Everybody receives what you say." }));
  presenceChanged();

  client.on("message", (data, isBinary) => {
    // receive does what lesson 3 did by hand: parse, check the fields, refuse what is wrong.
    const message = receive(client, data, isBinary, Incoming);
    if (!message) return;
    const from = claimName(client, message.from); // "Ada (2)" when another Ada is here
    if (message.type === "say") broadcast(room, { type: "message", ...log.add(from, message.text) });
    if (message.type === "typing") broadcast(room, { type: "typing", from }, client);
  });

  client.on("close", () => {
    rooms.delete(client);
    presenceChanged();
  });
  client.on("error", (error) => console.log(`error: ${error.message}`));
});

setInterval(() => {
  for (const room of new Set(rooms.values())) broadcast(room, { type: "tick", at: Date.now() });
}, 3_000);

closeOnShutdown(sockets.clients);
