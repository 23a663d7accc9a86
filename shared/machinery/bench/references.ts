// What the lessons' servers are compared with: the same chat, as plain as it can be, sent in other ways.
// node --import tsx shared/machinery/bench/references.ts once
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { Server } from "socket.io";
import * as ws from "ws";
import { type WebSocket, WebSocketServer } from "ws";
import { Audience } from "../../pieces/one-write.ts";

const audience = new Audience();
type Said = { from: string; text: string };
const ways: Record<string, (message: object, clients: Set<WebSocket>) => void> = {
  /** As demos do it: the same text encoded again for each client. */
  each(message, clients) {
    for (const client of clients) if (client.readyState === client.OPEN) client.send(JSON.stringify(message));
  },

  /** The plainest loop that is right. */
  once(message, clients) {
    const bytes = Buffer.from(JSON.stringify(message));
    for (const client of clients)
      if (client.readyState === client.OPEN) client.send(bytes, { binary: false });
  },

  /** The header as well: a server's frames are not masked, so all are the same. ws doesn't promise to allow this. */
  frame(message, clients) {
    const bytes = Buffer.from(JSON.stringify(message));
    const options = { fin: true, opcode: 1, mask: false, rsv1: false, readOnly: true };
    const frame = Buffer.concat(inside(ws).Sender.frame(bytes, options));
    for (const client of clients) if (client.readyState === client.OPEN) inside(client)._socket.write(frame);
  },

  /** Everything that is said in one turn of the event loop as one message, which is encoded, framed and written once. */
  turn: (message) => audience.say(message),
};

/** What ws exports and holds, but its types don't declare. */
type Inside = { _socket: Socket; Sender: { frame(data: Buffer, options: object): Buffer[] } };
const inside = (thing: unknown) => thing as Inside;

const way = process.argv[2] ?? "once";
const server = createServer();
let id = 0;
const stamp = ({ from, text }: Said) => ({ id: ++id, from, text, at: Date.now() });

if (way === "socket.io") {
  const io = new Server(server, { transports: ["websocket"], pingInterval: 600_000, serveClient: false });
  io.on("connection", (client) => client.on("say", (said: Said) => io.emit("message", stamp(said))));
} else {
  const compressed = way === "compressed";
  const sockets = new WebSocketServer({ server, perMessageDeflate: compressed && { threshold: 0 } });
  const toAll = ways[compressed ? "once" : way];
  if (!toAll) throw new Error(`${way}: there is ${Object.keys(ways).join(", ")}, compressed, socket.io`);
  sockets.on("connection", (client, request) => {
    if (way === "turn") audience.join(client, request);
    client.on("error", () => {});
    client.on("message", (data) =>
      toAll({ type: "message", ...stamp(JSON.parse(data.toString())) }, sockets.clients),
    );
  });
}

server.listen({ port: Number(process.env.PORT ?? 0), host: "127.0.0.1", backlog: 1024 }, () => {
  const address = server.address();
  console.log(`listening on http://localhost:${typeof address === "object" && address?.port}`);
});
