// Reads WebSocket frames from the bytes of one direction, however they are split (RFC 6455 §5.2).
import type { Direction, Flow, Frame, FrameName, Preview, Seen } from "./entry.ts";
import { hexPreview, previewBytes, previewOf, textPreview } from "./preview.ts";

const names: Record<number, FrameName> = {
  0: "continuation",
  1: "text",
  2: "binary",
  8: "close",
  9: "ping",
  10: "pong",
};

/** A message whose first frame has passed, but not its last. */
type OpenMessage = { name: "text" | "binary"; compressed: boolean };

type Bits = Pick<Frame, "opcode" | "fin" | "rsv1" | "rsv2" | "rsv3" | "masked">;

/**
 * Reports each frame with `tell` when its last byte has passed, and adds to `flow`. `deflate`: permessage-deflate was
 * agreed. Keeps only a frame's header and the beginning of its payload. Never throws: when it can't know where a frame
 * ends, it says so once and reads nothing more.
 */
export class FrameReader {
  readonly #direction: Direction;
  readonly #deflate: boolean;
  readonly #flow: Flow;
  readonly #tell: (seen: Seen) => void;
  readonly #header = Buffer.alloc(14);
  #have = 0; // bytes in #header
  readonly #beginning = Buffer.alloc(previewBytes);
  #kept = 0; // bytes in #beginning
  #inPayload = false;
  #length = 0; // of the payload
  #left = 0; // bytes of the payload that have yet to arrive
  #stopped = false;
  /** What a continuation frame continues. */
  #message: OpenMessage | undefined;

  constructor(direction: Direction, deflate: boolean, flow: Flow, tell: (seen: Seen) => void) {
    this.#direction = direction;
    this.#deflate = deflate;
    this.#flow = flow;
    this.#tell = tell;
  }

  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.#stopped) {
      if (!this.#inPayload) at = this.#readHeader(bytes, at);
      if (this.#inPayload) at = this.#readPayload(bytes, at);
    }
  }

