// Reads what a connection says: requests and their responses, an upgrade, and then WebSocket frames.
import type { Counts, Direction, Headers, HttpRequest, HttpResponse, Seen } from "./entry.ts";
import { frameReader } from "./frames.ts";
import { type BodyLength, type Head, type MessageReader, messageReader, type Next } from "./http-message.ts";
import { hexPreview, previewOf } from "./preview.ts";

const longestHeaders = 8 * 1024; // bytes of header fields in an entry
const mostWaiting = 1000; // requests without a response

export type ConnectionReader = {
  /** Takes a copy of the bytes that pass; a request has to be given before its response. */
  read(direction: Direction, bytes: Buffer): void;
  /** This direction has ended. */
  end(direction: Direction): void;
};

type Asked = {
  method: string;
  path: string;
  headers: Headers;
  upgrade: string | undefined;
  /** The entry's number, once it has been told. */
  id: number | undefined;
  doneMs: number;
};

/**
 * Tells each message and frame of one TCP connection and adds to `counts`. `tell` answers with the entry's number.
 * `nowMs` is a monotonic clock.
 */
export function connectionReader(
  counts: Counts,
  nowMs: () => number,
  tell: (seen: Seen) => number,
): ConnectionReader {
  const asked: Asked[] = [];
  let nth = 0;
  let asking: { entry: Omit<HttpRequest, "payloadBytes" | "complete" | "preview">; asked: Asked } | undefined;
  let answering:
    | { entry: Omit<HttpResponse, "payloadBytes" | "complete" | "preview">; to: Asked | undefined }
    | undefined;
  let requestId = 0;
  let responseId = 0;

  const up: MessageReader = messageReader("up", counts.up, {
    head(head) {
      const line = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP\/1\.[01]$/.exec(head.startLine);
      const [, method, path] = line ?? [];
      if (!method || !path) return { stop: "no request line (RFC 9112 §3)" };
      if (asked.length >= mostWaiting) return { stop: `${mostWaiting} requests without a response` };
      const body = bodyLength(head, "none");
      if ("stop" in body) return body;
      counts.requests++;
      nth++;
      const upgrade = tokens(head, "connection").includes("upgrade") ? value(head, "upgrade") : undefined;
      const one: Asked = {
        method,
        path,
        headers: bounded(head.headers).headers,
        upgrade,
        id: undefined,
        doneMs: nowMs(),
      };
      asked.push(one);
      asking = {
        asked: one,
        entry: {
          kind: "request",
          direction: "up",
          method,
          path,
          nth,
          framing: body.framing,
          headerBytes: head.headerBytes,
          ...bounded(head.headers),
        },
      };
      if (upgrade !== undefined) asking.entry.upgrade = upgrade;
      return body;
    },
    message(body, complete) {
      if (!asking) return;
      const { payloadBytes, beginning } = body;
      asking.asked.doneMs = nowMs();
      requestId = tell({ ...asking.entry, payloadBytes, complete, preview: previewOf(beginning) });
      asking.asked.id = requestId;
    },
    part: ({ headerBytes, payloadBytes, beginning }, last, missing) => {
      if (asking) asking.asked.doneMs = nowMs();
      const preview = previewOf(beginning);
      tell({
        kind: "body",
        direction: "up",
        of: requestId,
        headerBytes,
        payloadBytes,
        preview,
        last,
        ...(missing && { missing }),
      });
    },
    // After a request for an upgrade it is the server that decides what the next bytes are.
    next: () => (asking?.asked.upgrade !== undefined && asked.includes(asking.asked) ? "held" : "head"),
    stop: (why, bytes) =>
      void tell({ kind: "not-understood", direction: "up", why, preview: hexPreview(bytes) }),
  });

  const down: MessageReader = messageReader("down", counts.down, {
    head(head) {
      const line = /^HTTP\/1\.[01] ([1-9]\d\d)(?: (.*))?$/.exec(head.startLine);
      if (!line) return { stop: "no status line (RFC 9112 §4)" };
      const status = Number(line[1]);
      const to = asked[0];
      // A server may answer before the request is whole; the request still comes first in the list.
      if (to && to.id === undefined) up.tellNow();
      if (status === 101 && to?.upgrade?.toLowerCase() !== "websocket")
        return { stop: "101 to something else than a WebSocket handshake" };
      if (to?.method === "CONNECT" && status >= 200 && status < 300)
        return { stop: "a tunnel (RFC 9110 §9.3.6)" };
      // 1xx, 204, 304 and the answer to HEAD have no body, whatever their headers say (RFC 9112 §6.3).
      const empty = status < 200 || status === 204 || status === 304 || to?.method === "HEAD";
      const body: BodyLength | { stop: string } = empty
        ? { framing: "none", length: 0 }
        : bodyLength(head, "until close");
      if ("stop" in body) return body;
      answering = {
        to,
        entry: {
          kind: "response",
          direction: "down",
          status,
          reason: line[2] ?? "",
          framing: body.framing,
          headerBytes: head.headerBytes,
          ...bounded(head.headers),
        },
      };
      if (to) {
        answering.entry.to = { id: to.id ?? 0, method: to.method, path: to.path };
        answering.entry.heldMs = Math.round((nowMs() - to.doneMs) * 100) / 100;
        if (to.upgrade !== undefined && status >= 200) answering.entry.upgradeRefused = true;
      }
      if (status >= 200 || status === 101) asked.shift();
      return body;
    },
    message(body, complete) {
      if (!answering) return;
      const { entry, to } = answering;
      if (entry.status === 101 && to) {
        const { kind: _, framing: __, upgradeRefused: ___, ...rest } = entry;
        const subprotocol = value({ headers: entry.headers }, "sec-websocket-protocol");
        const extensions = value({ headers: entry.headers }, "sec-websocket-extensions");
        tell({
          kind: "handshake",
          ...rest,
          payloadBytes: 0,
          requestHeaders: to.headers,
          ...(subprotocol !== undefined && { subprotocol }),
          ...(extensions !== undefined && { extensions }),
        });
      } else
        responseId = tell({
          ...entry,
          payloadBytes: body.payloadBytes,
          complete,
          preview: previewOf(body.beginning),
        });
    },
    part: ({ headerBytes, payloadBytes, beginning }, last, missing) => {
      const preview = previewOf(beginning);
      tell({
        kind: "body",
        direction: "down",
        of: responseId,
        headerBytes,
        payloadBytes,
        preview,
        last,
        ...(missing && { missing }),
      });
    },
    next() {
      const { entry, to } = answering ?? {};
      if (entry?.status === 101) {
        const deflate = tokens({ headers: entry.headers }, "sec-websocket-extensions").some((one) =>
          one.startsWith("permessage-deflate"),
        );
        up.go(frameReader("up", deflate, counts.up, tell));
        return frameReader("down", deflate, counts.down, tell) satisfies Next;
      }
      if (entry && entry.status >= 200 && to?.upgrade !== undefined) up.go("head");
      return "head";
    },
    stop(why, bytes) {
      tell({ kind: "not-understood", direction: "down", why, preview: hexPreview(bytes) });
      // Without the answers nobody knows what follows a request for an upgrade.
      if (asked.some((one) => one.upgrade !== undefined || one.method === "CONNECT"))
        up.stop("the answer was not understood");
    },
  });

  return {
    read: (direction, bytes) => (direction === "up" ? up : down).read(bytes),
    end: (direction) => (direction === "up" ? up : down).end(),
  };
}

