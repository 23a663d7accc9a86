// The crowd: more readers of each lane, in a process of their own, so that what reading costs is not counted.
import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { WebSocket } from "ws";
import type { Lane } from "../../../lessons/09-compare/settings.ts";
import type { Answer } from "../../both/old-message.ts";
import type { Cursor } from "../../server/message-log.ts";
import { endWithParent } from "./processes.ts";

export type Crowd = {
  readers: number;
  everyMs: number;
  cursor: Required<Cursor>;
  ports: Record<Lane, number>;
};
const { readers, everyMs, cursor, ports }: Crowd = JSON.parse(process.argv[2] ?? "");

endWithParent();

/** The last message that anybody here has heard of: where one who comes back begins. */
let newest = cursor.after;

// As much as a browser says: to read it is part of what a question costs.
const page = `http://localhost:${process.env.PAGE_PORT ?? 8000}`;
const headers = {
  "User-Agent":
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  Accept: "*/*",
  "Accept-Language": "en-US,en;q=0.9",
  "Accept-Encoding": "gzip, deflate, br, zstd",
  Origin: page,
  Referer: `${page}/`,
  "Sec-Fetch-Dest": "empty",
  "Sec-Fetch-Mode": "cors",
  "Sec-Fetch-Site": "same-site",
};
const agent = new Agent({ keepAlive: true });

async function answered(lane: Lane, path: string): Promise<IncomingMessage> {
  const request = get({ host: "127.0.0.1", port: ports[lane], path, headers, agent });
  const [response] = await once(request, "response");
  return response;
}

async function ask(lane: Lane, path: string, after: number): Promise<number> {
  const response = await answered(lane, `${path}?after=${after}&log=${cursor.log}`);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const plain = response.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
  const { messages }: Answer = JSON.parse(plain.toString());
  const last = messages.at(-1)?.id ?? after;
  newest = Math.max(newest, last);
  return last;
}

/** Reads in one of the four ways, until the connection ends. */
const read: Record<Lane, () => Promise<unknown>> = {
  async polling() {
    for (let after = newest; ; await pause(everyMs)) after = await ask("polling", "/messages", after);
  },
  async "long-polling"() {
    for (let after = newest; ; ) after = await ask("long-polling", "/wait", after);
  },
  async sse() {
    const response = await answered("sse", `/events?after=${newest}`);
    await once(response.resume(), "close");
  },
  async websocket() {
    const socket = new WebSocket(`ws://127.0.0.1:${ports.websocket}`, { perMessageDeflate: false });
    socket.on("open", () => socket.send(JSON.stringify({ type: "resume", after: newest, log: cursor.log })));
    await once(socket, "close");
  },
};

async function stay(lane: Lane) {
  // Not all in the same moment, and neither do they ask.
  for (; ; await pause(1_000)) {
    await pause(Math.random() * everyMs);
    await read[lane]().catch(() => {});
  }
}

for (const lane of Object.keys(read) as Lane[]) for (let n = 0; n < readers; n++) void stay(lane);
