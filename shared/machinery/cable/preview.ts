// The beginning of a payload: as text if it is text, otherwise as hex.
import type { Preview } from "./entry.ts";

export const previewBytes = 256;

/** At most 256 bytes, as text if they are UTF-8 without control characters, otherwise as hex. A character cut off at the end is left out. */
export function previewOf(bytes: Buffer): Preview {
  const start = bytes.subarray(0, previewBytes);
  const text = textOf(start);
  // U+FFFD replaces bytes that are not UTF-8. A page that really sends it sees hex, which is still correct.
  return isPlain(text) ? { text } : { hex: start.toString("hex") };
}

/** At most 256 bytes as UTF-8: for payloads that the sender declares to be text. */
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

/** How many bytes at the end begin a character that is not complete (RFC 3629 §3). */
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
