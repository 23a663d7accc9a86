// The beginning of a payload, as text where it is text and as hex where it is not.
import type { Preview } from "./entry.ts";

export const previewBytes = 256;

/** At most 256 bytes: text if they are UTF-8 without control characters (a character cut off at the end is left out), or else hex. */
export function previewOf(bytes: Buffer): Preview {
  const start = bytes.subarray(0, previewBytes);
  const text = textOf(start);
  // U+FFFD stands for what is no UTF-8; a page that really sends it sees hex, which is no lie.
  return isPlain(text) ? { text } : { hex: start.toString("hex") };
}

/** At most 256 bytes as UTF-8, whatever they are: for what the sender says is text. */
export function textPreview(bytes: Buffer): Preview {
  return { text: textOf(bytes.subarray(0, previewBytes)) };
}

export function hexPreview(bytes: Buffer): Preview {
  return { hex: bytes.toString("hex", 0, Math.min(bytes.length, previewBytes)) };
}

function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0xfffd || code === 0x7f || (code < 0x20 && code !== 9 && code !== 10 && code !== 13))
      return false;
  }
  return true;
}

function textOf(bytes: Buffer): string {
  return bytes.toString("utf8", 0, bytes.length - cutOff(bytes));
}

/** How many bytes at the end are the start of a character whose rest is not there (RFC 3629 §3). */
function cutOff(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? back : 0;
  }
  return 0;
}
