// Reads the HTTP/1.1 messages of one direction, however their bytes are split (RFC 9112 §2, §6, §7).
import { Collector } from "./collector.ts";
import type { Direction, Flow, Framing } from "./entry.ts";
import type { FrameReader } from "./frames.ts";
import { type BodyLength, type Head, parseHead, type Unreadable } from "./http-head.ts";
import { previewBytes } from "./preview.ts";

const longestHead = 64 * 1024;
const longestLine = 8 * 1024; // of a chunk's size or a trailer
/** A body up to this length is reported together with its head. A longer one is reported when it has passed. */
const shortBody = 64 * 1024;

/** `beginning` is valid only until the hook returns. */
export type BodyPart = { headerBytes: number; payloadBytes: number; beginning: Buffer };

/** What a reader reports, in this order for each message. */
export type MessageHooks = {
  /** A head has arrived. Returns how long the body is, or why that can't be known. */
  head(head: Head): BodyLength | Unreadable;
  /** The body is `complete`; or it takes longer, and the rest is reported in parts. */
  message(body: BodyPart, complete: boolean): void;
  /** A chunk, or the rest of a body whose message has already been reported. `missing`: it ended too early. */
  part(part: BodyPart, last: boolean, missing: boolean): void;
  /** The message is complete. Returns what comes next; "held": not known yet, see `go`. */
  next(): Next | "held";
  /** The bytes can't be read any further. */
  stop(why: string, bytes: Buffer): void;
};

export type Next = "head" | FrameReader;

type State =
  | "head"
  | "body"
  | "chunk size"
  | "chunk"
  | "chunk end"
  | "trailers"
  | "held"
  | "frames"
  | "stopped";

/** Never throws, and holds at most 64 KiB. Adds to `flow` what it has read. */
export class MessageReader {
  readonly #direction: Direction;
  readonly #flow: Flow;
  readonly #hooks: MessageHooks;
  readonly #collector = new Collector();
  #state: State = "head";
  #frames: FrameReader | undefined;
  #framing: Framing = "none";
  /** Bytes of the body or chunk that have yet to arrive. */
  #left = 0;
  /** Whether the current message has been reported. */
  #reported = true;
  // What has been read since the last report.
  #headerBytes = 0;
  #payloadBytes = 0;
  readonly #beginning = Buffer.alloc(previewBytes);
  #kept = 0; // bytes in #beginning

  constructor(direction: Direction, flow: Flow, hooks: MessageHooks) {
    this.#direction = direction;
    this.#flow = flow;
    this.#hooks = hooks;
  }

  read(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0 && this.#state !== "stopped") rest = this.#step(rest);
  }

  /** The direction has ended. */
  end(): void {
    const state = this.#state;
    if (state === "stopped") return;
    if (state === "frames") this.#frames?.end();
    else if (state === "head" && !this.#collector.isEmpty)
      this.#stop("the connection ended within a head", this.#collector.take());
    else if (state === "body" && this.#framing === "until close") this.#finish();
    else if (state !== "head" && state !== "held") this.#finish(true);
    this.#state = "stopped";
  }

  /** Reports the current message even if its body isn't complete. */
  reportNow(): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#hooks.message(this.#takePart(), false);
  }

  /** After "held": reads what has arrived meanwhile, and everything that follows. */
  go(next: Next): void {
    if (this.#state === "held") this.#start(next);
  }

  /** Stops reading. */
  stop(why: string): void {
    this.#stop(why, Buffer.alloc(0));
  }

  /** Reads as much of `bytes` as belongs to the current step, and returns the rest. */
  #step(bytes: Buffer): Buffer {
    switch (this.#state) {
      case "head":
        return this.#readHead(bytes);
      case "body":
        return this.#readBody(bytes);
      case "chunk size":
        return this.#readChunkSize(bytes);
      case "chunk":
        return this.#readChunk(bytes);
      case "chunk end":
        return this.#readChunkEnd(bytes);
      case "trailers":
        return this.#readTrailer(bytes);
      case "held":
        return this.#hold(bytes);
      case "frames":
        this.#frames?.read(bytes);
        return nothingOf(bytes);
      case "stopped":
        return nothingOf(bytes);
    }
  }

  #readHead(bytes: Buffer): Buffer {
    if (this.#collector.isEmpty) {
      const first = bytes[0] ?? 0;
      if (first === 13 || first === 10) {
        // Empty lines before a start line are skipped (RFC 9112 §2.2).
        this.#flow.headerBytes++;
        return bytes.subarray(1);
      }
      if (!canStartHead(first, this.#direction)) {
        this.#stop("this is not HTTP", bytes);
        return bytes;
      }
    }
    const [head, rest] = this.#collect("\r\n\r\n", bytes, longestHead, "a head");
    if (head) this.#startMessage(head);
    return rest;
  }

  #startMessage(bytes: Buffer): void {
    const head = parseHead(bytes);
    const body = head ? this.#hooks.head(head) : { stop: "no HTTP head (RFC 9112 §2.1)" };
    if ("stop" in body) {
      this.#stop(body.stop, bytes);
      return;
    }
    if (this.#state === "stopped") return;
    this.#flow.headerBytes += bytes.length;
    this.#framing = body.framing;
    this.#left = body.length;
    this.#reported = false;
    const { framing, length } = body;
    if (framing === "chunked" || framing === "until close" || length > shortBody) this.reportNow();
    if (framing === "chunked") this.#state = "chunk size";
    else if (length > 0) this.#state = "body";
    else this.#finish();
  }

  /** A body with a Content-Length, or one that ends with the connection. */
  #readBody(bytes: Buffer): Buffer {
    const rest = this.#readPayload(bytes);
    if (this.#left === 0) this.#finish();
    return rest;
  }

  #readChunkSize(bytes: Buffer): Buffer {
    const [line, rest] = this.#collect("\r\n", bytes, longestLine, "a chunk size");
    if (!line) return rest;
    const size = /^([0-9a-f]{1,13})[ \t]*(?:;.*)?\r\n$/i.exec(line.toString("latin1"))?.[1];
    if (size === undefined) {
      this.#stop("no chunk size (RFC 9112 §7.1)", line);
      return rest;
    }
    this.#countHeader(line.length);
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left > 0 ? "chunk" : "trailers";
    return rest;
  }

