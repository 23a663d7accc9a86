// The connection reader, with whole conversations that are split in every way.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Counts, type Direction, noCounts, type Seen } from "./entry.ts";
import { ConnectionReader } from "./http.ts";

type Talk = [Direction, string | Buffer][];

/** Reads a conversation in pieces of `size` bytes; then both ends stop. */
function read(talk: Talk, size = Number.POSITIVE_INFINITY): { seen: Seen[]; counts: Counts } {
  const seen: Seen[] = [];
  const counts = noCounts();
  const reader = new ConnectionReader(
    counts,
    () => 0,
    (one) => seen.push(one),
  );
  for (const [direction, what] of talk) {
    const bytes = Buffer.from(what);
    for (let at = 0; at < bytes.length; at += size)
      reader.read(direction, bytes.subarray(at, Math.min(bytes.length, at + size)));
  }
  reader.end("up");
  reader.end("down");
  return { seen, counts };
}

const get = (path: string, more = "", method = "GET") =>
  `${method} ${path} HTTP/1.1\r\nHost: here\r\n${more}\r\n`;
const ok = (body: string, more = "") =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;
const upgrade = get(
  "/chat",
  "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: abc\r\n",
);
const switching = (more = "") =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${more}\r\n`;
const hello = Buffer.from([0x81, 0x02, 0x68, 0x69]);
const maskedHello = Buffer.from([0x81, 0x82, 1, 2, 3, 4, 0x68 ^ 1, 0x69 ^ 2]);

const talks: Record<string, Talk> = {
  "two requests on one connection": [
    ["up", get("/messages?after=0")],
    ["down", ok("[]")],
    ["up", "POST /messages HTTP/1.1\r\nContent-Length: 6\r\n\r\nGrüß"],
    ["down", ok("")],
  ],
  "three pipelined requests": [
    ["up", get("/1") + get("/2", "", "HEAD") + get("/3")],
    ["down", `${ok("one")}HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n${ok("three")}`],
  ],
  "answers without a body": [
    ["up", get("/1")],
    ["down", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n"],
    ["up", get("/2")],
    ["down", "HTTP/1.1 204 No Content\r\n\r\n"],
    ["up", get("/3", "Expect: 100-continue\r\nContent-Length: 1\r\n", "PUT")],
    ["down", "HTTP/1.1 100 Continue\r\n\r\n"],
    ["up", "x"],
    ["down", ok("ok")],
  ],
  "chunks both ways": [
    ["up", get("/", "Transfer-Encoding: chunked\r\n", "POST")],
    ["up", "3\r\nabc\r\nA;name=value\r\n0123456789\r\n0\r\nTrailer: yes\r\n\r\n"],
    ["down", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"],
    ["up", get("/next")],
    ["down", ok("next")],
  ],
  "a body until the end of the connection": [
    ["up", get("/")],
    ["down", "HTTP/1.1 200 OK\r\n\r\nall of this\r\n\r\n"],
  ],
  "a WebSocket whose first frame comes with the handshake": [
    ["up", Buffer.concat([Buffer.from(upgrade), maskedHello])],
    [
      "down",
      Buffer.concat([Buffer.from(switching("Sec-WebSocket-Extensions: permessage-deflate\r\n")), hello]),
    ],
    ["up", maskedHello],
  ],
  "an upgrade that is refused": [
    ["up", upgrade + get("/again")],
    ["down", `HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno${ok("again")}`],
  ],
};

const told = (talk: string) => read(talks[talk] ?? []).seen;

describe("the connection reader", () => {
  test.each(Object.entries(talks))("reports the same of %s, however it is split", (_, talk) => {
    const whole = read(talk);
    for (const size of [1, 2, 3, 5, 7, 11]) expect(read(talk, size)).toEqual(whole);
    // At each single place.
    talk.forEach(([direction, what], index) => {
      const bytes = Buffer.from(what);
      for (let at = 1; at < bytes.length; at++) {
        const halves: Talk = [
          [direction, bytes.subarray(0, at)],
          [direction, bytes.subarray(at)],
        ];
        expect(read([...talk.slice(0, index), ...halves, ...talk.slice(index + 1)])).toEqual(whole);
      }
    });
  });

  test.each(Object.entries(talks))("counts every byte of %s as header or payload", (_, talk) => {
    const { counts } = read(talk);
    for (const direction of ["up", "down"] as const) {
      const sent = talk.filter(([way]) => way === direction).map(([, what]) => Buffer.from(what).length);
      expect(counts[direction].headerBytes + counts[direction].payloadBytes).toBe(
        sent.reduce((a, b) => a + b, 0),
      );
    }
  });

  test("reports method, path, sizes and whether the connection was used again", () => {
    expect(told("two requests on one connection")).toMatchObject([
      { kind: "request", method: "GET", path: "/messages?after=0", nth: 1, headerBytes: 46, payloadBytes: 0 },
      { kind: "response", status: 200, to: { id: 1 }, payloadBytes: 2, preview: { text: "[]" } },
      { kind: "request", method: "POST", nth: 2, payloadBytes: 6, preview: { text: "Grüß" }, complete: true },
      { kind: "response", to: { id: 3, method: "POST" }, payloadBytes: 0 },
    ]);
  });

  test("gives pipelined requests their answers in order, and HEAD no body", () => {
    expect(told("three pipelined requests").slice(3)).toMatchObject([
      { to: { path: "/1" }, payloadBytes: 3 },
      { to: { path: "/2" }, payloadBytes: 0, framing: "none" },
      { to: { path: "/3" }, preview: { text: "three" } },
    ]);
  });

  test("expects no body after 304, 204 and 100", () => {
    const statuses = told("answers without a body").map((one) =>
      one.kind === "response" ? one.status : one.kind,
    );
    expect(statuses).toEqual(["request", 304, "request", 204, "request", 100, "body", 200]);
  });

  test("reports each chunk as it passes, and marks the last one", () => {
    expect(told("chunks both ways").slice(0, 7)).toMatchObject([
      { kind: "request", framing: "chunked", complete: false },
      { kind: "body", of: 1, payloadBytes: 3, headerBytes: 5, last: false, preview: { text: "abc" } },
      { kind: "body", of: 1, payloadBytes: 10, last: false },
      { kind: "body", of: 1, payloadBytes: 0, last: true },
      { kind: "response", framing: "chunked" },
      { kind: "body", of: 5, preview: { text: "hi" } },
      { kind: "body", of: 5, last: true },
    ]);
  });

  test("reports a handshake with the headers of both sides, and loses no frame", () => {
    expect(told("a WebSocket whose first frame comes with the handshake")).toMatchObject([
      { kind: "request", upgrade: "websocket" },
      {
        kind: "handshake",
        status: 101,
        extensions: "permessage-deflate",
        requestHeaders: [
          ["Host", "here"],
          ["Connection", "keep-alive, Upgrade"],
          ["Upgrade", "websocket"],
          ["Sec-WebSocket-Key", "abc"],
        ],
      },
      { kind: "frame", direction: "up", preview: { text: "hi" } },
      { kind: "frame", direction: "down", preview: { text: "hi" } },
      { kind: "frame", direction: "up", preview: { text: "hi" } },
    ]);
  });

  test("goes on with HTTP after an upgrade that was refused", () => {
    expect(told("an upgrade that is refused")).toMatchObject([
      { kind: "request", path: "/chat" },
      { kind: "response", status: 403, upgradeRefused: true, preview: { text: "no" } },
      { kind: "request", path: "/again" },
      { kind: "response", to: { path: "/again" } },
    ]);
  });

  test("reports a request before its answer, even if the body never arrives", () => {
    const { seen } = read([
      ["up", get("/", "Content-Length: 100\r\n", "POST")],
      ["up", "only this"],
      ["down", "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"],
    ]);
    expect(seen).toMatchObject([
      { kind: "request", complete: false, payloadBytes: 9 },
      { kind: "response", status: 413, to: { id: 1 } },
      { kind: "body", of: 1, last: true, missing: true },
    ]);
  });

  test.each([
    ["TLS", Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00])],
    ["a head without end", `GET / HTTP/1.1\r\nX: ${"x".repeat(70_000)}`],
    ["no request line", "hello there\r\n\r\n"],
    ["two lengths", get("/", "Content-Length: 1\r\nContent-Length: 2\r\n")],
    ["half a head", "GET / HT"],
  ])("reports once that it does not understand %s", (_, bytes) => {
    expect(
      read([
        ["up", bytes],
        ["up", bytes],
      ]).seen,
    ).toMatchObject([{ kind: "not-understood", direction: "up" }]);
  });

  test("never throws, however a conversation is damaged", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(talks)),
        fc.array(fc.tuple(fc.nat(), fc.nat(), fc.uint8Array({ maxLength: 4 })), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.integer({ min: 1, max: 50 }),
        (talk, damages, size) => {
          const damaged: Talk = talk.map(([direction, what]) => [direction, Buffer.from(what)]);
          for (const [which, where, bytes] of damages) {
            const target = damaged[which % damaged.length]?.[1] as Buffer;
            Buffer.from(bytes).copy(target, where % target.length);
          }
          const { seen } = read(damaged, size);
          for (const direction of ["up", "down"])
            expect(
              seen.filter((one) => one.kind === "not-understood" && one.direction === direction).length,
            ).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
