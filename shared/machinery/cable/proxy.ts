// The cable between a page and its server: passes every byte on unchanged, reports what it saw, and fails on command.
import { EventEmitter } from "node:events";
import { createServer, type Server, Socket } from "node:net";
import { alsoListen, listenAddresses } from "../launcher/listen.ts";
import { type Counts, type Direction, type Entry, noCounts, type Seen } from "./entry.ts";
import { ConnectionReader } from "./http.ts";
import { entryLog } from "./log.ts";
import { type Pipe, type PipeFaults, pipe } from "./pipe.ts";
import type { CableState, Faults } from "./protocol.ts";

/** How long the two ends have to answer the cable's FIN. */
const closeWithinMs = 1000;
/** How long a page may stay silent on a connection that the server has ended. Browsers close it within a second. */
const silentAfterEndMs = 4000;
/** Connections that wait to be accepted. Most systems allow no more. */
const backlog = 1024;

export type CableOptions = {
  /** 0: any free port. */
  listenPort: number;
  /** The addresses to listen on. By default only this computer's own. */
  hosts?: string[];
  targetPort: number;
  targetHost?: string;
};

export type Which = { connection?: number };

/** A command for a connection that isn't open throws an Error that lists the open ones. */
export type Cable = {
  port: number;
  /** "entry": the cable saw something. "change": a fault or a connection began or ended. */
  events: EventEmitter<{ entry: [Entry]; change: [] }>;
  /** The entries after number `after`, at most the last 2,000. */
  entries(after?: number): Entry[];
  /** The highest entry number so far. */
  lastId(): number;
  counts(): Counts;
  /** Milliseconds since the cable started, by a clock that never jumps. Entries have the same times. */
  nowMs(): number;
  state(): CableState;
  /** Adds an entry that concerns all connections. */
  note(seen: Seen): void;
  /** FIN to both ends. */
  close(which?: Which): void;
  /** RST to both ends. */
  reset(which?: Which): void;
  /** Nothing passes and nothing closes. New connections are accepted and frozen too. Bytes wait in the kernel. */
  freeze(options?: Which & { direction?: Direction | "both" }): void;
  /** Each piece arrives `ms` ± `jitterMs` later, in each direction, and in order. 0 and 0 mean no delay. */
  delay(options: Which & { ms: number; jitterMs?: number; direction?: Direction | "both" }): void;
  /** Limits the bytes a second, for each connection and direction. null: no limit. */
  throttle(options: Which & { bytesPerSecond: number | null; direction?: Direction | "both" }): void;
  /**
   * Stops listening, so the kernel itself refuses connections (ECONNREFUSED), as it does when there is no server.
   * Accepting and then resetting a connection would look different to the page. Open connections stay.
   */
  refuse(): Promise<void>;
  /**
   * Ends every fault, of one connection or of all. Frozen bytes are delivered or dropped. TCP can't lose bytes and
   * continue, so dropping resets each connection on which something waited. The others continue.
   */
  heal(options?: Which & { frozen?: "deliver" | "drop" }): Promise<void>;
  /** Resets all connections and stops listening. */
  end(): Promise<void>;
};

type Connection = {
  number: number;
  openedMs: number;
  page: Socket;
  server: Socket;
  up: Pipe;
  down: Pipe;
  reader: ConnectionReader;
  counts: Counts;
  faults: Faults;
  finished: { up: boolean; down: boolean };
  speaks: "HTTP" | "WebSocket" | "not yet";
  path: string | undefined;
  over: boolean;
};

