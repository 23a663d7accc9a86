// Chat: a connection that stays open, so a message from one page reaches every page immediately.
import * as v from "valibot";
import { type WebSocket, WebSocketServer } from "ws";
import { Name, Text } from "../../../shared/both/message.ts";
import { MessageLog } from "../../../shared/server/message-log.ts";
import { onShutdown, serve } from "../../../shared/server/serve.ts";
import { floodLimits, onlyOurPage, refuse, withinAllowance } from "../../../shared/server/sockets.ts";

const log = new MessageLog();
const clients = new Set<WebSocket>();
/** The name under which each client spoke last. */
const names = new Map<WebSocket, string>();
const sockets = new WebSocketServer({
  server: serve(), // the HTTP server, on port 8080: every WebSocket begins as an HTTP request
  verifyClient: onlyOurPage, // pages of other sites are refused with 403
  maxPayload: 16 * 1024, // bytes of one message: ws alone would accept 100 MiB
  ...floodLimits,
});

/** What a page may send: {"type":"say","from":"Ada","text":"Hello"}, and no other field. */
const Say = v.strictObject({ type: v.literal("say"), from: Name, text: Text });

// 1. Open
sockets.on("connection", (client) => {
  clients.add(client);
  console.log(`open: ${clients.size} here`);

  // 2. Receive
  client.on("message", (data, isBinary) => {
    if (isBinary) return client.close(1003, "send text");
    if (!withinAllowance(client)) return;
    try {
      const { from, text } = v.parse(Say, JSON.parse(data.toString()));
      names.set(client, from);
      const [, to] = text.match(/^@(\S+)/) ?? [];
      const isFor = (each: WebSocket) => to === undefined || names.get(each) === to;
      if (![...clients].some(isFor)) return refuse(client, `${to} is not here.`);

      // 3. Send. A message that begins with @Grace goes to Grace and to its sender, and to nobody else.
      const message = JSON.stringify({ type: "message", ...log.add(from, text) });
      for (const each of clients) if (isFor(each) || each === client) each.send(message);
    } catch (error) {
      refuse(client, error); // tells this client what was wrong, and keeps the connection open
    }
  });

  // 4. Close
  client.on("close", (code, reason) => {
    clients.delete(client);
    names.delete(client);
    console.log(`close ${code} ${reason}: ${clients.size} here`);
  });

  // Without this listener, one malformed frame would crash the whole server.
  client.on("error", (error) => console.log(`error: ${error.message}`));
});

// Ctrl-C: tell every page that the server is going away.
onShutdown(() => {
  for (const client of clients) client.close(1001, "server going away");
});
