// What one connection may take from the others: one request at a time, a bounded answer, one of a bounded number of places.
import { type IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Allowance } from "./allowance.ts";
import { checkHost, HttpError, letOurPageRead, sendJson } from "./http.ts";
import { printAtMostTenASecond, printable } from "./terminal.ts";
import { Turns } from "./turns.ts";

/** In milliseconds. Node 20 closes idle connections after 5 s, later versions after 65 s: here it is the same everywhere. */
const timeouts = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 65_000,
};

/**
 * Connections at the same time. The benchmark, with its 10,000 clients, asks for more. One client can take all of them:
 * through the cable everyone has the same address, so the server can't tell such a client from a class.
 */
const maxConnections = Number(process.env.MAX_CONNECTIONS ?? 2_000);

/**
 * Requests that one connection may send together, and how many a second after that: a page that asks every 100 ms sends
 * ten. Counted for each connection, since through the cable everyone in a room has the same address.
 */
const burst = 5_000;
const requestsPerSecond = 200;

/** Bytes that a client doesn't read wait in our memory. Above this many, its connection is ended … */
const maxUnread = 4 * 1024 * 1024;
/** … and also when the client has read none of them for this many seconds. */
const maxStalledSeconds = 15;

const tolerated = new WeakSet<Socket>();

/** From now on, this connection isn't ended for what its client leaves unread. The caller must bound that. */
export function tolerateUnread(socket: Socket): void {
  tolerated.add(socket);
}

type Progress = {
  delivered: number;
  queued: number;
  stalledSeconds: number;
  recentRequests: number;
  /** Requests that it may still send. */
  allowance: Allowance;
};
type Exchange = [request: IncomingMessage, response: ServerResponse];

/** An HTTP server that gives each request and each handshake to its listeners only when it is in order. */
export class BoundedServer extends Server {
  /** All connections that are open, on any address. */
  readonly open = new Map<Socket, Progress>();
  readonly #excess = new WeakSet<Socket>();
  readonly #answering = new WeakSet<Socket>();
  readonly #turns = new Turns();
  readonly #printRefusal = printAtMostTenASecond();
  readonly #paths: string[];

  /** `paths`: where a WebSocket may be opened. A handshake for another path is answered as a request. */
  constructor(paths = ["/"]) {
    super(timeouts);
    this.#paths = paths;
    setInterval(() => this.#everySecond(), 1_000).unref();
  }

  override emit(event: string, ...args: unknown[]): boolean {
    if (event === "connection" && !this.#admit(args[0] as Socket)) return true;
    if (event === "request") {
      if (this.#begin(args as Exchange)) this.#answerInTurn(args as Exchange);
      return true;
    }
    if (event === "upgrade") return this.#upgrade(args as [IncomingMessage, Socket, Buffer]);
    return super.emit(event, ...args);
  }

  /** One connection too many gets a 503 when it asks for something. If there are too many of those, it is dropped. */
  #admit(socket: Socket): boolean {
    if (this.open.size >= 2 * maxConnections) {
      socket.destroy();
      return false;
    }
    if (this.open.size >= maxConnections) this.#excess.add(socket);
    this.open.set(socket, {
      delivered: 0,
      queued: 0,
      stalledSeconds: 0,
      recentRequests: 0,
      allowance: new Allowance(burst, requestsPerSecond),
    });
    socket.on("close", () => this.open.delete(socket));
    return true;
  }

  /**
   * One request at a time: a client that sends the next one before it has its answer is disconnected. Browsers don't do
   * that, and a single packet could hold hundreds of requests for the whole log.
   */
  #begin([request, response]: Exchange): boolean {
    const { socket } = request;
    if (socket.destroyed || this.#answering.has(socket)) {
      socket.destroy();
      stopParsing(socket);
      return false;
    }
    this.#answering.add(socket);
    // Emitted when the answer has left or the connection is closed, and never before the packet is read to its end.
    response.once("close", () => this.#answering.delete(socket));
    if (!this.#excess.has(socket)) return true;
    response.setHeader("Retry-After", "5");
    response.setHeader("Connection", "close");
    letOurPageRead(request, response);
    sendJson(response, 503, { error: `Already ${maxConnections} connections. Try again later.` });
    return false;
  }

  /** Answers in a turn of the event loop that no other request has. */
  #answerInTurn(exchange: Exchange) {
    const { socket } = exchange[0];
    const progress = this.open.get(socket);
    if (!progress) return;
    this.#turns.take(progress.recentRequests, () => {
      // It may have been closed while its request waited. "close" comes only at the end of a turn.
      if (!this.open.has(socket) || socket.destroyed) return false;
      progress.recentRequests++;
      if (progress.allowance.take()) super.emit("request", ...exchange);
      else this.#refuse(exchange);
      return true;
    });
  }

