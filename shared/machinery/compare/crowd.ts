// The crowd: more readers of each lane. They have a process of their own, so the cost of reading isn't counted as the server's.
import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { type Lane, lanes, toLanes } from "../../../lessons/09-compare/settings.ts";
import type { Answer } from "../../both/message.ts";
import type { CrowdOrder, CrowdReport } from "./crowd-process.ts";

let order: CrowdOrder | undefined;
const received: CrowdReport = toLanes(() => 0);
/** One for each reader: aborted, it stops. */
const readers = toLanes((): AbortController[] => []);
/** How far the readers of each lane are. */
const latest: Partial<Record<Lane, Position>> = {};

process.on("message", (news: CrowdOrder) => {
  order = news;
  for (const lane of lanes) {
    const wanted = news.ports[lane].length > 0 ? news.readers : 0;
    while (readers[lane].length > wanted) readers[lane].pop()?.abort();
    while (readers[lane].length < wanted) {
      const stopping = new AbortController();
      readers[lane].push(stopping);
      void stay(lane, news.after, stopping.signal);
    }
  }
});
setInterval(() => process.send?.(received), 500);
process.on("disconnect", () => process.exit());

// As many headers as a browser sends: reading them is part of what a request costs.
const page = `http://localhost:${process.env.PAGE_PORT ?? 8000}`;
const headers = {
  "User-Agent":
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  Accept: "*/*",
  "Accept-Language": "en-US,en;q=0.9",
  Origin: page,
  Referer: `${page}/`,
  "Sec-Fetch-Dest": "empty",
  "Sec-Fetch-Mode": "cors",
  "Sec-Fetch-Site": "same-site",
};

/** A cursor, and the name of the log that it belongs to: "" before the first answer. */
type Position = { log: string; after: number };

/** One reader: where it is in the lane's log, and a connection of its own, like a browser's. */
type Reader = Position & { lane: Lane; agent: Agent; signal: AbortSignal };

/** Reads one lane until `signal`. A connection that ends is opened again a second later, with the cursor. */
async function stay(lane: Lane, after: number, signal: AbortSignal) {
  const reader: Reader = {
    lane,
    after,
    log: "",
    agent: new Agent({ keepAlive: true, maxSockets: 1 }),
    signal,
  };
  for (; !signal.aborted; await pause(1_000)) {
    // Not all readers in the same moment.
    await pause(Math.random() * (order?.everyMs ?? 1_000));
    // The publisher is ahead of a busy lesson. A cursor from the future would get the whole log.
    if (!reader.log) Object.assign(reader, latest[lane]);
    if (!signal.aborted) await read[lane](reader).catch(() => {});
  }
  reader.agent.destroy();
}

const read: Record<Lane, (reader: Reader) => Promise<unknown>> = {
  async polling(reader) {
    for (; !reader.signal.aborted; await pause(order?.everyMs ?? 1_000)) await ask(reader);
  },
  async "long-polling"(reader) {
    while (!reader.signal.aborted) await ask(reader);
  },
  async sse(reader) {
    const response = await answered(reader, `/events?${cursor(reader)}`);
    let rest = "";
    for await (const text of response.setEncoding("utf8")) {
      const events = (rest + text).split("\n\n");
      rest = events.pop() ?? "";
      for (const event of events) {
        // A message has both; its id names the log and the place in it.
        const [, log, id] = event.match(/^id: (\w+):(\d+)\ndata: /) ?? [];
        if (log) seen(reader, log, Number(id), 1);
      }
    }
  },
  async websocket(reader) {
    const socket = new WebSocket(`ws://127.0.0.1:${order?.ports.websocket[0]}`, { perMessageDeflate: false });
    const stop = () => socket.terminate();
    reader.signal.addEventListener("abort", stop);
    socket.on("error", () => {});
    socket.on("open", () => {
      const { after, log } = reader;
      socket.send(JSON.stringify({ type: "resume", after, ...(log && { log }) }));
    });
    socket.on("message", (data) => {
      const message = JSON.parse(data.toString());
      if (message.type === "message") seen(reader, reader.log, message.id, 1);
      if (message.type === "replay") take(reader, message);
    });
    await once(socket, "close");
    reader.signal.removeEventListener("abort", stop);
  },
};

async function ask(reader: Reader) {
  const response = await answered(reader, `/messages?${cursor(reader)}`);
  let body = "";
  for await (const text of response.setEncoding("utf8")) body += text;
  take(reader, JSON.parse(body));
}

function answered({ lane, agent, signal }: Reader, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const port = order?.ports[lane][0];
    get({ host: "127.0.0.1", port, path, headers, agent, signal }, resolve).on("error", reject);
  });
}

const cursor = ({ after, log }: Reader) => `after=${after}${log && `&log=${log}`}`;

function take(reader: Reader, { log, reset, messages }: Answer) {
  seen(reader, log, messages.at(-1)?.id ?? (reset ? 0 : reader.after), messages.length);
}

function seen(reader: Reader, log: string, after: number, count: number) {
  latest[reader.lane] = { log, after };
  Object.assign(reader, latest[reader.lane]);
  received[reader.lane] += count;
}
