// The messages between a drawer and the cable: JSON over a WebSocket. Types only, for the browser as well.
import type { Counts, Direction, Entry } from "./entry.ts";

export type { FromPanel } from "./command.ts";

/** The faults in force for the cable as a whole, or for one connection. */
export type Faults = {
  freeze?: Direction | "both";
  delay?: { ms: number; jitterMs: number; direction: Direction | "both" };
  throttle?: { bytesPerSecond: number; direction: Direction | "both" };
};

export type ConnectionState = {
  number: number;
  /** Since the cable started, as `atMs` in entries. */
  openedMs: number;
  speaks: "HTTP" | "WebSocket" | "not yet";
  /** Of the latest request. */
  path?: string;
  faults: Faults;
  counts: Counts;
};

export type CableState = {
  /** New connections are refused. */
  refusing: boolean;
  /** For new connections. Each open one has its own. */
  faults: Faults;
  /** How many connections are open. */
  open: number;
  /** The latest 100 of them. */
  connections: ConnectionState[];
};

export type ServerState = {
  /** "dead": it crashed, was killed, or does not compile. "stopped": on command, for a while or until restarted. */
  process: "starting" | "running" | "stopping" | "dead" | "stopped";
  pid?: number;
  /** Why it is dead, in words: "killed (SIGKILL)", "exit code 1", "does not compile". */
  why?: string;
  /** How long until it is back, from this message on. */
  backInMs?: number;
};

/** To the panel. */
export type ToPanel =
  /** First, once. `run` differs when the cable has been restarted, and numbers entries from 1 again. */
  | { type: "hello"; run: string; state: FullState }
  | { type: "state"; state: FullState }
  /** In order; `leftOut` entries before these were not sent. */
  | { type: "entries"; entries: Entry[]; leftOut: number; counts: Counts }
  | { type: "reply"; id?: number; ok: true }
  | { type: "reply"; id?: number; ok: false; error: string };

export type FullState = CableState & {
  counts: Counts;
  server: ServerState;
  /** The cable's clock, as `atMs` in entries. */
  nowMs: number;
};
