// Reads WebSocket frames from one direction's bytes, however they are cut (RFC 6455 §5.2).
import type { Direction, Flow, Frame, FrameName, Seen } from "./entry.ts";
import { hexPreview, previewBytes, previewOf, textPreview } from "./preview.ts";

const names: Record<number, FrameName> = {
  0: "continuation",
  1: "text",
  2: "binary",
  8: "close",
  9: "ping",
  10: "pong",
};

export type FrameReader = {
  /** Takes the next bytes; keeps none of them but a header and a preview. */
  read(bytes: Buffer): void;
  /** The direction has ended: what is left of a frame is told as such. */
  end(): void;
};

/**
 * Tells each frame when its last byte has passed and adds to `flow`. `deflate`: permessage-deflate was agreed.
 * When it can no longer know where a frame ends it says so once, and reads nothing more. Never throws.
 */
export function frameReader(
  direction: Direction,
  deflate: boolean,
  flow: Flow,
  tell: (seen: Seen) => void,
): FrameReader {
  const header = Buffer.alloc(14);
  const beginning = Buffer.alloc(previewBytes);
  let have = 0; // bytes of the header
  let name: FrameName = "text";
  let inPayload = false;
  let length = 0;
  let left = 0; // bytes of the payload that have yet to come
  let kept = 0; // bytes in `beginning`
  let stopped = false;
  // What a continuation frame continues.
  let message: { name: "text" | "binary"; compressed: boolean } | undefined;

  function headerLength(): number {
    if (have < 2) return 2;
    const second = header[1] ?? 0;
    const short = second & 0x7f;
    return 2 + (short === 127 ? 8 : short === 126 ? 2 : 0) + (second & 0x80 ? 4 : 0);
  }

  /** Why the header cannot be read on, or undefined. */
  function startPayload(): string | undefined {
    const opcode = (header[0] ?? 0) & 0x0f;
    const short = (header[1] ?? 0) & 0x7f;
    const known = names[opcode];
    if (!known) return `opcode ${opcode} is reserved (RFC 6455 §5.2)`;
    if (opcode >= 8 && short > 125) return "a control frame of more than 125 bytes (RFC 6455 §5.5)";
    length =
      short === 127
        ? header.readUInt32BE(2) * 2 ** 32 + header.readUInt32BE(6)
        : short === 126
          ? header.readUInt16BE(2)
          : short;
    if (!Number.isSafeInteger(length)) return "a length of more than 2^53 bytes";
    name = known;
    left = length;
    kept = 0;
    inPayload = true;
    flow.headerBytes += have;
    flow.frames++;
    return;
  }

  function finish(): void {
    const first = header[0] ?? 0;
    const second = header[1] ?? 0;
    const opcode = first & 0x0f;
    const fin = first >= 0x80;
    const rsv1 = (first & 0x40) !== 0;
    const rsv2 = (first & 0x20) !== 0;
    const rsv3 = (first & 0x10) !== 0;
    const masked = second >= 0x80;
    const short = second & 0x7f;
    const data = name === "text" || name === "binary" ? name : undefined;
    const compressed = data ? rsv1 && deflate : name === "continuation" && (message?.compressed ?? false);
    const wrong =
      masked !== (direction === "up")
        ? `${masked ? "masked by the server" : "not masked by the client"} (§5.1)`
        : rsv2 || rsv3 || (rsv1 && !(deflate && data))
          ? "a reserved bit that no extension gave a meaning (§5.2)"
          : opcode >= 8 && !fin
            ? "a control frame in fragments (§5.5)"
            : name === "continuation" && !message
              ? "continues nothing (§5.4)"
              : data && message
                ? "a new message before the last one was finished (§5.4)"
                : name === "close" && length === 1
                  ? "a close code of one byte (§5.5.1)"
                  : undefined;

    const start = beginning.subarray(0, kept);
    if (masked)
      for (let at = 0; at < kept; at++) start[at] = (start[at] ?? 0) ^ (header[have - 4 + (at & 3)] ?? 0);
    const frame: Frame = {
      kind: "frame",
      direction,
      name,
      opcode,
      fin,
      rsv1,
      rsv2,
      rsv3,
      masked,
      lengthBits: short === 127 ? 64 : short === 126 ? 16 : 7,
      headerBytes: have,
      payloadBytes: length,
      header: header.toString("hex", 0, have),
      compressed,
      preview:
        compressed || name === "binary" || (name === "continuation" && message?.name !== "text")
          ? hexPreview(start)
          : name === "text"
            ? textPreview(start)
            : name === "continuation"
              ? continuedText(start)
              : previewOf(start),
    };
    if (name === "continuation" && message) frame.continues = message.name;
    if (name === "close" && kept >= 2)
      frame.close = { code: start.readUInt16BE(0), reason: start.toString("utf8", 2) };
    if (wrong) frame.wrong = wrong;
    if (left > 0) frame.missingBytes = left;
    if (data) message = fin ? undefined : { name: data, compressed };
    else if (name === "continuation" && fin) message = undefined;
    have = 0;
    inPayload = false;
    tell(frame);
  }

  function stop(why: string, bytes: Buffer): void {
    stopped = true;
    tell({ kind: "not-understood", direction, why, preview: hexPreview(bytes) });
  }

  return {
    read(bytes) {
      let at = 0;
      while (at < bytes.length && !stopped) {
        if (!inPayload) {
          while (have < headerLength() && at < bytes.length) header[have++] = bytes[at++] ?? 0;
          if (have < headerLength()) return;
          const why = startPayload();
          if (why) {
            stop(why, header.subarray(0, have));
            return;
          }
        }
        const here = Math.min(left, bytes.length - at);
        if (kept < previewBytes && here > 0) kept += bytes.copy(beginning, kept, at, at + here);
        at += here;
        left -= here;
        flow.payloadBytes += here;
        if (left === 0) finish();
      }
    },
    end() {
      if (stopped) return;
      if (inPayload) finish();
      else if (have > 0) stop("the connection ended within a frame's header", header.subarray(0, have));
      stopped = true;
    },
  };
}

/** A fragment may begin within a character: those bytes belong to the fragment before. */
function continuedText(bytes: Buffer) {
  let at = 0;
  while (at < 3 && at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++;
  return textPreview(bytes.subarray(at));
}
