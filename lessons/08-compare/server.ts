// Compare: one stream of messages, offered in four ways at once, each over a cable of its own that counts its bytes.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { beat as beatFields, type Message, readFields } from "../../shared/both/message.ts";
import { type Cable, createCable } from "../../shared/cable/proxy.ts";
import { HttpError, readCursor, readJson, sendJson } from "../../shared/server/http.ts";
import { type Cursor, MessageLog } from "../../shared/server/message-log.ts";
import { isOurPage } from "../../shared/server/ours.ts";
import { serve } from "../../shared/server/serve.ts";
import { deliver, frameLimits, readMessage } from "../../shared/server/sockets.ts";
import { beat, heartbeat } from "../05-heartbeat-reconnect/heartbeat.ts";
import { lanes, type Settings, toLanes } from "./settings.ts";
import { command, delay, readSettings, resume } from "./shapes.ts";

const holdMs = Number(process.env.HOLD_MS ?? 25_000);
/** A reader that leaves this many bytes unread is ended, and comes back with its cursor. */
const unreadLimit = 1024 * 1024;

// A minute of the fastest stream: so long may a network be frozen before something is lost.
const log = new MessageLog(6_000);

// The stream. At random moments, as people speak: on the beat, a poll would always come equally late.
let settings: Settings = { perSecond: 1, size: 100 };
let dueMs = performance.now();
let timer: NodeJS.Timeout;

function publishNext() {
  // After a stall (a laptop's lid) what was not said meanwhile is not said all at once.
  dueMs = Math.max(dueMs, performance.now() - 1_000) + (Math.random() * 2_000) / settings.perSecond;
  clearTimeout(timer);
  timer = setTimeout(() => {
    publish();
    publishNext();
  }, dueMs - performance.now());
}

function publish() {
  const bare = JSON.stringify({ id: log.end.after + 1, from: "clock", text: "", at: Date.now() });
  const text = "tick ".repeat(settings.size / 5).slice(0, Math.max(0, settings.size - bare.length));
  const message = log.add("clock", text);

  // 1. Polling: nothing to do, the page will ask.
  // 2. Long polling: who waits is answered.
  for (const reply of waiting) reply();
  // 3. Server-sent events, 4. WebSocket: written on.
  const event = toEvent(message);
  for (const stream of streams) {
    if (stream.writableLength > unreadLimit) stream.destroy();
    else stream.write(event);
  }
  const frame = Buffer.from(JSON.stringify(message));
  for (const client of clients) deliver(client, frame);
}

const waiting = new Set<() => void>();
const streams = new Set<ServerResponse>();
const clients = new Set<WebSocket>();
const toEvent = (message: Message) => `id: ${message.id}\ndata: ${JSON.stringify(message)}\n\n`;

/**
 * Writes what came after the cursor, no faster than the reader takes it, until nothing is left to catch up on.
 * Then the reader can `join` those who hear each message as it is published: in the same step, so none falls between.
 */
async function follow(
  cursor: Cursor,
  write: (message: Message) => Promise<unknown> | false,
  join: () => void,
) {
  let { messages } = log.after(cursor);
  for (; messages.length > 0; { messages } = log.after({ after: messages.at(-1)?.id ?? 0 }))
    for (const message of messages) await write(message);
  join();
}

// The WebSocket's lane. The page's first word is its cursor.
const sockets = new WebSocketServer({ noServer: true, ...frameLimits });
sockets.on("connection", (client) => {
  let resumed = false;
  client.on("message", (data, isBinary) => {
    const message = readMessage(client, data, isBinary, { resume, beat: beatFields });
    if (message?.type === "beat") deliver(client, beat);
    if (message?.type !== "resume" || resumed) return;
    resumed = true;
    void follow(
      message,
      (each) => new Promise((written) => client.send(JSON.stringify(each), written)),
      () => client.readyState === client.OPEN && clients.add(client),
    );
  });
  client.on("close", () => clients.delete(client));
  client.on("error", (error) => console.log(`error: ${error.message}`));
});
heartbeat(sockets.clients);