/** Starts a cable. Resolves when it listens, and rejects (EADDRINUSE) when the port is taken. */
export async function createCable(options: CableOptions): Promise<Cable> {
  const { hosts = listenAddresses({}), targetPort, targetHost = "127.0.0.1" } = options;
  const events: Cable["events"] = new EventEmitter();
  const startedMs = performance.now();
  const nowMs = () => Math.round((performance.now() - startedMs) * 100) / 100;
  const log = entryLog((entry) => events.emit("entry", entry));
  const connections = new Map<number, Connection>();
  const before = noCounts(); // the counts of connections that have ended
  const faults: Faults = {};
  let server: Server | undefined;
  let stopOthers = () => {};
  let port = options.listenPort;
  let numbers = 0;
  let ended = false;

  const changed = () => events.emit("change");
  const tell = (connection: number, seen: Seen) => log.add(connection, nowMs(), seen);

  async function listen(): Promise<void> {
    const options = { allowHalfOpen: true, noDelay: true, backlog };
    const one = createServer(options, accept);
    const [host, ...others] = hosts;
    await new Promise<void>((resolve, reject) => {
      one.once("error", reject);
      one.listen({ port, host, backlog }, () => {
        one.off("error", reject);
        // Out of file descriptors, for example: that one connection is lost, but the cable keeps running.
        one.on("error", () => {});
        resolve();
      });
    });
    const address = one.address();
    if (address && typeof address === "object") port = address.port;
    try {
      stopOthers = await alsoListen(one, port, others, options);
    } catch (error) {
      one.close();
      throw error;
    }
    server = one;
  }

  function accept(page: Socket): void {
    const number = ++numbers;
    const target = new Socket({ allowHalfOpen: true });
    const counts = noCounts();
    counts.connections = 1;
    tell(number, { kind: "connection-open" });
    const reader = new ConnectionReader(counts, nowMs, (seen) => {
      if (seen.kind === "request" && seen.direction === "up") {
        connection.path = seen.path;
        if (connection.speaks === "not yet") connection.speaks = "HTTP";
      } else if (seen.kind === "handshake") {
        connection.speaks = "WebSocket";
        changed();
      }
      return tell(number, seen);
    });
    const hooks = (direction: Direction) => ({
      passed(bytes: Buffer) {
        counts[direction].bytes += bytes.length;
        reader.read(direction, bytes);
      },
      ended: (how: "FIN" | "RST", why: string | undefined) => halfEnded(connection, direction, how, why),
    });
    const connection: Connection = {
      number,
      openedMs: nowMs(),
      page,
      server: target,
      up: pipe(page, target, pipeFaults(faults, "up"), hooks("up")),
      down: pipe(target, page, pipeFaults(faults, "down"), hooks("down")),
      reader,
      counts,
      faults: { ...faults },
      finished: { up: false, down: false },
      speaks: "not yet",
      path: undefined,
      over: false,
    };
    connections.set(number, connection);
    connectIfThawed(connection);
    changed();
  }

  /** On a frozen cable, the server doesn't see a new connection: its SYN wouldn't arrive either. */
  function connectIfThawed({ server: target, faults }: Connection): void {
    const frozen = faults.freeze === "both" || faults.freeze === "up";
    if (!frozen && target.pending && !target.connecting && !target.destroyed)
      target.connect({ port: targetPort, host: targetHost, noDelay: true });
  }

  function halfEnded(
    connection: Connection,
    direction: Direction,
    how: "FIN" | "RST",
    why: string | undefined,
  ): void {
    const by = direction === "up" ? "page" : "server";
    if (how === "RST") {
      over(connection, { how, by, ...(why !== undefined && { why }) });
      reset(connection);
    } else {
      connection.reader.end(direction);
      connection.finished[direction] = true;
      const { up, down } = connection.finished;
      if (up && down) over(connection, { how, by });
      else tell(connection.number, { kind: "connection-end", how, by, last: false });
      if (by === "server") letGo(connection);
    }
  }

  /** The server has ended a connection. A page that stays silent must not keep it open in the cable. */
  function letGo(connection: Connection): void {
    const { page, server: target } = connection;
    page.setTimeout(silentAfterEndMs, () => {
      // On a frozen cable nothing closes. A page that still reads hasn't received everything yet.
      if (connection.over || connection.faults.freeze || page.writableLength > 0) return;
      over(connection, {
        how: "FIN",
        by: "cable",
        why: "the server had ended it, and the page stayed silent",
      });
      page.destroy();
      target.destroy();
    });
  }

  /** Adds the entry that the connection has ended, once. The caller ends its sockets. */
  function over(
    connection: Connection,
    end: { how: "FIN" | "RST"; by: "page" | "server" | "cable"; why?: string },
  ): void {
    if (connection.over) return;
    connection.over = true;
    connection.up.stop();
    connection.down.stop();
    for (const direction of ["up", "down"] as const)
      if (!connection.finished[direction]) connection.reader.end(direction);
    tell(connection.number, { kind: "connection-end", ...end, last: true });
    addCounts(before, connection.counts);
    connections.delete(connection.number);
    changed();
  }

  function reset({ page, server: target }: Connection): void {
    for (const socket of [page, target]) {
      const isEnding = socket.writableEnded && !socket.writableFinished;
      // A socket that was never connected can't send an RST. In one that is sending its FIN, Node can't either.
      if ((socket.pending && !socket.connecting) || isEnding) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  /** The connections that a command is for: one, or all. */
  function meant({ connection }: Which): Connection[] {
    if (connection === undefined) return [...connections.values()];
    const one = connections.get(connection);
    if (one) return [one];
    const open = [...connections.keys()].slice(-20).join(", ") || "none";
    throw new Error(`Connection ${connection} isn't open. Open connections: ${open}.`);
  }

  /** Sets faults for one connection, or for all that are open or will be. */
  function change(which: Which, alter: (faults: Faults) => void): void {
    for (const connection of meant(which)) {
      alter(connection.faults);
      apply(connection);
    }
    if (which.connection === undefined) alter(faults);
    changed();
  }

  function apply(connection: Connection): void {
    connectIfThawed(connection);
    connection.up.set(pipeFaults(connection.faults, "up"));
    connection.down.set(pipeFaults(connection.faults, "down"));
  }

  await listen();

  return {
    get port() {
      return port;
    },
    events,
    entries: log.after,
    lastId: log.lastId,
    nowMs,
    counts() {
      const sum = noCounts();
      addCounts(sum, before);
      for (const { counts } of connections.values()) addCounts(sum, counts);
      return sum;
    },
    state: () => ({
      refusing: !server,
      faults: { ...faults },
      open: connections.size,
      // Only the latest hundred: a thousand would make every message to the panel long.
      connections: [...connections.values()]
        .slice(-100)
        .map(({ number, openedMs, speaks, path, faults, counts }) => ({
          number,
          openedMs,
          speaks,
          ...(path !== undefined && { path }),
          faults: { ...faults },
          counts: structuredClone(counts),
        })),
    }),
    note: (seen) => void tell(0, seen),
    close(which = {}) {
      for (const connection of meant(which)) {
        const { page, server: target, up, down } = connection;
        up.flush();
        down.flush();
        over(connection, { how: "FIN", by: "cable" });
        page.end();
        if (target.pending && !target.connecting) target.destroy();
        else target.end();
        // A side that doesn't answer our FIN would keep its half open forever.
        setTimeout(() => {
          page.destroy();
          target.destroy();
        }, closeWithinMs).unref();
      }
    },
    reset(which = {}) {
      for (const connection of meant(which)) {
        over(connection, { how: "RST", by: "cable" });
        reset(connection);
      }
    },
    freeze({ direction = "both", ...which } = {}) {
      change(which, (faults) => {
        faults.freeze = direction;
      });
    },
    delay({ ms, jitterMs = 0, direction = "both", ...which }) {
      change(which, (faults) => {
        if (ms === 0 && jitterMs === 0) delete faults.delay;
        else faults.delay = { ms, jitterMs, direction };
      });
    },
    throttle({ bytesPerSecond, direction = "both", ...which }) {
      change(which, (faults) => {
        if (bytesPerSecond === null) delete faults.throttle;
        else faults.throttle = { bytesPerSecond, direction };
      });
    },
    async refuse() {
      server?.close();
      stopOthers();
      server = undefined;
      changed();
    },
    async heal({ frozen = "deliver", ...which } = {}) {
      for (const connection of meant(which)) {
        const lost =
          frozen === "drop" &&
          (["up", "down"] as const).some(
            (direction) =>
              pipeFaults(connection.faults, direction).frozen && connection[direction].waitingBytes() > 0,
          );
        if (!lost) continue;
        over(connection, { how: "RST", by: "cable", why: "what was frozen was dropped" });
        reset(connection);
      }
      const remaining = which.connection === undefined || connections.has(which.connection);
      if (remaining)
        change(which, (faults) => {
          delete faults.freeze;
          delete faults.delay;
          delete faults.throttle;
        });
      if (which.connection === undefined && !server && !ended) await listen();
      changed();
    },
    async end() {
      ended = true;
      for (const connection of [...connections.values()]) {
        over(connection, { how: "RST", by: "cable" });
        reset(connection);
      }
      const one = server;
      server = undefined;
      stopOthers();
      if (one) await new Promise((resolve) => one.close(resolve));
    },
  };
}

function pipeFaults({ freeze, delay, throttle }: Faults, direction: Direction): PipeFaults {
  const concerns = (one: Direction | "both" | undefined) => one === "both" || one === direction;
  const late = concerns(delay?.direction);
  return {
    frozen: concerns(freeze),
    delayMs: late ? (delay?.ms ?? 0) : 0,
    jitterMs: late ? (delay?.jitterMs ?? 0) : 0,
    bytesPerSecond: concerns(throttle?.direction) ? throttle?.bytesPerSecond : undefined,
  };
}

function addCounts(sum: Counts, more: Counts): void {
  sum.connections += more.connections;
  sum.requests += more.requests;
  for (const direction of ["up", "down"] as const)
    for (const what of ["bytes", "headerBytes", "payloadBytes", "frames"] as const)
      sum[direction][what] += more[direction][what];
}
