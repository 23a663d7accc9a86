// The head of an HTTP/1.1 message: its start line, its header fields, and what they say about the body.
import type { Framing, Headers } from "./entry.ts";

/** Bytes of header fields that an entry holds at most. */
const longestHeaders = 8 * 1024;

export type Head = { startLine: string; headers: Headers; headerBytes: number };
export type BodyLength = { framing: Framing; length: number };
/** The message can't be read: why. */
export type Unreadable = { stop: string };

/** Reads a head with its empty line. Returns undefined if a line isn't a header field. */
export function parseHead(bytes: Buffer): Head | undefined {
  const [startLine = "", ...lines] = bytes.toString("latin1", 0, bytes.length - 4).split("\r\n");
  const headers: Headers = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) return;
    headers.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
  }
  return { startLine, headers, headerBytes: bytes.length };
}

/** "GET /messages HTTP/1.1" (RFC 9112 §3). */
export function parseRequestLine({ startLine }: Head): { method: string; path: string } | undefined {
  const line = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP\/1\.[01]$/.exec(startLine);
  const [, method, path] = line ?? [];
  return method && path ? { method, path } : undefined;
}

/** "HTTP/1.1 200 OK" (RFC 9112 §4). */
export function parseStatusLine({ startLine }: Head): { status: number; reason: string } | undefined {
  const line = /^HTTP\/1\.[01] ([1-9]\d\d)(?: (.*))?$/.exec(startLine);
  return line ? { status: Number(line[1]), reason: line[2] ?? "" } : undefined;
}

/** How long a request's body is (RFC 9112 §6.3). Without a header that says so, it has none. */
export function requestBody(headers: Headers): BodyLength | Unreadable {
  const codings = headerTokens(headers, "transfer-encoding");
  if (codings.length > 0 && codings.at(-1) !== "chunked")
    return { stop: "a request whose last transfer coding is not chunked" };
  return bodyLength(headers, { framing: "none", length: 0 });
}

/** How long a response's body is (RFC 9112 §6.3). Without a header that says so, it ends with the connection. */
export function responseBody(
  headers: Headers,
  status: number,
  method: string | undefined,
): BodyLength | Unreadable {
  // 1xx, 204, 304 and the answer to HEAD have no body, whatever their headers say.
  if (status < 200 || status === 204 || status === 304 || method === "HEAD")
    return { framing: "none", length: 0 };
  return bodyLength(headers, { framing: "until close", length: Number.POSITIVE_INFINITY });
}

function bodyLength(headers: Headers, otherwise: BodyLength): BodyLength | Unreadable {
  const codings = headerTokens(headers, "transfer-encoding");
  if (codings.at(-1) === "chunked") return { framing: "chunked", length: 0 };
  // A transfer coding overrides Content-Length.
  const lengths = new Set(codings.length > 0 ? [] : headerTokens(headers, "content-length"));
  const [length] = lengths;
  if (length === undefined) return otherwise;
  if (lengths.size > 1 || !/^\d{1,15}$/.test(length)) return { stop: "a Content-Length that is no number" };
  return { framing: "content-length", length: Number(length) };
}

/** The value of a header field. Several fields of that name count as one (RFC 9110 §5.3). */
export function headerValue(headers: Headers, name: string): string | undefined {
  const found = headers.filter(([one]) => one.toLowerCase() === name);
  return found.length > 0 ? found.map(([, text]) => text).join(", ") : undefined;
}

/** The value of a header field as a list: split at commas, in lower case. */
export function headerTokens(headers: Headers, name: string): string[] {
  const text = headerValue(headers, name)?.toLowerCase();
  return text === undefined ? [] : text.split(",").map((one) => one.trim());
}

/** The header fields that fit into an entry. */
export function boundedHeaders(headers: Headers): { headers: Headers; headersCut: boolean } {
  let bytes = 0;
  const fit = headers.filter(([name, text]) => {
    bytes += name.length + text.length + 4;
    return bytes <= longestHeaders;
  });
  return { headers: fit, headersCut: bytes > longestHeaders };
}
