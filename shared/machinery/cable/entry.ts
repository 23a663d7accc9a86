// What the cable reports about what passes: plain JSON, for the browser as well.

/** "up": from the page to the server. "down": from the server to the page. */
export type Direction = "up" | "down";

/** The beginning of a payload, at most 256 bytes of it. */
export type Preview = { text: string } | { hex: string };

/** Header fields in the order of the wire, at most 8 KiB of them. */
export type Headers = [name: string, value: string][];

/** How the end of a body is known (RFC 9112 §6.3). */
export type Framing = "none" | "content-length" | "chunked" | "until close";

/** A TCP connection begins: the cable has accepted the page's side. */
export type ConnectionOpen = { kind: "connection-open" };

/** One side ends a TCP connection. A connection has at most one FIN from each side, or one RST. */
export type ConnectionEnd = {
  kind: "connection-end";
  how: "FIN" | "RST";
  by: "page" | "server" | "cable";
  /** Whether this ends the connection. After one FIN the other direction may go on. */
  last: boolean;
  why?: string;
};

type Body = {
  framing: Framing;
  /** Start line and header fields, with the empty line. */
  headerBytes: number;
  /** Bytes of the body so far; the whole body, if `complete`. */
  payloadBytes: number;
  /** False: the rest follows in `body` entries, or never arrives. */
  complete: boolean;
  preview: Preview;
  headers: Headers;
  headersCut: boolean;
};

export type HttpRequest = Body & {
  kind: "request";
  direction: "up";
  method: string;
  path: string;
  /** 1 for the first request on its TCP connection. More means that the connection was used again. */
  nth: number;
  /** The Upgrade header's value, if it asks for another protocol. */
  upgrade?: string;
};

export type HttpResponse = Body & {
  kind: "response";
  direction: "down";
  status: number;
  reason: string;
  /** The request's method and path, and its `id` if it has been reported. Absent if there was no request. */
  to?: { id: number; method: string; path: string };
  /** From the request's last byte to the response's head, in ms. */
  heldMs?: number;
  /** The request asked for an upgrade and got this instead. */
  upgradeRefused?: true;
};

/** One chunk of a chunked body (RFC 9112 §7.1), or the end of a body that was announced as not complete. */
export type HttpBody = {
  kind: "body";
  direction: Direction;
  /** The `id` of the request or response it belongs to. */
  of: number;
  /** Chunk size line and line ends; trailers. */
  headerBytes: number;
  payloadBytes: number;
  preview: Preview;
  /** The body ends here. */
  last: boolean;
  /** It ended before it was complete. */
  missing?: true;
};

/** The 101 that turns HTTP into WebSocket (RFC 6455 §4.2.2). */
export type Handshake = Omit<HttpResponse, "kind" | "framing" | "complete" | "preview" | "upgradeRefused"> & {
  kind: "handshake";
  /** The header fields of the request, which `headers` answers. */
  requestHeaders: Headers;
  subprotocol?: string;
  extensions?: string;
};

export type FrameName = "continuation" | "text" | "binary" | "close" | "ping" | "pong";

/** One WebSocket frame (RFC 6455 §5.2). */
export type Frame = {
  kind: "frame";
  direction: Direction;
  name: FrameName;
  opcode: number;
  fin: boolean;
  rsv1: boolean;
  rsv2: boolean;
  rsv3: boolean;
  masked: boolean;
  /** How many bits the length takes. */
  lengthBits: 7 | 16 | 64;
  headerBytes: number;
  payloadBytes: number;
  /** The header as it was on the wire, 2 to 14 bytes in hex: the masking key is its last four bytes. */
  header: string;
  /** Deflated (RFC 7692): the first frame of its message has RSV1 and permessage-deflate was agreed. */
  compressed: boolean;
  /** For a continuation: what it continues. */
  continues?: "text" | "binary";
  close?: { code: number; reason: string };
  /** Unmasked. */
  preview: Preview;
  /** A protocol fault that leaves the frame readable, with its section of RFC 6455. */
  wrong?: string;
  /** Bytes of the payload that never arrived: the connection ended within the frame. */
  missingBytes?: number;
};

/** Reported once for each direction. From here on its bytes pass, but are not read. */
export type NotUnderstood = {
  kind: "not-understood";
  direction: Direction;
  why: string;
  preview: Preview;
};

/** A command that the cable carried out. */
export type Commanded = { kind: "command"; text: string };

/** The server's process: "starting", "running (pid 4711)", "killed", … */
export type ServerEvent = { kind: "server"; text: string };

/** Everything that can be seen, before it is numbered. */
export type Seen =
  | ConnectionOpen
  | ConnectionEnd
  | HttpRequest
  | HttpResponse
  | HttpBody
  | Handshake
  | Frame
  | NotUnderstood
  | Commanded
  | ServerEvent;

export type Entry = Seen & {
  /** Rises by one with each entry. */
  id: number;
  /** Since the cable started, by a clock that never steps. */
  atMs: number;
  /** The TCP connection's number, from 1. 0: it concerns all connections. */
  connection: number;
};

/** Sums for one direction. Bytes that were not understood are in `bytes` only. */
export type Flow = {
  bytes: number;
  /** HTTP heads, chunk framing and frame headers. */
  headerBytes: number;
  /** HTTP bodies and frame payloads. */
  payloadBytes: number;
  frames: number;
};

export type Counts = { connections: number; requests: number; up: Flow; down: Flow };

export function noCounts(): Counts {
  const nothing = { bytes: 0, headerBytes: 0, payloadBytes: 0, frames: 0 };
  return { connections: 0, requests: 0, up: { ...nothing }, down: { ...nothing } };
}
