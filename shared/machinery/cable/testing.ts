// Helpers for the cable's tests: two ends with a cable between them.
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach } from "vitest";
import type { Entry } from "./entry.ts";
import { type Cable, createCable } from "./proxy.ts";

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

/** Calls `end` after the test. The latest is called first. */
export function later(end: () => unknown): void {
  ending.push(end);
}

export type Ends = { cable: Cable; server: Server; pair(): Promise<{ page: End; server: End }> };

/** One end of a connection and what happened to it. */
export type End = {
  socket: Socket;
  /** What has been received so far. */
  text(): string;
  /** Resolves when `text` has been received. */
  gets(text: string): Promise<void>;
  /** Resolves at the other side's FIN. */
  fin: Promise<unknown>;
  /** Resolves with the code of the error that ended it. */
  error: Promise<string>;
};

/** A cable to a TCP server. `pair` opens a connection through it and returns its two ends. */
export async function cableBetween(): Promise<Ends> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  later(() => server.close());
  const address = server.address();
  const cable = await createCable({
    listenPort: 0,
    targetPort: typeof address === "object" ? (address?.port ?? 0) : 0,
  });
  later(() => cable.end());
  return {
    cable,
    server,
    async pair() {
      const accepted = once(server, "connection");
      const page = await pageEnd(cable);
      const [socket] = await accepted;
      return { page, server: end(socket) };
    },
  };
}

/** Connects as a page does. On a frozen cable the server does not notice. */
export async function pageEnd(cable: Cable): Promise<End> {
  const socket = connect({ port: cable.port, host: "127.0.0.1", allowHalfOpen: true });
  const one = end(socket);
  await once(socket, "connect");
  return one;
}

export function end(socket: Socket): End {
  later(() => socket.destroy());
  let text = "";
  const { promise: error, resolve } = withResolvers<string>();
  const fin = withResolvers<void>();
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
    socket.emit("text");
  });
  socket.on("end", fin.resolve);
  socket.on("error", (failure: NodeJS.ErrnoException) => resolve(failure.code ?? failure.message));
  return {
    socket,
    text: () => text,
    async gets(expected) {
      while (!text.includes(expected)) await once(socket, "text");
    },
    fin: fin.promise,
    error,
  };
}

/** The first entry for which `matches` returns true. Waits for it if necessary. */
export function entry(cable: Cable, matches: (entry: Entry) => boolean): Promise<Entry> {
  return new Promise((resolve) => {
    const there = cable.entries().find(matches);
    if (there) return resolve(there);
    const look = (one: Entry) => {
      if (!matches(one)) return;
      cable.events.off("entry", look);
      resolve(one);
    };
    cable.events.on("entry", look);
  });
}

/** Long enough on loopback for everything that is not held back to arrive. */
export const aWhile = (ms = 100) => new Promise((resolve) => setTimeout(resolve, ms));

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
