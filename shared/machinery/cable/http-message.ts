// Reads the HTTP/1.1 messages of one direction, however their bytes are cut (RFC 9112 §2, §6, §7).
import type { Direction, Flow, Framing, Headers } from "./entry.ts";
import type { FrameReader } from "./frames.ts";
import { previewBytes } from "./preview.ts";

const longestHead = 64 * 1024;
const longestLine = 8 * 1024; // of a chunk's size or a trailer
/** A body up to this long is told together with its head, a longer one after it. */
const shortBody = 64 * 1024;

export type Head = { startLine: string; headers: Headers; headerBytes: number };
export type BodyLength = { framing: Framing; length: number };
/** `beginning` is good only until the hook returns. */
export type BodyPart = { headerBytes: number; payloadBytes: number; beginning: Buffer };

export type MessageHooks = {
  /** A head is there. Answers how long the body is, or why that cannot be known. */
  head(head: Head): BodyLength | { stop: string };
  /** The body is there as a whole (`complete`), or will take a while and is told in parts. */
  message(body: BodyPart, complete: boolean): void;
  /** A chunk, or the rest of a body whose message has been told before. */
  part(part: BodyPart, last: boolean, missing: boolean): void;
  /** The message is over: what comes next? "held": that is known only later, see `go`. */
  next(): Next | "held";
  stop(why: string, bytes: Buffer): void;
};

export type Next = "head" | FrameReader;

export type MessageReader = {
  read(bytes: Buffer): void;
  /** The direction has ended. */
  end(): void;
  /** Tells a message whose body is not yet whole. */
  tellNow(): void;
  /** After "held": what has come since is read, and all that follows. */
  go(next: Next): void;
  /** Reads no more. */
  stop(why: string): void;
};

type State =
  | "head"
  | "length"
  | "chunk size"
  | "chunk"
  | "chunk end"
  | "trailers"
  | "held"
  | "frames"
  | "stopped";

/** Never throws; holds at most 64 KiB. */
export function messageReader(direction: Direction, flow: Flow, hooks: MessageHooks): MessageReader {
  const collect = collector();
  const beginning = Buffer.alloc(previewBytes);
  let state: State = "head";
  let frames: FrameReader | undefined;
  let framing: Framing = "none";
  let left = 0; // bytes of the body or chunk that have yet to come
  let told = true; // the message in progress
  // What has not been told yet.
  let headerBytes = 0;
  let payloadBytes = 0;
  let kept = 0;

  function part(): BodyPart {
    const one = { headerBytes, payloadBytes, beginning: beginning.subarray(0, kept) };
    headerBytes = payloadBytes = kept = 0;
    return one;
  }

  function stop(why: string, bytes: Buffer): void {
    if (state === "stopped") return;
    state = "stopped";
    hooks.stop(why, bytes);
  }

  function over(missing = false): void {
    if (told) hooks.part(part(), true, missing);
    else hooks.message(part(), !missing);
    told = true;
    const next = hooks.next();
    if (state === "stopped") return;
    if (next === "held") state = "held";
    else goOn(next);
  }

  function goOn(next: Next): void {
    const held = collect.take();
    state = next === "head" ? "head" : "frames";
    frames = next === "head" ? undefined : next;
    if (held.length > 0) read(held);
  }

  function startBody(bytes: Buffer): void {
    const head = parseHead(bytes);
    const body = head ? hooks.head(head) : { stop: "no HTTP head (RFC 9112 §2.1)" };
    if ("stop" in body) {
      stop(body.stop, bytes);
      return;
    }
    if (state === "stopped") return;
    flow.headerBytes += bytes.length;
    framing = body.framing;
    left = body.length;
    told = false;
    if (framing === "chunked" || framing === "until close" || left > shortBody) tellNow();
    if (framing === "chunked") state = "chunk size";
    else if (left > 0) state = "length";
    else over();
  }

  function tellNow(): void {
    if (told) return;
    told = true;
    hooks.message(part(), false);
  }

  function startChunk(line: Buffer): void {
    const size = /^([0-9a-f]{1,13})[ \t]*(?:;.*)?\r\n$/i.exec(line.toString("latin1"))?.[1];
    if (size === undefined) {
      stop("no chunk size (RFC 9112 §7.1)", line);
      return;
    }
    flow.headerBytes += line.length;
    headerBytes += line.length;
    left = Number.parseInt(size, 16);
    state = left > 0 ? "chunk" : "trailers";
  }

  /** Takes `length` bytes of the body. */
  function payload(bytes: Buffer, length: number): void {
    if (kept < previewBytes) kept += bytes.copy(beginning, kept, 0, length);
    payloadBytes += length;
    flow.payloadBytes += length;
    left -= length;
  }

  /** Takes bytes until `terminator`; tells when there are too many. */
  function until(
    terminator: string,
    bytes: Buffer,
    limit: number,
    what: string,
  ): [Buffer | undefined, Buffer] {
    const found = collect.until(terminator, bytes, limit);
    if (found === "too long") {
      stop(`${what} of more than ${limit / 1024} KiB`, bytes);
      return [undefined, bytes];
    }
    return found;
  }

  function step(bytes: Buffer): Buffer {
    switch (state) {
      case "head": {
        if (collect.empty()) {
          const first = bytes[0] ?? 0;
          if (first === 13 || first === 10) {
            // Empty lines before a start line are to be skipped (RFC 9112 §2.2).
            flow.headerBytes++;
            return bytes.subarray(1);
          }
          if (
            direction === "down" ? first !== 0x48 : !/[\w!#$%&'*+.^`|~-]/.test(String.fromCharCode(first))
          ) {
            stop("this is not HTTP", bytes);
            return bytes;
          }
        }
        const [head, rest] = until("\r\n\r\n", bytes, longestHead, "a head");
        if (head) startBody(head);
        return rest;
      }
      case "length": {
        const length = Math.min(left, bytes.length);
        payload(bytes, length);
        if (left === 0) over();
        return bytes.subarray(length);
      }
      case "chunk size": {
        const [line, rest] = until("\r\n", bytes, longestLine, "a chunk size");
        if (line) startChunk(line);
        return rest;
      }
      case "chunk": {
        const length = Math.min(left, bytes.length);
        payload(bytes, length);
        if (left === 0) state = "chunk end";
        return bytes.subarray(length);
      }
      case "chunk end": {
        const [line, rest] = until("\r\n", bytes, longestLine, "a chunk");
        if (!line) return rest;
        if (line.length > 2) stop("a chunk longer than its size (RFC 9112 §7.1)", line);
        else {
          flow.headerBytes += 2;
          headerBytes += 2;
          state = "chunk size";
          hooks.part(part(), false, false);
        }
        return rest;
      }
      case "trailers": {
        const [line, rest] = until("\r\n", bytes, longestLine, "a trailer");
        if (!line) return rest;
        flow.headerBytes += line.length;
        headerBytes += line.length;
        if (line.length === 2) over();
        return rest;
      }
      case "held":
        if (!collect.add(bytes, longestHead)) stop("more than 64 KiB before the upgrade was answered", bytes);
        return bytes.subarray(bytes.length);
      case "frames":
        frames?.read(bytes);
        return bytes.subarray(bytes.length);
      case "stopped":
        return bytes.subarray(bytes.length);
    }
  }

  function read(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0 && state !== "stopped") rest = step(rest);
  }

  return {
    read,
    tellNow,
    go(next) {
      if (state === "held") goOn(next);
    },
    stop: (why) => stop(why, Buffer.alloc(0)),
    end() {
      if (state === "stopped") return;
      if (state === "frames") frames?.end();
      else if (state === "head" && !collect.empty())
        stop("the connection ended within a head", collect.take());
      else if (state === "length" && framing === "until close") over();
      else if (state !== "head" && state !== "held") over(true);
      state = "stopped";
    },
  };
}

