// Reads what a connection carries: requests and their responses, an upgrade, and then WebSocket frames.
import type { Counts, Direction, HttpRequest, HttpResponse, Seen } from "./entry.ts";
import { FrameReader } from "./frames.ts";
import {
  type BodyLength,
  boundedHeaders,
  type Head,
  headerTokens,
  headerValue,
  parseRequestLine,
  parseStatusLine,
  requestBody,
  responseBody,
  type Unreadable,
} from "./http-head.ts";
import { type BodyPart, MessageReader, type Next } from "./http-message.ts";
import { hexPreview, previewOf } from "./preview.ts";

const mostUnanswered = 1000; // requests without a response

type Request = {
  entry: Omit<HttpRequest, "payloadBytes" | "complete" | "preview">;
  /** The entry's number, once it has been reported. */
  id: number | undefined;
  /** When its latest byte passed. */
  doneMs: number;
};

type Response = {
  entry: Omit<HttpResponse, "payloadBytes" | "complete" | "preview">;
  /** The request it answers, if there was one. */
  to: Request | undefined;
  id: number;
};

/**
 * Reports each message and frame of one TCP connection with `tell`, which returns the entry's number, and adds to
 * `counts`. `nowMs` is a monotonic clock.
 */
export class ConnectionReader {
  readonly #counts: Counts;
  readonly #nowMs: () => number;
  readonly #tell: (seen: Seen) => number;
  readonly #up: MessageReader;
  readonly #down: MessageReader;
  /** Requests that have no response yet, the oldest first. */
  readonly #unanswered: Request[] = [];
  #requests = 0;
  /** The latest of each direction. */
  #request: Request | undefined;
  #response: Response | undefined;