  #readChunk(bytes: Buffer): Buffer {
    const rest = this.#readPayload(bytes);
    if (this.#left === 0) this.#state = "chunk end";
    return rest;
  }

  #readChunkEnd(bytes: Buffer): Buffer {
    const [line, rest] = this.#collect("\r\n", bytes, longestLine, "a chunk");
    if (!line) return rest;
    if (line.length > 2) {
      this.#stop("a chunk longer than its size (RFC 9112 §7.1)", line);
      return rest;
    }
    this.#countHeader(line.length);
    this.#state = "chunk size";
    this.#hooks.part(this.#takePart(), false, false);
    return rest;
  }

  #readTrailer(bytes: Buffer): Buffer {
    const [line, rest] = this.#collect("\r\n", bytes, longestLine, "a trailer");
    if (!line) return rest;
    this.#countHeader(line.length);
    if (line.length === 2) this.#finish();
    return rest;
  }

  #hold(bytes: Buffer): Buffer {
    if (!this.#collector.add(bytes, longestHead))
      this.#stop("more than 64 KiB before the upgrade was answered", bytes);
    return nothingOf(bytes);
  }

  /** Takes what `bytes` has of the body or chunk. */
  #readPayload(bytes: Buffer): Buffer {
    const length = Math.min(this.#left, bytes.length);
    if (this.#kept < previewBytes) this.#kept += bytes.copy(this.#beginning, this.#kept, 0, length);
    this.#payloadBytes += length;
    this.#flow.payloadBytes += length;
    this.#left -= length;
    return bytes.subarray(length);
  }

  #finish(missing = false): void {
    if (this.#reported) this.#hooks.part(this.#takePart(), true, missing);
    else this.#hooks.message(this.#takePart(), !missing);
    this.#reported = true;
    const next = this.#hooks.next();
    if (this.#state === "stopped") return;
    if (next === "held") this.#state = "held";
    else this.#start(next);
  }

  #start(next: Next): void {
    const held = this.#collector.take();
    this.#state = next === "head" ? "head" : "frames";
    this.#frames = next === "head" ? undefined : next;
    if (held.length > 0) this.read(held);
  }

  #stop(why: string, bytes: Buffer): void {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#hooks.stop(why, bytes);
  }

  /** Collects bytes until `terminator`; stops when `what` gets longer than `limit`. */
  #collect(terminator: string, bytes: Buffer, limit: number, what: string): [Buffer | undefined, Buffer] {
    const found = this.#collector.until(terminator, bytes, limit);
    if (found !== "too long") return found;
    this.#stop(`${what} of more than ${limit / 1024} KiB`, bytes);
    return [undefined, bytes];
  }

  #countHeader(length: number): void {
    this.#flow.headerBytes += length;
    this.#headerBytes += length;
  }

  #takePart(): BodyPart {
    const part = {
      headerBytes: this.#headerBytes,
      payloadBytes: this.#payloadBytes,
      beginning: this.#beginning.subarray(0, this.#kept),
    };
    this.#headerBytes = this.#payloadBytes = this.#kept = 0;
    return part;
  }
}

/** A response starts with the H of HTTP, a request with a character of its method (RFC 9110 §5.6.2). */
function canStartHead(byte: number, direction: Direction): boolean {
  return direction === "down" ? byte === 0x48 : /[\w!#$%&'*+.^`|~-]/.test(String.fromCharCode(byte));
}

const nothingOf = (bytes: Buffer): Buffer => bytes.subarray(bytes.length);
