// Around a lesson: an HTTP server that listens on this machine, refuses malformed requests, and shuts down cleanly.
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { isHostIgnored, listenAddresses } from "./allowed-hosts.ts";
import { BoundedServer } from "./connections.ts";
import { answer, HttpError, type Routes, sendJson } from "./http.ts";
import { escapeConsole } from "./terminal.ts";

escapeConsole();

/**
 * Serves `routes` over HTTP at PORT (8080 unless the environment says otherwise), on this machine only. Give the result
 * to a WebSocketServer as its `server` to accept WebSockets on the same port: it gets only well-formed handshakes.
 *
 * A connection that stays silent or sends its headers too slowly is closed after 10 s, a slow body after 15 s, and one
 * that reads nothing of its answer after 15 s. Ctrl-C and SIGTERM run what `onShutdown` was given and end the process
 * with exit code 0. A taken port: one line, exit code 1.
 */
export function serve(routes: Routes = { "GET /": upgradeRequired }): Server {
  const all: Routes = { "GET /lesson": sendLesson, ...routes };
  return serveListener((request, response) => void answer(all, request, response));
}

/**
 * The same, with a listener of your own that answers all requests, such as an Express app. It must check their Host and
 * Origin by itself, and answer `GET /lesson` with `sendLesson`. `paths`: where a WebSocket may be opened.
 */
export function serveListener(listener: RequestListener, paths = ["/"]): Server {
  const server = new BoundedServer(paths);
  server.on("request", listener);
  const listeners = listen(server, Number(process.env.PORT ?? 8080));
  closeOnSignal(server, listeners);
  return server;
}

/** Listens on each address at the same port. Returns the listening servers: the first, and those added later. */
function listen(server: BoundedServer, port: number): TcpServer[] {
  const [first, ...others] = listenAddresses();
  const fail = ({ code, message }: NodeJS.ErrnoException) => {
    console.error(
      code === "EADDRINUSE"
        ? `Port ${port} is taken: stop the program that uses it, perhaps a lesson in another terminal, or set PORT=8090.`
        : `Cannot listen on port ${process.env.PORT}: ${message}. Choose another port: PORT=8090.`,
    );
    process.exit(1);
  };
  server.on("error", fail);
  if (isHostIgnored())
    console.error(
      `HOST=${process.env.HOST} has no effect. To let others on your network take part: LAN=1 npm run lesson`,
    );
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    server.emit("error", new Error("PORT must be a whole number up to 65535"));
  const listeners: TcpServer[] = [server];
  let left = others.length;
  server.listen(port, first, () => {
    const { port: bound } = server.address() as { port: number };
    const ready = () => {
      if (left-- === 0) console.log(`listening on http://localhost:${bound} (process ${process.pid})`);
    };
    ready();
    for (const address of others) {
      const other = createTcpServer((socket) => void server.emit("connection", socket));
      other.on("error", (error: NodeJS.ErrnoException) => {
        // No IPv6 on this machine. Or, with PORT=0, some program's outgoing connection has this port there.
        const dispensable = ["EADDRNOTAVAIL", "EAFNOSUPPORT", ...(port === 0 ? ["EADDRINUSE"] : [])];
        if (address === "::1" && dispensable.includes(error.code ?? "")) ready();
        else fail(error);
      });
      other.listen(bound, address, ready);
      listeners.push(other);
    }
  });
  return listeners;
}

/** Answers with the lesson, so that a page can see whether it is its own. The launcher or the file's folder says it. */
export function sendLesson(_request: IncomingMessage, response: ServerResponse) {
  sendJson(response, 200, {
    lesson: process.env.LESSON ?? process.argv[1]?.match(/lessons[\\/]([^\\/]+)/)?.[1],
  });
}

/** What a WebSocket server answers to a request that isn't a handshake. Throws an HttpError. */
export function upgradeRequired(_request: IncomingMessage, response: ServerResponse) {
  response.setHeader("Upgrade", "websocket");
  response.setHeader("Sec-WebSocket-Version", "13");
  response.setHeader("Connection", "Upgrade, close");
  const page = `http://localhost:${process.env.PAGE_PORT ?? 8000}/`;
  throw new HttpError(426, `This is a WebSocket server. Open its page instead: ${page}`);
}

const goodbyes: (() => void)[] = [];

/** Calls `sayGoodbye` when the process is asked to end, by Ctrl-C or SIGTERM. Then it has half a second. */
export function onShutdown(sayGoodbye: () => void): void {
  goodbyes.push(sayGoodbye);
}

function closeOnSignal(server: BoundedServer, listeners: TcpServer[]) {
  let ending = false;
  const end = () => {
    if (ending) process.exit(1);
    ending = true;
    for (const listener of listeners) listener.close();
    server.closeIdleConnections();
    for (const sayGoodbye of goodbyes) sayGoodbye();
    const exitWhenAlone = () => server.open.size === 0 && process.exit(0);
    exitWhenAlone();
    for (const socket of server.open.keys()) socket.on("close", exitWhenAlone);
    // Don't wait for a client that hasn't answered by then.
    setTimeout(() => process.exit(0), 500);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"] as const) {
    // SIGBREAK exists on Windows only.
    if (signal !== "SIGBREAK" || process.platform === "win32") process.on(signal, end);
  }
}