/** How the end of a body is known (RFC 9112 §6.3); `otherwise`: without a header that says so. */
function bodyLength(head: Head, otherwise: "none" | "until close"): BodyLength | { stop: string } {
  const codings = tokens(head, "transfer-encoding");
  if (codings.at(-1) === "chunked") return { framing: "chunked", length: 0 };
  if (codings.length > 0 && otherwise === "none")
    return { stop: "a request whose last transfer coding is not chunked" };
  const lengths = new Set(codings.length > 0 ? [] : tokens(head, "content-length"));
  const [length] = lengths;
  if (length === undefined)
    return otherwise === "none"
      ? { framing: "none", length: 0 }
      : { framing: "until close", length: Number.POSITIVE_INFINITY };
  if (lengths.size > 1 || !/^\d{1,15}$/.test(length)) return { stop: "a Content-Length that is no number" };
  return { framing: "content-length", length: Number(length) };
}

/** All fields of that name as one value (RFC 9110 §5.3). */
function value({ headers }: Pick<Head, "headers">, name: string): string | undefined {
  const found = headers.filter(([one]) => one.toLowerCase() === name);
  return found.length > 0 ? found.map(([, text]) => text).join(", ") : undefined;
}

function tokens(head: Pick<Head, "headers">, name: string): string[] {
  const text = value(head, name);
  return text === undefined
    ? []
    : text
        .toLowerCase()
        .split(",")
        .map((one) => one.trim());
}

function bounded(headers: Headers): { headers: Headers; headersCut: boolean } {
  let bytes = 0;
  const fit = headers.filter(([name, text]) => {
    bytes += name.length + text.length + 4;
    return bytes <= longestHeaders;
  });
  return { headers: fit, headersCut: bytes > longestHeaders };
}
