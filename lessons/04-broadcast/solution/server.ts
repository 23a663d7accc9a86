// Broadcast: the server speaks first, to one, to all, or to all but one.
import { type WebSocket, WebSocketServer } from "ws";
import { say, typing } from "../../../shared/both/message.ts";
import { MessageLog } from "../../../shared/server/message-log.ts";
import { Names } from "../../../shared/server/names.ts";
import { serve } from "../../../shared/server/serve.ts";
import { deliver, frameLimits, readMessage } from "../../../shared/server/sockets.ts";

const log = new MessageLog();
const names = new Names();
const clients = new Set<WebSocket>();
/** In which room each client is. */
const rooms = new Map<WebSocket, string | null>();
const sockets = new WebSocketServer({ noServer: true, ...frameLimits });

function toAll(message: object) {
  const bytes = encode(message);
  for (const client of clients) deliver(client, bytes);
}

function toRoom(room: string | null | undefined, message: object, but?: WebSocket) {
  const bytes = encode(message);
  for (const client of clients) if (client !== but && rooms.get(client) === room) deliver(client, bytes);
}

/** To bytes once, before the loop: a thousand clients cost one JSON.stringify, not a thousand. */
const encode = (message: object) => Buffer.from(JSON.stringify(message));

sockets.on("connection", (client, request) => {
  clients.add(client);
  const room = new URL(request.url ?? "/", "http://localhost").searchParams.get("room");
  rooms.set(client, room);
  deliver(client, encode({ type: "greeting", text: "Hello. Say something, everybody hears it." }));
  tellPresence();

  client.on("message", (data, isBinary) => {
    const message = readMessage(client, data, isBinary, { say, typing });
    if (!message) return;
    const from = names.claim(client, message.from);
    if (message.type === "say") toRoom(room, { type: "message", ...log.add(from, message.text) });
    if (message.type === "typing") toRoom(room, { type: "typing", from }, client);
  });

  client.on("close", () => {
    clients.delete(client);
    rooms.delete(client);
    names.release(client);
    tellPresence();
  });

  client.on("error", (error) => console.log(`error: ${error.message}`));
});

// A thousand pages that arrive at once change the number a thousand times. It is told once.
let presenceDue = false;
function tellPresence() {
  if (presenceDue) return;
  presenceDue = true;
  setTimeout(() => {
    presenceDue = false;
    const all = [...rooms.values()];
    for (const room of new Set(all))
      toRoom(room, { type: "presence", here: all.filter((each) => each === room).length });
  }, 50);
}

setInterval(() => toAll({ type: "tick", at: Date.now() }), 3_000);

serve({ sockets });
