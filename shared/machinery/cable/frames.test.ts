// The frame reader, with streams of frames that are split in every way.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Direction, type Frame, noCounts, type Seen } from "./entry.ts";
import { FrameReader } from "./frames.ts";

type Sent = { opcode: number; fin: boolean; rsv1: boolean; payload: Buffer };
const key = Buffer.from([0x11, 0xa2, 0xff, 0x07]);

/** RFC 6455 §5.2, written down a second time and in another way than in frames.ts. */
function encode({ opcode, fin, rsv1, payload }: Sent, direction: Direction): Buffer {
  const mask = direction === "up";
  const { length } = payload;
  const head = [(fin ? 0x80 : 0) + (rsv1 ? 0x40 : 0) + opcode];
  const second = mask ? 0x80 : 0;
  if (length < 126) head.push(second + length);
  else if (length < 65536) head.push(second + 126, length >> 8, length & 255);
  else
    head.push(
      second + 127,
      0,
      0,
      0,
      0,
      length >>> 24,
      (length >>> 16) & 255,
      (length >>> 8) & 255,
      length & 255,
    );
  const body = mask ? Buffer.from(payload.map((byte, at) => byte ^ (key[at % 4] ?? 0))) : payload;
  return Buffer.concat([Buffer.from(head), mask ? key : Buffer.alloc(0), body]);
}

function read(pieces: Buffer[], direction: Direction, deflate = true, end = true) {
  const seen: Seen[] = [];
  const { [direction]: flow } = noCounts();
  const reader = new FrameReader(direction, deflate, flow, (one) => seen.push(one));
  for (const piece of pieces) reader.read(piece);
  if (end) reader.end();
  return { seen, flow };
}

function cut(bytes: Buffer, at: number[]): Buffer[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const names = ["continuation", "text", "binary", "", "", "", "", "", "close", "ping", "pong"];
const payload = (maxLength: number) => fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes));
const control: fc.Arbitrary<Sent> = fc
  .tuple(fc.constantFrom(8, 9, 10), payload(125))
  .filter(([opcode, { length }]) => opcode !== 8 || length !== 1)
  .map(([opcode, payload]) => ({ opcode, fin: true, rsv1: false, payload }));
const text = fc.string({ unit: "grapheme", maxLength: 40 }).map((value) => Buffer.from(value));
/** A message of one to four frames, with control frames between them. */
const message: fc.Arbitrary<Sent[]> = fc
  .record({
    opcode: fc.constantFrom(1, 2),
    compressed: fc.boolean(),
    parts: fc.array(fc.oneof(text, payload(300)), { minLength: 1, maxLength: 4 }),
    between: fc.array(control, { maxLength: 3 }),
  })
  .map(({ opcode, compressed, parts, between }) =>
    parts.flatMap((part, index) => [
      {
        opcode: index ? 0 : opcode,
        fin: index === parts.length - 1,
        rsv1: compressed && !index,
        payload: part,
      },
      ...between.slice(index, index + 1),
    ]),
  );
const stream = fc.array(message, { maxLength: 6 }).map((messages) => messages.flat());
const direction = fc.constantFrom<Direction>("up", "down");