// What the figures come from: each page that looks has four cables of its own, one in front of each lane.
type Desk = {
  stream: ServerResponse;
  cables: Record<string, Cable>;
  frozen: boolean;
  delay: { ms: number; jitterMs: number };
};
const desks = new Map<string, Desk>();
const deskLimit = 8;
const tell = (stream: ServerResponse, event: string, data: unknown) =>
  stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

setInterval(() => {
  for (const { stream, cables, frozen } of desks.values())
    if (stream.headersSent)
      tell(stream, "counts", { frozen, counts: toLanes((lane) => cables[lane]?.counts()) });
}, 500);

function deskOf(page: string): Desk {
  const desk = desks.get(page);
  if (!desk) throw new HttpError(404, "page: no such page is looking.");
  return desk;
}

serve({
  sockets,
  routes: {
    // 1. Polling: lesson 1's answer.
    "GET /messages": (_request, response, query) =>
      sendJson(response, 200, log.after(readCursor(query) ?? { after: 0 })),

    // 2. Long polling: lesson 2's.
    "GET /wait": (_request, response, query) => {
      const cursor = readCursor(query) ?? log.end;
      const news = log.after(cursor);
      if (news.reset || news.messages.length > 0) return sendJson(response, 200, news);
      const reply = () => sendJson(response, 200, log.after(cursor));
      const timer = setTimeout(reply, holdMs);
      waiting.add(reply);
      response.on("close", () => {
        clearTimeout(timer);
        waiting.delete(reply);
      });
    },

    // 3. Server-sent events: one answer that never ends. Last-Event-ID is the cursor of a browser that comes back.
    "GET /events": async (request, response, query) => {
      const last = request.headers["last-event-id"];
      const cursor = readCursor(last === undefined ? query : new URLSearchParams({ after: String(last) }));
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write("retry: 1000\n\n");
      response.on("close", () => streams.delete(response));
      await follow(
        cursor ?? log.end,
        (message) => !response.write(toEvent(message)) && once(response, "drain"),
        () => response.destroyed || streams.add(response),
      );
    },

    // How fast, how large: for every page that looks.
    "POST /settings": async (request, response) => {
      settings = readFields(await readJson(request), readSettings);
      dueMs = performance.now();
      publishNext();
      for (const { stream } of desks.values()) tell(stream, "settings", settings);
      sendJson(response, 200, settings);
    },

    // A page's desk, for as long as it looks: the ports of its four lanes first, then what their cables count.
    "GET /lanes": async ({ headers: { origin }, socket }, response) => {
      if (origin !== undefined && !isOurPage(origin))
        throw new HttpError(403, "Only the workshop's own page.");
      if (desks.size >= deskLimit) throw new HttpError(503, `${deskLimit} pages are looking. Close one.`);
      const target = { targetPort: socket.localPort ?? 0, targetHost: socket.localAddress ?? "127.0.0.1" };
      const page = randomUUID();
      const cables: Record<string, Cable> = {};
      desks.set(page, { stream: response, cables, frozen: false, delay: { ms: 0, jitterMs: 0 } });
      const leave = () => {
        desks.delete(page);
        for (const cable of Object.values(cables)) void cable.end();
      };
      response.on("close", leave);
      for (const lane of lanes) cables[lane] = await createCable({ listenPort: 0, ...target });
      if (response.destroyed) return leave();
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write("retry: 1000\n\n");
      const ports = toLanes((lane) => cables[lane]?.port);
      tell(response, "lanes", { page, ports, settings, cursor: log.end });
    },

    // The network between this page and its lanes fails, and is mended, on all four at once.
    "POST /network": async (request, response) => {
      const { page, command: what } = readFields(await readJson(request), command);
      const desk = deskOf(page);
      if (what !== "cut") desk.frozen = what === "freeze";
      for (const cable of Object.values(desk.cables)) {
        if (what === "freeze") cable.freeze();
        if (what === "cut") cable.close();
        if (what === "heal") await cable.heal();
        if (what === "heal") cable.delay(desk.delay); // the slider's delay is no fault
      }
      sendJson(response, 200, { page, command: what });
    },

    "POST /delay": async (request, response) => {
      const { page, ...asked } = readFields(await readJson(request), delay);
      const desk = deskOf(page);
      desk.delay = asked;
      for (const cable of Object.values(desk.cables)) cable.delay(asked);
      sendJson(response, 200, asked);
    },
  },
});
publishNext();
