// The state of the cable in words: for the picture, for the line below it, and for the drawer's bar.
import { readable } from "../../page/numbers.ts";
import type { Counts, Direction } from "./entry.ts";
import type { ConnectionState, Faults, FullState, ServerState } from "./protocol.ts";

export type CableWords = {
  /** Of the whole cable, for the picture. */
  state: "frozen" | "refusing" | "slow" | "open";
  /** How single connections differ from that, if they do. */
  some: "frozen" | "slow" | "healed" | undefined;
  /** For the picture, a word each: "frozen", "#3 frozen". */
  word: string;
  someWord: string;
  /** In full: "cable frozen both ways; connection 3: not frozen". */
  words: string;
  /** As short as possible, for the bar: "FROZEN", "delay 500 ms". */
  chips: string[];
};

const ways: Record<Direction | "both", string> = {
  both: "both ways",
  up: "page → server",
  down: "page ← server",
};
const kinds = ["freeze", "delay", "throttle"] as const;
type Kind = (typeof kinds)[number];

export function cableWords({ refusing, faults, connections }: FullState): CableWords {
  const all = [
    ...kinds.filter((kind) => faults[kind]).map((kind) => faultWords(kind, faults)),
    ...(refusing ? ["refusing new connections"] : []),
  ];
  const state = faults.freeze ? "frozen" : refusing ? "refusing" : all.length > 0 ? "slow" : "open";
  const different = byDifference(connections, faults);
  const single = different.map(
    ({ numbers, differences }) =>
      `${numbers.length === 1 ? "connection" : "connections"} ${numbers.join(", ")}: ${differences.map((kind) => faultWords(kind.kind, kind.faults)).join(", ")}`,
  );
  const some = different.length > 0 ? someWords(different) : undefined;
  return {
    state,
    some: some?.state,
    word: state,
    someWord: some?.word ?? "",
    words: [`cable ${all.join(", ") || "open"}`, ...single].join("; "),
    chips: [
      ...kinds.filter((kind) => faults[kind]).map((kind) => faultChip(kind, faults)),
      ...(refusing ? ["refusing"] : []),
      ...different.flatMap(({ numbers, differences }) =>
        differences.map(({ kind, faults }) => `${hashes(numbers)} ${faultChip(kind, faults)}`),
      ),
    ],
  };
}

type Difference = { kind: Kind; faults: Faults };
type Different = { numbers: number[]; differences: Difference[] };

/** The connections whose faults aren't those of the whole cable. Equal ones are together. */
function byDifference(connections: ConnectionState[], all: Faults): Different[] {
  const groups = new Map<string, Different>();
  for (const { number, faults } of connections) {
    const differences = kinds
      .filter((kind) => JSON.stringify(faults[kind]) !== JSON.stringify(all[kind]))
      .map((kind) => ({ kind, faults }));
    if (differences.length === 0) continue;
    const key = differences.map(({ kind, faults }) => faultWords(kind, faults)).join();
    const group = groups.get(key);
    if (group) group.numbers.push(number);
    else groups.set(key, { numbers: [number], differences });
  }
  return [...groups.values()];
}

function someWords(different: Different[]): { state: CableWords["some"]; word: string } {
  const numbers = different.flatMap(({ numbers }) => numbers);
  const faults = different.flatMap(({ differences }) => differences);
  const isFrozen = faults.every(({ kind, faults }) => kind === "freeze" && faults.freeze);
  const isSlow = faults.some(({ kind, faults }) => kind !== "freeze" && faults[kind]);
  const state = isFrozen ? "frozen" : isSlow ? "slow" : "healed";
  return { state, word: `${hashes(numbers)} ${state}` };
}

/** "#3", or "4 of them" where their numbers would be too many to read. */
function hashes(numbers: number[]): string {
  return numbers.length <= 2 ? numbers.map((one) => `#${one}`).join(" ") : `${numbers.length} of them`;
}

