// What lesson 10 is compared with: each event of each mouse is sent to everybody else immediately, as JSON.
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";

const server = createServer();
const sockets = new WebSocketServer({ server });
let lastId = 0;

sockets.on("connection", (client) => {
  const id = ++lastId;
  client.on("error", () => {});
  client.on("message", (data) => {
    const { x, y } = JSON.parse(data.toString());
    const text = JSON.stringify({ type: "move", id, x, y });
    for (const other of sockets.clients)
      if (other !== client && other.readyState === WebSocket.OPEN) other.send(text);
  });
});

server.listen({ port: Number(process.env.PORT ?? 0), host: "127.0.0.1", backlog: 1024 }, () => {
  const address = server.address();
  console.log(`listening on http://localhost:${typeof address === "object" && address?.port}`);
});
