// Heartbeat: the server notices who has gone without a word, and lets pages notice when it is the one.
import { type WebSocket, WebSocketServer } from "ws";
import { beat as beatFields, say, typing } from "../../../shared/both/message.ts";
import { beat, heartbeat } from "../../../shared/pieces/heartbeat.ts";
import { MessageLog } from "../../../shared/server/message-log.ts";
import { Names } from "../../../shared/server/names.ts";
import { serve } from "../../../shared/server/serve.ts";
import { deliver, frameLimits, readMessage } from "../../../shared/server/sockets.ts";

const log = new MessageLog();
const names = new Names();
const clients = new Set<WebSocket>();
const sockets = new WebSocketServer({ noServer: true, ...frameLimits });

function toAll(message: object) {
  const bytes = encode(message);
  for (const client of clients) deliver(client, bytes);
}

function toAllBut(one: WebSocket, message: object) {
  const bytes = encode(message);
  for (const client of clients) if (client !== one) deliver(client, bytes);
}

/** To bytes once, before the loop: a thousand clients cost one JSON.stringify, not a thousand. */
const encode = (message: object) => Buffer.from(JSON.stringify(message));

/** Said by one client within a second: more than this is a flood. */
const sayLimit = 10;

sockets.on("connection", (client) => {
  clients.add(client);
  let said: number[] = [];
  // The log's name: a page that comes back to another one knows that the server has forgotten everything.
  deliver(client, encode({ type: "greeting", text: "Hello. You are connected.", log: log.name }));
  tellPresence();

  client.on("message", (data, isBinary) => {
    const message = readMessage(client, data, isBinary, { say, typing, beat: beatFields });
    if (!message) return;
    // A page that has heard nothing for a while asks whether anybody is there.
    if (message.type === "beat") return deliver(client, beat);
    const now = performance.now();
    said = [...said.filter((time) => now - time < 1_000), now];
    // 1013, try again later: the page comes back after its pause. 1008 would keep it away for good.
    if (said.length > sayLimit) return client.close(1013, "too fast");
    const from = names.claim(client, message.from);
    if (message.type === "say") toAll({ type: "message", ...log.add(from, message.text) });
    if (message.type === "typing") toAllBut(client, { type: "typing", from });
  });

  client.on("close", () => {
    clients.delete(client);
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
    toAll({ type: "presence", here: clients.size });
  }, 50);
}

heartbeat(clients, {
  pingEveryMs: Number(process.env.PING_EVERY_MS ?? 15_000),
  graceMs: Number(process.env.GRACE_MS ?? 10_000),
});

// A count that everybody sees, and so sees the moment it stops.
let n = 0;
setInterval(() => toAll({ type: "hello", text: `Hello there #${++n}` }), 1_000);

serve({ sockets });