/** "delayed by 500 ms ± 50 ms, page → server"; "not delayed". */
function faultWords(kind: Kind, { freeze, delay, throttle }: Faults): string {
  if (kind === "freeze") return freeze ? `frozen ${ways[freeze]}` : "not frozen";
  if (kind === "delay") return delay ? `delayed by ${late(delay)}${way(delay)}` : "not delayed";
  return throttle ? `throttled to ${rate(throttle.bytesPerSecond)}${way(throttle)}` : "not throttled";
}

/** "delay 500 ms ± 50 ms"; "no delay". */
function faultChip(kind: Kind, { freeze, delay, throttle }: Faults): string {
  if (kind === "freeze") {
    if (!freeze) return "not frozen";
    return freeze === "both" ? "FROZEN" : `FROZEN ${ways[freeze]}`;
  }
  if (kind === "delay") return delay ? `delay ${late(delay)}${way(delay)}` : "no delay";
  return throttle ? `throttle ${rate(throttle.bytesPerSecond)}${way(throttle)}` : "no throttle";
}

const late = ({ ms, jitterMs }: { ms: number; jitterMs: number }) =>
  `${readable(ms)} ms${jitterMs ? ` ± ${readable(jitterMs)} ms` : ""}`;
const rate = (bytes: number) =>
  bytes < 1_000 ? `${readable(bytes)} B/s` : `${readable(bytes / 1_000)} kB/s`;
const way = ({ direction }: { direction: Direction | "both" }) =>
  direction === "both" ? "" : `, ${ways[direction]}`;

/** After the word "server": "running, process 4711"; "is down: killed (SIGKILL)"; "stopped, back in 8 s". */
export function serverWords({ process, why, pid, backInMs }: ServerState): string {
  const word = wordFor(process);
  const running = process === "running" && pid ? `running, process ${pid}` : word;
  return `${why ? `${word}: ${why}` : running}${back(backInMs)}`;
}

/** "server is down", "server.ts does not compile"; nothing while it runs. */
export function serverChip({ process, why, backInMs }: ServerState): string {
  if (why === "does not compile") return `server.ts ${why}`;
  return process === "running" ? "" : `server ${wordFor(process)}${back(backInMs)}`;
}

const wordFor = (process: ServerState["process"]) => (process === "dead" ? "is down" : process);

const back = (ms: number | undefined) => (ms === undefined ? "" : `, back in ${Math.ceil(ms / 1_000)} s`);

/** A connection in a list to choose from: "3 · WebSocket /chat". Without a query: that changes with each request. */
export function connectionLabel({ number, speaks, path = "" }: ConnectionState): string {
  const [name = ""] = path.split("?");
  const short = name.length > 24 ? `${name.slice(0, 23)}…` : name;
  return `${number} · ${speaks === "not yet" ? "nothing sent yet" : `${speaks} ${short}`}`;
}

/** What passed between two moments, by the cable's own counts: measured, not estimated. */
export function sumWords(
  first: { at: number; counts: Counts },
  last: { at: number; counts: Counts },
): string {
  const seconds = Math.max(1, Math.round((last.at - first.at) / 1_000));
  const sum = (of: (counts: Counts) => number) => of(last.counts) - of(first.counts);
  const requests = sum(({ requests }) => requests);
  const frames = sum(({ up, down }) => up.frames + down.frames);
  const header = sum(({ up, down }) => up.headerBytes + down.headerBytes);
  const payload = sum(({ up, down }) => up.payloadBytes + down.payloadBytes);
  const what = [requests && counted(requests, "request"), frames && counted(frames, "frame")];
  if (header + payload === 0) return `last ${seconds} s: nothing`;
  const parts = [...what.filter(Boolean), `${bytes(header)} of headers for ${bytes(payload)} of payload`];
  return `last ${seconds} s: ${parts.join(", ")}`;
}

/** "1 request", "2,000 requests". */
export function counted(count: number, what: string): string {
  return `${readable(count)} ${what}${count === 1 ? "" : "s"}`;
}

/** "532 B", "32 kB". */
export function bytes(count: number): string {
  return count < 10_000 ? `${readable(count)} B` : `${readable(count / 1_000)} kB`;
}
