// What the figures say, in words.

import { duration, readable } from "../../shared/page/numbers.ts";
import type { StreamFigures } from "../../shared/page/stream-figures.ts";
import { type Lane, lanes, names, type Settings } from "./settings.ts";

type Seen = Record<Lane, Pick<StreamFigures, "late" | "perMessage" | "measuredMs" | "window">>;
type Conditions = Pick<Settings, "size" | "everyMs">;

/** There is no answer before this: a single poll or a burst of messages would decide it. */
const measureForMs = 5_000;
/** Bytes within a twentieth of each other count as the same. */
const same = 0.05;

/** Polling or WebSocket? Three lines, from what was measured: the latency, the bytes, and what follows. */
export function answer(seen: Seen): string[] {
  const { polling, websocket } = seen;
  const measured = Math.min(polling.measuredMs, websocket.measuredMs) >= measureForMs;
  if (!measured || !polling.late || !websocket.late || !polling.perMessage || !websocket.perMessage)
    return ["Measuring for a few seconds.", "When messages are rare, this takes longer.", ""];
  const [poll, socket] = [polling.perMessage.bytes, websocket.perMessage.bytes];
  const [pollMs, socketMs] = [polling.late.mean, websocket.late.mean];
  const cheaper =
    poll < socket * (1 - same) ? "polling" : poll > socket * (1 + same) ? "websocket" : "neither";
  const faster = isLater(socketMs, pollMs) ? "polling" : isLater(pollMs, socketMs) ? "websocket" : "neither";
  // After a long freeze, for example.
  const onlySeems = faster === "polling" && polling.window.lost > 0;
  return [
    `Latency: polling ${ms(pollMs)}, WebSocket ${ms(socketMs)}.`,
    `Bytes per message: polling ${whole(poll)}, WebSocket ${whole(socket)}.`,
    onlySeems ? "Polling seems faster: it lost the late messages." : conclusions[cheaper][faster],
  ];
}

const isLater = (oneMs: number, otherMs: number) => oneMs > otherMs + 20 && oneMs > 1.25 * otherMs;

type Which = "polling" | "websocket" | "neither";

/** What follows, by which of the two is cheaper, and then by which is faster. */
const conclusions: Record<Which, Record<Which, string>> = {
  polling: {
    polling: "Here polling is faster and cheaper.",
    websocket: "Polling is cheaper, the WebSocket faster.",
    neither: "Polling is cheaper, at the same latency.",
  },
  websocket: {
    polling: "The WebSocket is cheaper, polling faster.",
    websocket: "Here the WebSocket is faster and cheaper.",
    neither: "The WebSocket is cheaper, at the same latency.",
  },
  neither: {
    polling: "Same bytes, but polling is faster.",
    websocket: "Same bytes, but the WebSocket is faster.",
    neither: "Here it makes no difference.",
  },
};

/** "Polling every second: half a second late on average, 490 bytes for each message of 100. …" */
export function inWords(seen: Seen, { size, everyMs }: Conditions): string {
  const order: Lane[] = ["polling", "websocket", "sse", "long-polling"];
  const sentences = order.flatMap((lane) => {
    const { late, perMessage } = seen[lane];
    if (!late || !perMessage) return [];
    const bytes = whole(perMessage.bytes);
    return lane === "polling"
      ? `Polling ${every(everyMs)}: ${lateness(late.mean)} on average, ${bytes} bytes for each message of ${readable(size)}.`
      : `${names[lane]}: ${lateness(late.mean)}, ${bytes} bytes.`;
  });
  if (sentences.length === 0) return "Nothing has arrived yet.";
  return [...sentences, verdict(seen)].filter(Boolean).join(" ");
}

function verdict(seen: Seen): string {
  const [polling, long, sse, websocket] = lanes.map((lane) => seen[lane].perMessage);
  if (!polling || !long || !sse || !websocket) return "";
  const nearly = 1.25;
  const least = Math.min(long.bytes, sse.bytes, websocket.bytes);
  if (Math.max(polling.bytes, long.bytes) < nearly * least && websocket.message > 1_000)
    return "At this size, headers hardly matter: no lane costs a quarter more than another.";
  // A poll that brings one message or none has nothing to share its headers among.
  if (polling.requests > 0.5) return "";
  if (polling.bytes < (1 - same) * least)
    return "Polling costs the fewest bytes: one answer carries many messages.";
  if (polling.bytes < (1 + same) * least)
    return "Polling costs about as few bytes as the cheapest lane: one answer carries many messages.";
  if (polling.bytes < nearly * least)
    return "Polling costs hardly more bytes than the cheapest lane: one answer carries many messages.";
  if (polling.bytes < 0.8 * long.bytes)
    return "Polling costs fewer bytes than long polling, which needs a request for nearly every message.";
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

const ms = (value: number) => (value < 1 ? "less than 1 ms" : duration(value));
const whole = (bytes: number) => readable(Math.round(bytes));
