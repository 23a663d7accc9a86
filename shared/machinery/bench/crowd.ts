// Thousands of WebSocket clients that only count frames. Written by hand, because ws would cost more than the server does.
import { connect, type Socket } from "node:net";

const handshake = (path: string) =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/** A short text as a client sends it: masked, with a key that changes nothing (RFC 6455 §5.2). */
function textFrame(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 125) throw new Error("for short texts only");
  return Buffer.concat([Buffer.from([0x81, 0x80 | bytes.length, 0, 0, 0, 0]), bytes]);
}

export class Crowd {
  /** Frames that have arrived, over all connections. */
  frames = 0;
  /** Called for each of them. */
  onframe = (): void => {};
  /** Connections that ended although nobody closed them. */
  lost = 0;
  readonly #sockets: Socket[] = [];
  #ending = false;

  /** Connects `count` clients, a few hundred at a time. Each sends `greeting`, if there is one, when it is connected. */
  static async connect(port: number, count: number, { path = "/", greeting = "" } = {}): Promise<Crowd> {
    const crowd = new Crowd();
    for (let left = count; left > 0; left -= 250)
      await Promise.all(Array.from({ length: Math.min(250, left) }, () => crowd.#join(port, path, greeting)));
    return crowd;
  }

  #join(port: number, path: string, greeting: string): Promise<void> {
    return new Promise((resolve, reject) => {
      let letIn = false;
      /** The beginning of a frame whose end has not arrived yet. */
      let rest = Buffer.alloc(0);
      const take = (length: number, chunk: Uint8Array) => {
        const news = Buffer.from(chunk.buffer, chunk.byteOffset, length);
        let bytes = rest.length > 0 ? Buffer.concat([rest, news]) : news;
        if (!letIn) {
          const end = bytes.indexOf("\r\n\r\n");
          if (end === -1 || !bytes.includes(" 101 ")) return reject(new Error(bytes.toString()));
          letIn = true;
          bytes = bytes.subarray(end + 4);
          if (greeting) socket.write(textFrame(greeting));
          resolve();
        }
        let at = 0;
        for (;;) {
          const [size, head] = frameSize(bytes, at);
          if (bytes.length < at + head + size) break;
          this.frames++;
          this.onframe();
          at += head + size;
        }
        // A copy, because the next connection reads into the same memory.
        rest = Buffer.from(bytes.subarray(at));
        return true;
      };
      const socket = connect({
        port,
        host: "127.0.0.1",
        noDelay: true,
        onread: { buffer: shared, callback: (length, chunk) => take(length, chunk) !== undefined },
      });
      socket.on("connect", () => socket.write(handshake(path)));
      socket.on("error", reject);
      socket.on("close", () => {
        if (!this.#ending) this.lost++;
      });
      this.#sockets.push(socket);
    });
  }

  /** Disconnects all of them together, without a close frame. */
  end(): void {
    this.#ending = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}

const shared = Buffer.alloc(64 * 1024);

/** Payload and header length of the frame that begins at `at`. Infinite if the header has not arrived yet. */
function frameSize(bytes: Buffer, at: number): [size: number, head: number] {
  const short = (bytes[at + 1] ?? 0) & 0x7f;
  if (bytes.length < at + 2) return [Number.POSITIVE_INFINITY, 2];
  if (short < 126) return [short, 2];
  if (bytes.length < at + 10) return [Number.POSITIVE_INFINITY, 4];
  return short === 126 ? [bytes.readUInt16BE(at + 2), 4] : [Number(bytes.readBigUInt64BE(at + 2)), 10];
}
