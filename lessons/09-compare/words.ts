// What is seen now, in words.
import { duration, readable } from "../../shared/page/numbers.ts";
import type { Figures } from "./figures.ts";
import { type Lane, lanes, names, type Settings } from "./settings.ts";

type Seen = Record<Lane, Pick<Figures, "late" | "perMessage">>;
const order: Lane[] = ["polling", "websocket", "sse", "long-polling"];

/** "Polling every second: half a second late on average, 490 bytes for each message of 100." */
export function inWords(seen: Seen, { size, everyMs }: Pick<Settings, "size" | "everyMs">): string {
  const said = order.flatMap((lane) => {
    const { late, perMessage } = seen[lane];
    if (!late || !perMessage) return [];
    const what = lane === "polling" ? `Polling ${every(everyMs)}` : names[lane];
    const bytes = Math.round(perMessage.bytes);
    return lane === "polling"
      ? `${what}: ${lateness(late.mean)} on average, ${readable(bytes)} bytes for each message of ${readable(size)}.`
      : `${what}: ${lateness(late.mean)}, ${readable(bytes)} bytes.`;
  });
  if (said.length === 0) return "Nothing has arrived yet.";
  return [...said, verdict(seen)].filter(Boolean).join(" ");
}

function verdict(seen: Seen): string {
  const [polling, long, sse, websocket] = lanes.map((lane) => seen[lane].perMessage);
  if (!polling || !long || !sse || !websocket) return "";
  const nearly = 1.25;
  if (Math.max(polling.bytes, long.bytes) < nearly * websocket.bytes && websocket.message > 1_000)
    return "Messages of this size make all four cost about the same bytes.";
  // A poll that brings one message or none has nothing to spread its headers over.
  if (polling.requests > 0.5) return "";
  if (polling.bytes < 0.98 * sse.bytes)
    return "Counted in bytes, polling wins: one answer carries many messages.";
  if (polling.bytes < nearly * sse.bytes)
    return "Counted in bytes, polling is about as cheap as server-sent events: one answer carries many messages.";
  if (polling.bytes < 0.8 * long.bytes)
    return "Counted in bytes, polling beats long polling, which spends a request on nearly every message.";
  return "";
}

export function every(ms: number): string {
  if (ms === 1_000) return "every second";
  return `every ${ms < 1_000 ? duration(ms) : `${ms / 1_000} s`}`;
}

export function lateness(ms: number): string {
  if (ms >= 450 && ms <= 600) return "half a second late";
  if (ms >= 900 && ms <= 1_100) return "a second late";
  return `${ms < 1 ? "less than 1 ms" : duration(ms)} late`;
}
