// What both halves agree on: the four lanes, and what can be set.

/** In the order in which the lessons meet them; the names that the page's colours go by. */
export const lanes = ["polling", "long-polling", "sse", "websocket"] as const;
export type Lane = (typeof lanes)[number];

/** As they are written in a sentence. */
export const names: Record<Lane, string> = {
  polling: "Polling",
  "long-polling": "Long polling",
  sse: "Server-sent events",
  websocket: "WebSocket",
};

/** Something for each lane. */
export function toLanes<Value>(make: (lane: Lane) => Value): Record<Lane, Value> {
  return Object.fromEntries(lanes.map((lane) => [lane, make(lane)])) as Record<Lane, Value>;
}

/**
 * The stream: messages a second on average, and the bytes of one, as JSON. Its readers: how often those who poll ask,
 * and how many there are in each lane, the page among them.
 */
export type Settings = { perSecond: number; size: number; everyMs: number; clients: number };

/**
 * What a lane's process has spent since it was begun, what one without readers has spent in the same time, and the
 * messages that the lane's readers were handed.
 */
export type Spent = { cpuMicros: number; idleMicros: number; delivered: number };