  /** The connection stays: on a new one, the allowance would be full again. */
  #refuse([request, response]: Exchange) {
    letOurPageRead(request, response);
    response.setHeader("Retry-After", "1");
    sendJson(response, 429, {
      error: `Too many requests: wait a second, then send at most ${requestsPerSecond} a second.`,
    });
  }

  /** Whether a WebSocket may be opened with this handshake. Any other request gets its answer. */
  protected mayOpen(request: IncomingMessage): boolean {
    return isOurHost(request) && this.#paths.includes(request.url?.split("?")[0] ?? "");
  }

  /** Only a well-formed handshake (RFC 6455 §4.2.1) reaches the WebSocketServer. */
  #upgrade([request, socket, head]: [IncomingMessage, Socket, Buffer]): boolean {
    // Not a function made here: it would keep the request in memory for as long as the socket lives.
    socket.on("error", ignore);
    if (this.#answering.has(socket)) socket.destroy();
    if (socket.destroyed) return true;
    if (!isHandshake(request) || !this.mayOpen(request) || this.#excess.has(socket)) {
      this.#answerInstead(request, socket);
      return true;
    }
    super.emit("upgrade", request, socket, head);
    if (socket.writableEnded) this.#printRefused(request, "");
    return true;
  }

  /** Node has stopped reading HTTP from this connection, so it ends with the answer. */
  #answerInstead(request: IncomingMessage, socket: Socket) {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.on("finish", () => {
      socket.destroySoon();
      if (isWebSocket(request)) this.#printRefused(request, `, answered with ${response.statusCode}`);
    });
    this.emit("request", request, response);
  }

  #printRefused({ method, url, headers }: IncomingMessage, answer: string) {
    const { host = "none", origin = "none" } = headers;
    const line = `refused a handshake: ${method} ${url}, Host ${host}, Origin ${origin}${answer}`;
    this.#printRefusal(printable(line.slice(0, 300)));
  }

  /** Counts its own checks, one a second, instead of clock time: time when the computer was asleep must not count. */
  #everySecond() {
    for (const [socket, progress] of this.open) {
      progress.recentRequests /= 2;
      if (socket.writableLength === 0 || tolerated.has(socket)) {
        progress.stalledSeconds = 0;
        continue;
      }
      const delivered = socket.bytesWritten - socket.writableLength;
      const queued = queuedBytes(socket);
      const stands = delivered === progress.delivered && queued === progress.queued;
      Object.assign(progress, {
        delivered,
        queued,
        stalledSeconds: stands ? progress.stalledSeconds + 1 : 0,
      });
      if (progress.stalledSeconds >= maxStalledSeconds || socket.writableLength > maxUnread) socket.destroy();
    }
  }
}

/** The bytes of the present write that the system hasn't taken yet. Node's own time-outs use this number, too. */
function queuedBytes(socket: Socket): number {
  return (socket as { _handle?: { writeQueueSize?: number } | null })._handle?.writeQueueSize ?? 0;
}

/**
 * Leaves the rest of a packet unparsed. Node would parse all requests in it, although their connection is destroyed:
 * with 40 packets of a thousand requests each, that takes half a second. Undocumented, so it is also right without this.
 */
function stopParsing(socket: Socket) {
  const { parser } = socket as { parser?: { onIncoming: unknown } | null };
  // What Node itself returns for an upgrade. It means that the bytes after this head are not HTTP.
  if (parser) parser.onIncoming = () => 2;
}

function ignore() {}

const isWebSocket = ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === "websocket";

/** A key is left to the WebSocketServer. It would also accept version 8, which has no Origin header to check. */
const isHandshake = (request: IncomingMessage) =>
  isWebSocket(request) && request.method === "GET" && request.headers["sec-websocket-version"] === "13";

function isOurHost(request: IncomingMessage): boolean {
  try {
    checkHost(request);
    return true;
  } catch (error) {
    if (error instanceof HttpError) return false;
    throw error;
  }
}
