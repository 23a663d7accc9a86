// Around a lesson: an HTTP server that listens on this machine, refuses what is malformed, and ends in good order.
import { type IncomingMessage, Server, type ServerResponse, STATUS_CODES } from "node:http";
import { createServer as createTcpServer } from "node:net";
import type { Duplex } from "node:stream";
import { listenHost } from "./allowed-hosts.ts";
import { answer, checkHost, HttpError, type Routes } from "./http.ts";

/** In milliseconds. Node 20 closes idle connections after 5 s, later versions after 65 s: here it is the same everywhere. */
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 65_000,
};

/**
 * Serves `routes` over HTTP at PORT (8080 unless the environment says otherwise), on this machine only. Give the result
 * to a WebSocketServer as its `server` to accept WebSockets on the same port: it gets only well-formed handshakes.
 *
 * A connection that stays silent or sends its headers too slowly is closed after 10 s, a slow body after 15 s. Ctrl-C and
 * SIGTERM run what `onShutdown` was given and end the process with exit code 0. A taken port: one line, exit code 1.
 */
export function serve(routes: Routes = { "GET /": upgradeRequired }): Server {
  const server = new LessonServer(limits, (request, response) => void answer(routes, request, response));
  const host = listenHost();
  const port = Number(process.env.PORT ?? 8080);
  server.on("error", (error: NodeJS.ErrnoException) => {
    const taken = error.code === "EADDRINUSE";
    console.error(
      taken
        ? `Port ${port} is taken: stop the program that uses it, perhaps a lesson in another terminal, or set PORT=8090.`
        : `Cannot listen on ${host}:${process.env.PORT}: ${error.message}. Choose another port: PORT=8090.`,
    );
    process.exit(1);
  });
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    server.emit("error", new Error("PORT must be a whole number up to 65535"));
  server.listen(port, host, () => {
    const address = server.address();
    const bound = typeof address === "object" && address ? address.port : port;
    if (host === "127.0.0.1") listenOnIPv6(server, bound);
    console.log(`listening on http://localhost:${bound} (process ${process.pid})`);
  });
  closeOnSignal(server);
  return server;
}

/** `localhost` is 127.0.0.1 to some programs and ::1 to others. Does nothing on a machine without IPv6. */
function listenOnIPv6(server: Server, port: number) {
  const second = createTcpServer((socket) => void server.emit("connection", socket));
  second.on("error", () => {});
  second.listen(port, "::1");
  server.on("close", () => second.close());
}

async function upgradeRequired(_request: IncomingMessage, response: ServerResponse) {
  response.setHeader("Upgrade", "websocket");
  response.setHeader("Connection", "Upgrade");
  throw new HttpError(426, "A WebSocket server: open its page instead, http://localhost:8000/");
}

/** Answers malformed handshakes itself (RFC 6455 §4.2.1), so that a WebSocketServer only sees the others. */
class LessonServer extends Server {
  override emit(event: string, ...args: unknown[]): boolean {
    if (event === "upgrade") {
      const [request, socket] = args as [IncomingMessage, Duplex];
      // Not a function made here: it would keep the request in memory for as long as the socket lives.
      socket.on("error", ignore);
      const fault = faultOf(request);
      if (fault) {
        refuseHandshake(socket, fault);
        return true;
      }
    }
    return super.emit(event, ...args);
  }
}

function ignore() {}

function faultOf(request: IncomingMessage): HttpError | undefined {
  try {
    checkHost(request);
  } catch (error) {
    return error as HttpError;
  }
  if (request.url?.split("?")[0] !== "/") return new HttpError(404, "Connect to /.");
  // ws would accept version 8 too, which has no Origin header to check.
  if (request.method === "GET" && request.headers["sec-websocket-version"] !== "13")
    return new HttpError(426, "Use version 13 (RFC 6455).");
}

function refuseHandshake(socket: Duplex, { status, message }: HttpError) {
  const version = status === 426 ? "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" : "";
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${version}` +
      `Content-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

const goodbyes: (() => void)[] = [];

/** Calls `sayGoodbye` when the process is asked to end, by Ctrl-C or SIGTERM. Then it has half a second. */
export function onShutdown(sayGoodbye: () => void): void {
  goodbyes.push(sayGoodbye);
}

function closeOnSignal(server: Server) {
  const connections = new Set<Duplex>();
  server.on("connection", (socket: Duplex) => {
    connections.add(socket);
    socket.on("close", () => {
      connections.delete(socket);
      if (ending && connections.size === 0) process.exit(0);
    });
  });
  let ending = false;
  const end = () => {
    if (ending) process.exit(1);
    ending = true;
    server.close();
    server.closeIdleConnections();
    for (const sayGoodbye of goodbyes) sayGoodbye();
    if (connections.size === 0) process.exit(0);
    // A client that hasn't answered by then is not waited for.
    setTimeout(() => {
      for (const socket of connections) socket.destroy();
    }, 500);
    setTimeout(() => process.exit(0), 2_000).unref();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"] as const) {
    // SIGBREAK exists on Windows only.
    if (signal !== "SIGBREAK" || process.platform === "win32") process.on(signal, end);
  }
}
