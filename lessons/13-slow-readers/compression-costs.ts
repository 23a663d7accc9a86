// What compression costs: sends messages to readers over loopback, with permessage-deflate off and on in different ways.
// compression.ts runs this in a process of its own, so that nothing else is in the figures.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { getHeapStatistics } from "node:v8";
import { type PerMessageDeflateOptions, type WebSocket, WebSocketServer } from "ws";

/** What `perMessageDeflate` of ws is set to. With `threshold: 0` it compresses small messages, too. */
const settings: Record<string, false | PerMessageDeflateOptions> = {
  off: false,
  "on, remembers the last 32 kB": {},
  "on, remembers the last 1 kB": { serverMaxWindowBits: 10 },
  "on, forgets after each message": { serverNoContextTakeover: true, threshold: 0 },
  "on, forgets, only 1 kB or more": { serverNoContextTakeover: true },
};

const readers = 10;
/** For the memory: with more readers, other things in the process matter less. */
const manyReaders = 40;
let seed = 1;
/** From 0 to 1, and the same ones each time. */
const random = () => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed / 2_147_483_647;
};
const price = () =>
  `{"symbol":"${["ABCD", "EFGH", "IJKL", "MNOP"][Math.floor(random() * 4)]}","price":${(40 + random() * 9).toFixed(3)},"volume":${Math.floor(1_000 + random() * 9_000)},"sell":true}`;
const prices = (count: number) => Buffer.from(`[${Array.from({ length: count }, price).join()}]`);
const bytes = (count: number) => Buffer.from(Array.from({ length: count }, () => random() * 256));

type Kind = { name: string; isText: boolean; messages: Buffer[] };
const kind = (name: string, isText: boolean, count: number, message: () => Buffer): Kind => ({
  name,
  isText,
  messages: Array.from({ length: count }, message),
});
const kinds = [
  kind("a price, 60 B", true, 60, () => prices(1)),
  kind("random, 60 B", false, 60, () => bytes(60)),
  kind("prices, 16 kB", true, 8, () => prices(277)),
  kind("random, 16 kB", false, 8, () => bytes(16_384)),
];

/** Larger than ws's threshold. */
const large = kind("prices, 16 kB", true, 1, () => prices(277));

export type Costs = {
  kinds: string[];
  settings: {
    name: string;
    /** For each kind: bytes on the wire for each message, with the header of its frame. */
    bytes: number[];
    /** For each kind: milliseconds of CPU time for 1,000 messages, with what the reader costs. */
    cpuMs: number[];
    /** Memory for each connection with its reader, once a large message has been compressed on it. */
    memoryBytes: number;
  }[];
};

/** Measures all settings, one after another. Takes about three seconds. */
export async function measureCosts(): Promise<Costs> {
  const measured: Costs["settings"] = [];
  // Memory first. The connections stay open meanwhile, or the next ones would use again what they give back.
  const opened = [await open({}, readers), await open(false, readers)];
  for (const { send } of opened) await send(large); // warms up
  for (const [name, deflate] of Object.entries(settings)) {
    const before = await memory();
    const one = await open(deflate, manyReaders);
    opened.push(one);
    await one.send(large);
    measured.push({ name, bytes: [], cpuMs: [], memoryBytes: ((await memory()) - before) / manyReaders });
  }
  for (const { close } of opened) await close();

  // Functions that have run a few thousand times are faster: without this, the first settings would seem slow.
  for (const deflate of [false, {}, false] as const)
    for (const kind of kinds.slice(0, 2)) await costsOf(deflate, kind);

  for (const { name, bytes, cpuMs } of measured)
    for (const kind of kinds) {
      const costs = await costsOf(settings[name] ?? false, kind);
      bytes.push(costs.bytes);
      cpuMs.push(costs.cpuMs);
    }
  return { kinds: kinds.map(({ name }) => name), settings: measured };
}

async function costsOf(deflate: false | PerMessageDeflateOptions, kind: Kind) {
  const { send, close } = await open(deflate, readers);
  await send({ ...kind, messages: kind.messages.slice(0, 2) }); // compression remembers these already
  const from = process.cpuUsage();
  const bytes = await send(kind);
  const { user, system } = process.cpuUsage(from);
  await close();
  const count = kind.messages.length * readers;
  return { bytes: bytes / count, cpuMs: (user + system) / count };
}

/** A server that compresses in this way, and its readers. */
async function open(perMessageDeflate: false | PerMessageDeflateOptions, readers: number) {
  const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate });
  await once(sockets, "listening");
  const { port } = sockets.address() as { port: number };
  const wires: Socket[] = [];
  sockets.on("connection", (_client, { socket }) => wires.push(socket));
  const ends = Array.from({ length: readers }, () => reader(port));
  while (sockets.clients.size < readers) await pause(1);
  const written = () => sum(wires, "bytesWritten");
  return {
    /** Sends each message to each reader, and waits until they have read everything. Returns the bytes that this took. */
    async send({ isText, messages }: Kind): Promise<number> {
      const from = written();
      await Promise.all(
        messages.flatMap((message) => [...sockets.clients].map((client) => sendOne(client, message, isText))),
      );
      while (sum(ends, "bytesRead") < written()) await pause(1);
      return written() - from;
    },
    async close() {
      for (const client of sockets.clients) client.terminate();
      sockets.close();
      await once(sockets, "close");
    },
  };
}

function sendOne(client: WebSocket, message: Buffer, isText: boolean): Promise<void> {
  return new Promise((resolve, reject) =>
    client.send(message, { binary: !isText }, (error) => (error ? reject(error) : resolve())),
  );
}

const bin = Buffer.alloc(64 * 1024);

/** A client that offers compression and throws away what it reads: a browser's work isn't the server's. */
function reader(port: number): Socket {
  const socket = connect({ port, host: "127.0.0.1", onread: { buffer: bin, callback: () => true } });
  socket.write(
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
      "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n",
  );
  return socket;
}

/** Bytes that this process takes, without the part of V8's heap that is free. That includes zlib, which isn't in the heap. */
async function memory(): Promise<number> {
  // The system takes some of it back a little later.
  for (let [before, tries] = [0, 0]; ; tries++) {
    globalThis.gc?.();
    await pause(20);
    // Not heapTotal: it also counts pages of the heap that no memory has been taken for yet.
    const { total_physical_size, used_heap_size } = getHeapStatistics();
    const now = process.memoryUsage.rss() - total_physical_size + used_heap_size;
    if (Math.abs(now - before) < 64 * 1024 || tries === 10) return now;
    before = now;
  }
}

const sum = (sockets: Socket[], what: "bytesRead" | "bytesWritten") =>
  sockets.reduce((total, socket) => total + socket[what], 0);
