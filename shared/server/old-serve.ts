// Listening and ending: what every lesson's server does around its lesson.
import { createServer, type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocketServer } from "ws";
import { answer, checkHost, HttpError, type Routes } from "./old-http.ts";
import { isOurPage, listenHost } from "./old-ours.ts";

/**
 * Serves `routes` over HTTP and opens `sockets` to handshakes on `/`, at PORT (8080) on HOST (this machine only).
 * Connections that stay silent or send their headers too slowly are ended after 10 s, slow bodies after 15 s.
 * Ctrl-C or SIGTERM: sockets are closed with 1001, the process exits 0. A taken port: one line, exit 1.
 */
export function serve({ routes = {}, sockets }: { routes?: Routes; sockets?: WebSocketServer }): Server {
  const limits = { headersTimeout: 10_000, requestTimeout: 15_000, connectionsCheckingInterval: 1_000 };
  // Node 20 closes idle connections after 5 s, later ones after 65 s: the same everywhere.
  const server = createServer({ ...limits, keepAliveTimeout: 65_000 });
  server.on("request", (request, response) => {
    if (sockets) response.setHeader("Upgrade", "websocket");
    void answer(sockets ? { "GET /": upgradeRequired, ...routes } : routes, request, response);
  });
  if (sockets) server.on("upgrade", (request, socket, head) => shakeHands(sockets, request, socket, head));

  const host = listenHost();
  const port = Number(process.env.PORT ?? 8080);
  server.on("error", (error: NodeJS.ErrnoException) => {
    const taken = error.code === "EADDRINUSE";
    console.error(
      taken
        ? `Port ${port} is taken: end the program that uses it, or choose another with PORT=8090.`
        : `Cannot listen on ${host}:${process.env.PORT}: ${error.message}. Choose another with PORT=8090.`,
    );
    process.exit(1);
  });
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    server.emit("error", new Error("PORT must be a whole number up to 65535"));
  server.listen(port, host, () => {
    const address = server.address();
    const bound = typeof address === "object" && address ? address.port : port;
    console.log(`listening on http://localhost:${bound} (process ${process.pid})`);
  });
  endGracefully(server, sockets);
  return server;
}

async function upgradeRequired() {
  throw new HttpError(426, "A WebSocket server: open its page instead, http://localhost:8000/");
}

/** Checks who is asking before ws answers the handshake (RFC 6455 §4.2): a foreign page may not speak for our reader. */
function shakeHands(sockets: WebSocketServer, request: IncomingMessage, socket: Duplex, head: Buffer) {
  // Not a function made here: it would keep the request in memory for as long as the socket lives.
  socket.on("error", ignore);
  const { origin, "sec-websocket-version": version } = request.headers;
  try {
    checkHost(request);
  } catch (error) {
    return refuse(socket, (error as HttpError).status, (error as HttpError).message);
  }
  if (request.url?.split("?")[0] !== "/") return refuse(socket, 404, "Connect to /.");
  if (origin !== undefined && !isOurPage(origin))
    return refuse(socket, 403, "Only the workshop's own page may connect.");
  // ws would take version 8 too, which has no Origin header to check.
  if (request.method === "GET" && version !== "13")
    return refuse(
      socket,
      426,
      "Use version 13 (RFC 6455).",
      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    );
  sockets.handleUpgrade(request, socket, head, (client) => sockets.emit("connection", client, request));
}

function ignore() {}

function refuse(socket: Duplex, status: number, reason: string, header = "") {
  const body = `${reason}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${header}` +
      `Content-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function endGracefully(server: Server, sockets?: WebSocketServer) {
  let ending = false;
  const end = () => {
    if (ending) process.exit(1);
    ending = true;
    server.close(() => process.exit(0));
    server.closeIdleConnections();
    for (const client of sockets?.clients ?? []) client.close(1001, "server going away");
    // Who has not said goodbye by then is not waited for.
    setTimeout(() => {
      for (const client of sockets?.clients ?? []) client.terminate();
      server.closeAllConnections();
    }, 500);
    setTimeout(() => process.exit(0), 2_000).unref();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"] as const) {
    // SIGBREAK exists on Windows only.
    if (signal !== "SIGBREAK" || process.platform === "win32") process.on(signal, end);
  }
}