  /** The direction has ended. A frame that isn't complete is reported with the bytes that never came. */
  end(): void {
    if (this.#stopped) return;
    if (this.#inPayload) this.#finish();
    else if (this.#have > 0) this.#stop("the connection ended within a frame's header");
    this.#stopped = true;
  }

  /** Returns where the bytes after the header begin. */
  #readHeader(bytes: Buffer, start: number): number {
    let at = start;
    while (this.#have < this.#headerLength() && at < bytes.length)
      this.#header[this.#have++] = bytes[at++] ?? 0;
    if (this.#have < this.#headerLength()) return at;
    const why = this.#unreadable();
    if (why) this.#stop(why);
    else this.#startPayload();
    return at;
  }

  /** As far as it is known yet. */
  #headerLength(): number {
    if (this.#have < 2) return 2;
    const second = this.#header[1] ?? 0;
    const short = second & 0x7f;
    return 2 + (short === 127 ? 8 : short === 126 ? 2 : 0) + (second & 0x80 ? 4 : 0);
  }

  /** Why it can't be known where this frame ends. Undefined if its header is readable. */
  #unreadable(): string | undefined {
    const opcode = (this.#header[0] ?? 0) & 0x0f;
    const short = (this.#header[1] ?? 0) & 0x7f;
    if (!names[opcode]) return `opcode ${opcode} is reserved (RFC 6455 §5.2)`;
    if (opcode >= 8 && short > 125) return "a control frame of more than 125 bytes (RFC 6455 §5.5)";
    if (!Number.isSafeInteger(this.#payloadLength())) return "a length of more than 2^53 bytes";
    return;
  }

  #payloadLength(): number {
    const short = (this.#header[1] ?? 0) & 0x7f;
    if (short === 127) return this.#header.readUInt32BE(2) * 2 ** 32 + this.#header.readUInt32BE(6);
    return short === 126 ? this.#header.readUInt16BE(2) : short;
  }

  #startPayload(): void {
    this.#length = this.#left = this.#payloadLength();
    this.#kept = 0;
    this.#inPayload = true;
    this.#flow.headerBytes += this.#have;
    this.#flow.frames++;
    if (this.#length === 0) this.#finish();
  }

  /** Returns where the bytes after this frame begin. */
  #readPayload(bytes: Buffer, at: number): number {
    const here = Math.min(this.#left, bytes.length - at);
    if (this.#kept < previewBytes) this.#kept += bytes.copy(this.#beginning, this.#kept, at, at + here);
    this.#left -= here;
    this.#flow.payloadBytes += here;
    if (this.#left === 0) this.#finish();
    return at + here;
  }

  #finish(): void {
    const bits = this.#bits();
    const name = names[bits.opcode] ?? "text";
    const data = name === "text" || name === "binary" ? name : undefined;
    const message = data ? { name: data, compressed: bits.rsv1 && this.#deflate } : this.#message;
    const belongs = data !== undefined || name === "continuation";
    const start = this.#unmasked(bits.masked);
    const wrong = this.#wrong(name, bits);
    this.#tell({
      kind: "frame",
      direction: this.#direction,
      name,
      ...bits,
      lengthBits: lengthBits(this.#header),
      headerBytes: this.#have,
      payloadBytes: this.#length,
      header: this.#header.toString("hex", 0, this.#have),
      compressed: belongs && (message?.compressed ?? false),
      preview: framePreview(name, message, start),
      ...(name === "continuation" && message && { continues: message.name }),
      ...(name === "close" && start.length >= 2 && { close: closeOf(start) }),
      ...(wrong && { wrong }),
      ...(this.#left > 0 && { missingBytes: this.#left }),
    });
    if (belongs) this.#message = bits.fin ? undefined : message;
    this.#have = 0;
    this.#inPayload = false;
  }

  #bits(): Bits {
    const first = this.#header[0] ?? 0;
    return {
      opcode: first & 0x0f,
      fin: (first & 0x80) !== 0,
      rsv1: (first & 0x40) !== 0,
      rsv2: (first & 0x20) !== 0,
      rsv3: (first & 0x10) !== 0,
      masked: ((this.#header[1] ?? 0) & 0x80) !== 0,
    };
  }

  /** The beginning of the payload. Unmasks it in place: the masking key is the header's last four bytes (§5.3). */
  #unmasked(masked: boolean): Buffer {
    const start = this.#beginning.subarray(0, this.#kept);
    const key = this.#header.subarray(this.#have - 4, this.#have);
    if (masked) for (let at = 0; at < start.length; at++) start[at] = (start[at] ?? 0) ^ (key[at & 3] ?? 0);
    return start;
  }

  /** What this frame does that the protocol forbids, with its section of RFC 6455. */
  #wrong(name: FrameName, { opcode, fin, rsv1, rsv2, rsv3, masked }: Bits): string | undefined {
    const data = name === "text" || name === "binary";
    if (masked && this.#direction === "down") return "masked by the server (§5.1)";
    if (!masked && this.#direction === "up") return "not masked by the client (§5.1)";
    if (rsv2 || rsv3 || (rsv1 && !(this.#deflate && data)))
      return "a reserved bit that no extension gave a meaning (§5.2)";
    if (opcode >= 8 && !fin) return "a control frame in fragments (§5.5)";
    if (name === "continuation" && !this.#message) return "continues nothing (§5.4)";
    if (data && this.#message) return "a new message before the last one was finished (§5.4)";
    if (name === "close" && this.#length === 1) return "a close code of one byte (§5.5.1)";
    return;
  }

  #stop(why: string): void {
    this.#stopped = true;
    const preview = hexPreview(this.#header.subarray(0, this.#have));
    this.#tell({ kind: "not-understood", direction: this.#direction, why, preview });
  }
}

function lengthBits(header: Buffer): Frame["lengthBits"] {
  const short = (header[1] ?? 0) & 0x7f;
  return short === 127 ? 64 : short === 126 ? 16 : 7;
}

function closeOf(payload: Buffer): Frame["close"] {
  return { code: payload.readUInt16BE(0), reason: payload.toString("utf8", 2) };
}

/** Hex for a payload that is compressed or binary, text for one that the sender declares to be text. */
function framePreview(name: FrameName, message: OpenMessage | undefined, start: Buffer): Preview {
  if (name !== "text" && name !== "binary" && name !== "continuation") return previewOf(start);
  if (message?.compressed || message?.name !== "text") return hexPreview(start);
  return name === "text" ? textPreview(start) : continuedText(start);
}

/** A fragment may begin within a character. Its bytes belong to the fragment before, so they are left out. */
function continuedText(bytes: Buffer): Preview {
  let at = 0;
  while (at < 3 && at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++;
  return textPreview(bytes.subarray(at));
}
