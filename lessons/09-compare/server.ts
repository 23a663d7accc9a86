// Compare: one stream of messages, offered in four ways. Each lane is a process of its own, so that its CPU time can
// be told apart: this same program, which is begun once more for each.
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { type WebSocket, WebSocketServer } from "ws";
import { type Answer, beat as beatFields, type Message } from "../../shared/both/old-message.ts";
import { openDesks, type Said } from "../../shared/machinery/compare/desk.ts";
import { endWithParent } from "../../shared/machinery/compare/processes.ts";
import { beat, heartbeat } from "../../shared/pieces/heartbeat.ts";
import { type Cursor, MessageLog } from "../../shared/server/message-log.ts";
import { type Routes, readCursor, sendJson } from "../../shared/server/old-http.ts";
import { serve } from "../../shared/server/old-serve.ts";
import { deliver, frameLimits, readMessage } from "../../shared/server/old-sockets.ts";
import type { Settings } from "./settings.ts";
import { resume } from "./shapes.ts";

const holdMs = Number(process.env.HOLD_MS ?? 25_000);
/** A reader that leaves this many bytes unread is ended, and comes back with its cursor. */
const unreadLimit = 1024 * 1024;

/** The lane that this process is for; undefined in the first one, which has the stream and begins the others. */
const [lane, logName] = process.argv.slice(2);

// A minute of the fastest stream: so long may a network be frozen before something is lost.
const log = new MessageLog(6_000, logName);
const waiting = new Set<() => void>();
const streams = new Set<ServerResponse>();
const clients = new Set<WebSocket>();
/** Messages handed to readers: what the CPU time is divided by. */
let delivered = 0;

/** A message is in the log: on with it to those who read. */
function toReaders(message: Message) {
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
  delivered += streams.size + clients.size;
}

const toEvent = (message: Message) => `id: ${message.id}\ndata: ${JSON.stringify(message)}\n\n`;

/** What came after the cursor: the answer to a question. */
function answerTo(cursor: Cursor): Answer {
  const answer = log.after(cursor);
  delivered += answer.messages.length;
  return answer;
}

/**
 * Writes what came after the cursor, no faster than the reader takes it, until nothing is left to catch up on.
 * Then the reader can `join` those who hear each message as it is published: in the same step, so none falls between.
 */
async function follow(
  cursor: Cursor,
  write: (message: Message) => Promise<unknown> | false,
  join: () => void,
) {
  let { messages } = answerTo(cursor);
  for (; messages.length > 0; { messages } = answerTo({ after: messages.at(-1)?.id ?? 0 }))
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

const routes: Routes = {
  // 1. Polling: lesson 1's answer.
  "GET /messages": (_request, response, query) =>
    // Exercise: compressed, where the page accepts it and it pays.
    sendJson(response, 200, answerTo(readCursor(query) ?? { after: 0 })),

  // 2. Long polling: lesson 2's.
  "GET /wait": (_request, response, query) => {
    const cursor = readCursor(query) ?? log.end;
    const news = answerTo(cursor);
    if (news.reset || news.messages.length > 0) return sendJson(response, 200, news);
    const reply = () => sendJson(response, 200, answerTo(cursor));
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
};

if (lane) beLane();
else beStream();

/** A lane's process: hears each message from the first process, and says what it has spent. */
function beLane() {
  endWithParent();
  const hear = (messages: Message[]) => {
    for (const message of messages) toReaders(log.take(message));
  };
  process.once("message", (history: Message[]) => {
    // Served only with what was said before: a reader that comes back would seem to come from the future.
    hear(history);
    process.on("message", hear);
    const server = serve({ sockets, routes });
    server.on("listening", () => process.send?.({ port: (server.address() as AddressInfo).port }));
    let before = process.cpuUsage();
    setInterval(() => {
      const { user, system } = process.cpuUsage(before);
      before = process.cpuUsage();
      process.send?.({ cpuMicros: user + system, delivered } satisfies Said);
      delivered = 0;
    }, 500);
  });
}

/** The first process: the stream, and the pages' desks. It serves the four ways as well, for curl; nothing counts it. */
function beStream() {
  let settings: Settings = { perSecond: 1, size: 100, everyMs: 1_000, clients: 1 };
  let dueMs = performance.now();
  let timer: NodeJS.Timeout;

  // At random moments, as people speak: on the beat, a poll would always come equally late.
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
    desks.toLanes([message]);
    toReaders(message);
  }

  const desks = openDesks(fileURLToPath(import.meta.url), log, settings, (changed) => {
    settings = changed;
    dueMs = performance.now();
    publishNext();
  });
  serve({ sockets, routes: { ...routes, ...desks.routes } });
  publishNext();
}
