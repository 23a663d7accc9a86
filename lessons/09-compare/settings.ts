// What the page, the publisher and the process that runs the lanes agree on.

/** In the order in which the lessons introduce them. The page's colors go by these names. */
export const lanes = ["polling", "long-polling", "sse", "websocket"] as const;
export type Lane = (typeof lanes)[number];

export const names: Record<Lane, string> = {
  polling: "Polling",
  "long-polling": "Long polling",
  sse: "Server-sent events",
  websocket: "WebSocket",
};

/** One value for each lane. */
export function toLanes<Value>(make: (lane: Lane) => Value): Record<Lane, Value> {
  return Object.fromEntries(lanes.map((lane) => [lane, make(lane)])) as Record<Lane, Value>;
}

/**
 * The stream: messages a second on average, and the bytes of one as JSON. Its readers: how often polling asks, and how
 * many clients read each lane, the page included.
 */
export type Settings = { perSecond: number; size: number; everyMs: number; clients: number };

export const initialSettings: Settings = { perSecond: 1, size: 100, everyMs: 1_000, clients: 1 };

/** For the publisher: how to publish, and the ports of the servers that take a request or a WebSocket message. */
export type Order = Pick<Settings, "perSecond" | "size"> & { posts: number[]; sockets: number[] };
