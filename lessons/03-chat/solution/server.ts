// Chat: a connection that stays open, so that what one page says goes to every page at once.
import { type WebSocket, WebSocketServer } from "ws";
import { say } from "../../../shared/both/message.ts";
import { MessageLog } from "../../../shared/server/message-log.ts";
import { serve } from "../../../shared/server/serve.ts";
import { deliver, frameLimits, readMessage, refuse } from "../../../shared/server/sockets.ts";

const log = new MessageLog();
const clients = new Set<WebSocket>();
/** Under which name each spoke last. */
const names = new Map<WebSocket, string>();
const sockets = new WebSocketServer({ noServer: true, ...frameLimits });

// 1. Open
sockets.on("connection", (client) => {
  clients.add(client);
  console.log(`open: ${clients.size} here`);

  // 2. Receive
  client.on("message", (data, isBinary) => {
    const said = readMessage(client, data, isBinary, { say });
    if (!said) return;
    names.set(client, said.from);
    const [, to] = said.text.match(/^@(\S+)/) ?? [];
    const isFor = (each: WebSocket) => to === undefined || names.get(each) === to;
    if (![...clients].some(isFor)) return refuse(client, `${to} is not here.`);
    const message = log.add(said.from, said.text);

    // 3. Send, what begins with @Grace to Grace alone, and to whoever says it
    for (const each of clients)
      if (isFor(each) || each === client) deliver(each, JSON.stringify({ type: "message", ...message }));
  });

  // 4. Close
  client.on("close", (code, reason) => {
    clients.delete(client);
    names.delete(client);
    console.log(`close ${code} ${reason}: ${clients.size} here`);
  });

  // Without this listener one malformed frame would end the whole server.
  client.on("error", (error) => console.log(`error: ${error.message}`));
});

serve({ sockets });