describe("the frame reader", () => {
  test("reports every frame of any stream as it was sent, wherever it is split", () => {
    fc.assert(
      fc.property(stream, direction, fc.array(fc.nat(), { maxLength: 20 }), (sent, direction, at) => {
        const bytes = Buffer.concat(sent.map((one) => encode(one, direction)));
        const { seen, flow } = read(cut(bytes, at), direction);
        let open: { name: string; compressed: boolean } | undefined;
        expect(seen).toHaveLength(sent.length);
        sent.forEach((one, index) => {
          const frame = seen[index] as Frame;
          if (one.opcode === 1 || one.opcode === 2)
            open = { name: names[one.opcode] ?? "", compressed: one.rsv1 };
          const data = one.opcode < 8;
          expect(frame).toMatchObject({
            kind: "frame",
            direction,
            name: names[one.opcode],
            fin: one.fin,
            rsv1: one.rsv1,
            masked: direction === "up",
            payloadBytes: one.payload.length,
            headerBytes: encode(one, direction).length - one.payload.length,
            header: encode(one, direction).subarray(0, frame.headerBytes).toString("hex"),
            compressed: data ? open?.compressed : false,
          });
          expect(frame.wrong).toBeUndefined();
          expect(frame.continues).toBe(one.opcode === 0 ? open?.name : undefined);
          if ("hex" in frame.preview)
            expect(frame.preview.hex).toBe(one.payload.subarray(0, 256).toString("hex"));
        });
        expect(flow.headerBytes + flow.payloadBytes).toBe(bytes.length);
        expect(flow.frames).toBe(sent.length);
      }),
    );
  });

  test("reports frames of every kind the same at each single split, and byte by byte", () => {
    for (const direction of ["up", "down"] as const) {
      const bytes = Buffer.concat(
        [
          { opcode: 1, fin: true, rsv1: false, payload: Buffer.from("Grüße 🐠") },
          { opcode: 2, fin: false, rsv1: true, payload: Buffer.alloc(200, 7) },
          { opcode: 9, fin: true, rsv1: false, payload: Buffer.from("are you there?") },
          { opcode: 0, fin: true, rsv1: false, payload: Buffer.alloc(3, 9) },
          { opcode: 10, fin: true, rsv1: false, payload: Buffer.alloc(0) },
          {
            opcode: 8,
            fin: true,
            rsv1: false,
            payload: Buffer.from([0x03, 0xe9, ...Buffer.from("going away")]),
          },
        ].map((one) => encode(one, direction)),
      );
      const whole = read([bytes], direction).seen;
      expect(whole).toMatchObject([
        { name: "text", preview: { text: "Grüße 🐠" } },
        { name: "binary", compressed: true, lengthBits: 16 },
        { name: "ping", preview: { text: "are you there?" } },
        { name: "continuation", continues: "binary", compressed: true },
        { name: "pong", payloadBytes: 0 },
        { name: "close", close: { code: 1001, reason: "going away" } },
      ]);
      for (let at = 1; at < bytes.length; at++)
        expect(read([bytes.subarray(0, at), bytes.subarray(at)], direction).seen).toEqual(whole);
      expect(
        read(
          Array.from(bytes, (byte) => Buffer.from([byte])),
          direction,
        ).seen,
      ).toEqual(whole);
    }
  });

  test("reads a length in 7, 16 and 64 bits", () => {
    for (const [length, bits] of [
      [125, 7],
      [126, 16],
      [65535, 16],
      [65536, 64],
    ] as const) {
      const sent = { opcode: 2, fin: true, rsv1: false, payload: Buffer.alloc(length) };
      expect(read([encode(sent, "up")], "up").seen).toMatchObject([
        { lengthBits: bits, payloadBytes: length },
      ]);
    }
  });

  test("shows 256 bytes of a long text and never half a character", () => {
    const sent = {
      opcode: 1,
      fin: true,
      rsv1: false,
      payload: Buffer.from(`${"🐠".repeat(50)}ab${"🐠".repeat(50)}`),
    };
    const [frame] = read([encode(sent, "up")], "up").seen as Frame[];
    expect(frame?.preview).toEqual({ text: `${"🐠".repeat(50)}ab${"🐠".repeat(13)}` });
  });

  test("names what breaks the protocol and reads on", () => {
    const text = (payload: string, more: Partial<Sent> = {}) => ({
      opcode: 1,
      fin: true,
      rsv1: false,
      payload: Buffer.from(payload),
      ...more,
    });
    const wrong = (bytes: Buffer, direction: Direction, deflate = false) =>
      (read([bytes], direction, deflate).seen as Frame[]).map((frame) => frame.wrong);
    expect(wrong(encode(text("unmasked"), "down"), "up")[0]).toMatch("5.1");
    expect(wrong(encode(text("masked"), "up"), "down")[0]).toMatch("5.1");
    expect(wrong(encode(text("rsv1", { rsv1: true }), "up"), "up")[0]).toMatch("5.2");
    expect(wrong(encode(text("", { opcode: 9, fin: false }), "up"), "up")[0]).toMatch("5.5");
    expect(wrong(encode(text("", { opcode: 0 }), "up"), "up")[0]).toMatch("5.4");
    const twice = Buffer.concat([encode(text("a", { fin: false }), "up"), encode(text("b"), "up")]);
    expect(wrong(twice, "up")).toEqual([undefined, expect.stringContaining("5.4")]);
  });

  test("reports once that it does not understand, and nothing after that", () => {
    for (const start of [
      [0x83, 0x00],
      [0x89, 0xfe, 0, 200],
      [0x82, 127, 0xff, 0, 0, 0, 0, 0, 0, 0],
    ])
      expect(
        read(
          [Buffer.from(start), encode({ opcode: 1, fin: true, rsv1: false, payload: key }, "down")],
          "down",
        ).seen,
      ).toEqual([expect.objectContaining({ kind: "not-understood", direction: "down" })]);
  });

  test("reports how much of a frame never arrived", () => {
    const bytes = encode({ opcode: 1, fin: true, rsv1: false, payload: Buffer.from("half a word") }, "up");
    expect(read([bytes.subarray(0, -5)], "up").seen).toMatchObject([
      { missingBytes: 5, preview: { text: "half a" } },
    ]);
  });

  test("never throws, whatever the bytes are", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), direction, fc.boolean(), (pieces, direction, deflate) => {
        const { seen } = read(
          pieces.map((piece) => Buffer.from(piece)),
          direction,
          deflate,
        );
        expect(seen.filter(({ kind }) => kind === "not-understood").length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });
});