  constructor(counts: Counts, nowMs: () => number, tell: (seen: Seen) => number) {
    this.#counts = counts;
    this.#nowMs = nowMs;
    this.#tell = tell;
    this.#up = new MessageReader("up", counts.up, {
      head: (head) => this.#startRequest(head),
      message: (body, complete) => this.#tellRequest(body, complete),
      part: (part, last, missing) => {
        if (this.#request) this.#request.doneMs = nowMs();
        this.#tellBody("up", this.#request?.id, part, last, missing);
      },
      next: () => this.#afterRequest(),
      stop: (why, bytes) => this.#tellNotUnderstood("up", why, bytes),
    });
    this.#down = new MessageReader("down", counts.down, {
      head: (head) => this.#startResponse(head),
      message: (body, complete) => this.#tellResponse(body, complete),
      part: (part, last, missing) => this.#tellBody("down", this.#response?.id, part, last, missing),
      next: () => this.#afterResponse(),
      stop: (why, bytes) => {
        this.#tellNotUnderstood("down", why, bytes);
        // Without the responses, nobody knows what follows a request for an upgrade.
        if (this.#unanswered.some(({ entry }) => entry.upgrade !== undefined || entry.method === "CONNECT"))
          this.#up.stop("the answer was not understood");
      },
    });
  }

  /** Takes a copy of the bytes that pass. A request has to come before its response. */
  read(direction: Direction, bytes: Buffer): void {
    (direction === "up" ? this.#up : this.#down).read(bytes);
  }

  /** This direction has ended. */
  end(direction: Direction): void {
    (direction === "up" ? this.#up : this.#down).end();
  }

  #startRequest(head: Head): BodyLength | Unreadable {
    const line = parseRequestLine(head);
    if (!line) return { stop: "no request line (RFC 9112 §3)" };
    if (this.#unanswered.length >= mostUnanswered)
      return { stop: `${mostUnanswered} requests without a response` };
    const body = requestBody(head.headers);
    if ("stop" in body) return body;
    this.#counts.requests++;
    const entry: Request["entry"] = {
      kind: "request",
      direction: "up",
      ...line,
      nth: ++this.#requests,
      framing: body.framing,
      headerBytes: head.headerBytes,
      ...boundedHeaders(head.headers),
    };
    const upgrade = headerValue(head.headers, "upgrade");
    if (upgrade !== undefined && headerTokens(head.headers, "connection").includes("upgrade"))
      entry.upgrade = upgrade;
    this.#request = { entry, id: undefined, doneMs: this.#nowMs() };
    this.#unanswered.push(this.#request);
    return body;
  }

  #tellRequest({ payloadBytes, beginning }: BodyPart, complete: boolean): void {
    const request = this.#request;
    if (!request) return;
    request.doneMs = this.#nowMs();
    request.id = this.#tell({ ...request.entry, payloadBytes, complete, preview: previewOf(beginning) });
  }

  /** After a request for an upgrade, the server decides what the next bytes are. */
  #afterRequest(): Next | "held" {
    const request = this.#request;
    const waits = request?.entry.upgrade !== undefined && this.#unanswered.includes(request);
    return waits ? "held" : "head";
  }

  #startResponse(head: Head): BodyLength | Unreadable {
    const line = parseStatusLine(head);
    if (!line) return { stop: "no status line (RFC 9112 §4)" };
    const { status } = line;
    const to = this.#unanswered[0];
    // A server may answer before the request is complete. The request is still listed first.
    if (to && to.id === undefined) this.#up.reportNow();
    if (status === 101 && to?.entry.upgrade?.toLowerCase() !== "websocket")
      return { stop: "101 to something other than a WebSocket handshake" };
    if (to?.entry.method === "CONNECT" && status >= 200 && status < 300)
      return { stop: "a tunnel (RFC 9110 §9.3.6)" };
    const body = responseBody(head.headers, status, to?.entry.method);
    if ("stop" in body) return body;
    const entry: Response["entry"] = {
      kind: "response",
      direction: "down",
      ...line,
      framing: body.framing,
      headerBytes: head.headerBytes,
      ...boundedHeaders(head.headers),
      ...(to && this.#answerTo(to, status)),
    };
    this.#response = { entry, to, id: 0 };
    // After another 1xx the real response is still to come.
    if (status >= 200 || status === 101) this.#unanswered.shift();
    return body;
  }

  #answerTo({ entry, id, doneMs }: Request, status: number): Pick<HttpResponse, "to" | "heldMs"> {
    return {
      to: { id: id ?? 0, method: entry.method, path: entry.path },
      heldMs: Math.round((this.#nowMs() - doneMs) * 100) / 100,
      ...(entry.upgrade !== undefined && status >= 200 && { upgradeRefused: true }),
    };
  }

  #tellResponse({ payloadBytes, beginning }: BodyPart, complete: boolean): void {
    const response = this.#response;
    if (!response) return;
    const { entry, to } = response;
    if (entry.status === 101 && to) this.#tellHandshake(entry, to);
    else response.id = this.#tell({ ...entry, payloadBytes, complete, preview: previewOf(beginning) });
  }

  #tellHandshake(entry: Response["entry"], to: Request): void {
    const { kind: _, framing: __, upgradeRefused: ___, ...rest } = entry;
    const subprotocol = headerValue(entry.headers, "sec-websocket-protocol");
    const extensions = headerValue(entry.headers, "sec-websocket-extensions");
    this.#tell({
      kind: "handshake",
      ...rest,
      payloadBytes: 0,
      requestHeaders: to.entry.headers,
      ...(subprotocol !== undefined && { subprotocol }),
      ...(extensions !== undefined && { extensions }),
    });
  }

  #afterResponse(): Next {
    if (!this.#response) return "head";
    const { entry, to } = this.#response;
    if (entry.status === 101) return this.#startFrames(entry);
    if (entry.status >= 200 && to?.entry.upgrade !== undefined) this.#up.go("head");
    return "head";
  }

  /** Both directions carry WebSocket frames from here on. */
  #startFrames({ headers }: Response["entry"]): FrameReader {
    const extensions = headerTokens(headers, "sec-websocket-extensions");
    const deflate = extensions.some((one) => one.startsWith("permessage-deflate"));
    this.#up.go(new FrameReader("up", deflate, this.#counts.up, this.#tell));
    return new FrameReader("down", deflate, this.#counts.down, this.#tell);
  }

  #tellBody(
    direction: Direction,
    of: number | undefined,
    { headerBytes, payloadBytes, beginning }: BodyPart,
    last: boolean,
    missing: boolean,
  ): void {
    this.#tell({
      kind: "body",
      direction,
      of: of ?? 0,
      headerBytes,
      payloadBytes,
      preview: previewOf(beginning),
      last,
      ...(missing && { missing }),
    });
  }

  #tellNotUnderstood(direction: Direction, why: string, bytes: Buffer): void {
    this.#tell({ kind: "not-understood", direction, why, preview: hexPreview(bytes) });
  }
}
