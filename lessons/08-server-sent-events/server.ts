// Server-sent events: one answer that never ends. The browser comes back by itself and says what it heard last.
import type { ServerResponse } from "node:http";
import { WebSocketServer } from "ws";
import { readFields } from "../../shared/both/old-message.ts";
import { Heard, replay, sayOnce } from "../../shared/server/old-resume.ts";
import { MessageLog } from "../../shared/server/message-log.ts";
import { readCursor, readJson, sendJson } from "../../shared/server/old-http.ts";
import { serve } from "../../shared/server/old-serve.ts";
import { frameLimits } from "../../shared/server/old-sockets.ts";
import { beat, event, readLastEventId, readUntil, replayed } from "./events.ts";

const beatEveryMs = Number(process.env.BEAT_EVERY_MS ?? 15_000);
const retryMs = Number(process.env.RETRY_MS ?? 2_000);
/** A page that leaves this many bytes unread is ended: what we send it waits in our memory. */
const unreadLimit = 1024 * 1024;

const log = new MessageLog(Number(process.env.HISTORY ?? 4_000));
const heard = new Heard();
const listening = new Set<ServerResponse>();
/** Those that have everything up to now, and the id at which each wants to stop. */
const live = new Map<ServerResponse, number>();

function toAll(text: string, these: Iterable<ServerResponse>) {
  const bytes = Buffer.from(text);
  for (const response of these) {
    // destroy, not end: the end would wait behind all that is unread. The browser comes back and resumes.
    if (response.writableLength > unreadLimit) response.destroy();
    else response.write(bytes);
  }
}

/** Ends the streams that wanted to hear no more than this. */
function endAt(id: number) {
  for (const [response, until] of live) if (id >= until) end(response);
}

function end(response: ServerResponse) {
  leave(response);
  response.end();
}

function leave(response: ServerResponse) {
  listening.delete(response);
  live.delete(response);
}

// For the page that shows what happens to a seventh stream: a socket still opens.
const sockets = new WebSocketServer({ noServer: true, ...frameLimits });
sockets.on("connection", (client) => {
  client.on("error", () => {});
  client.close(1000, "a socket opens");
});

serve({
  sockets,
  routes: {
    "GET /events": (request, response, query) => {
      // Last-Event-ID is what the browser heard last; ?after= is what the page knew when it began.
      const cursor = readLastEventId(request.headers["last-event-id"]) ?? readCursor(query) ?? { after: 0 };
      const until = readUntil(query);
      // A stream that ends is one to come back to. 204 says: stay away.
      if (cursor.after >= until) return void response.writeHead(204).end();

      // X-Accel-Buffering: nginx would collect the events until there is a page full of them.
      response.writeHead(200, { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" });
      if (request.method === "HEAD") return void response.end();
      // Exercise: everybody is told how many listen now; and again when one has left.
      listening.add(response);
      // Answered to the end, or the page went away: either way nobody listens here any more.
      response.on("close", () => leave(response));

      // Each browser gets a pause of its own, or all would come back in the same instant.
      response.write(`retry: ${Math.round(retryMs * (1 + 1.5 * Math.random()))}\n`);
      replay(
        log,
        cursor,
        (piece, whenSent) => response.write(replayed(piece, cursor.after), whenSent),
        () => {
          live.set(response, until);
          endAt(log.end.after);
        },
      );
      if (listening.has(response)) response.write(beat(beatEveryMs));
    },

    // The other direction: a request for each message, as in lesson 1.
    "POST /messages": async (request, response) => {
      const { from, text, id } = readFields(await readJson(request), sayOnce);
      if (id !== undefined && !heard.isNew(id)) return sendJson(response, 200, { double: true });
      const message = log.add(from, text);
      sendJson(response, 201, message);
      toAll(event(log.name, message), live.keys());
      endAt(message.id);
    },

    // Ends every stream in good order, to see that the browsers come back.
    "POST /cut": (_request, response) => {
      sendJson(response, 200, { cut: listening.size });
      for (const each of listening) end(each);
    },

    "GET /listening": (_request, response) => sendJson(response, 200, { listening: listening.size }),
  },
});

setInterval(() => toAll(beat(beatEveryMs), listening), beatEveryMs);