/** A head with its empty line, or undefined if it is none. */
function parseHead(bytes: Buffer): Head | undefined {
  const [startLine = "", ...lines] = bytes.toString("latin1", 0, bytes.length - 4).split("\r\n");
  const headers: Headers = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) return;
    headers.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
  }
  return { startLine, headers, headerBytes: bytes.length };
}

/** Keeps bytes until there are enough of them. */
function collector() {
  let kept = Buffer.alloc(0);
  let have = 0;

  function add(bytes: Buffer, limit: number): boolean {
    if (have + bytes.length > limit) return false;
    if (have + bytes.length > kept.length) {
      // Doubled, so that a head that dribbles in byte by byte is not copied for each of them.
      const larger = Buffer.alloc(Math.max(1024, (have + bytes.length) * 2));
      kept.copy(larger, 0, 0, have);
      kept = larger;
    }
    have += bytes.copy(kept, have);
    return true;
  }

  function take(): Buffer {
    const taken = kept.subarray(0, have);
    kept = Buffer.alloc(0);
    have = 0;
    return taken;
  }

  return {
    add,
    take,
    empty: () => have === 0,
    /** What ends with `terminator`, and the bytes after it. */
    until(terminator: string, bytes: Buffer, limit: number): [Buffer | undefined, Buffer] | "too long" {
      if (have === 0) {
        const end = bytes.indexOf(terminator);
        if (end >= 0 && end + terminator.length <= limit)
          return [bytes.subarray(0, end + terminator.length), bytes.subarray(end + terminator.length)];
      }
      const before = have;
      const part = bytes.subarray(0, limit - have);
      add(part, limit);
      // The terminator may have begun in bytes that were here before.
      const end = kept.subarray(0, have).indexOf(terminator, Math.max(0, before - terminator.length + 1));
      if (end < 0) return have >= limit ? "too long" : [undefined, bytes.subarray(bytes.length)];
      have = end + terminator.length;
      const used = have - before;
      return [take(), bytes.subarray(used)];
    },
  };
}
