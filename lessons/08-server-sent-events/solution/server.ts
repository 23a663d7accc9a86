// Server-sent events: one response that never ends. The browser reconnects by itself and sends the last id it saw.
import type { ServerResponse } from "node:http";
import * as v from "valibot";
import { Name, Text } from "../../../shared/both/message.ts";
import { atMostEvery } from "../../../shared/server/at-most-every.ts";
import { readCursor, readJson, sendJson, writePiece } from "../../../shared/server/http.ts";
import { type Cursor, MessageLog } from "../../../shared/server/message-log.ts";
import { serve } from "../../../shared/server/serve.ts";
import { beat, event, firstEvents, readLastEventId, retry, start } from "../events.ts";

const beatEveryMs = Number(process.env.BEAT_EVERY_MS ?? 15_000);
const log = new MessageLog(Number(process.env.HISTORY ?? 4_000));
const streams = new Set<ServerResponse>();
const Id = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, "must be letters, digits and hyphens."));
const Say = v.strictObject({ from: Name, text: Text, id: v.optional(Id) });
let recentIds: (string | undefined)[] = [];

function broadcast(text: string) {
  const bytes = Buffer.from(text);
  for (const stream of streams) {
    // More than 1 MiB unread: disconnect this page. Its browser reconnects and gets the rest.
    if (stream.writableLength > 1024 * 1024) stream.destroy();
    else stream.write(bytes);
  }
}
setInterval(() => broadcast(beat(beatEveryMs)), beatEveryMs);

// No id: presence isn't a message, and a page that reconnects asks for messages. Sent once for all changes within 50 ms.
const presenceChanged = atMostEvery(50, () => broadcast(`event: presence\ndata: ${streams.size}\n\n`));

/** Sends what a page missed, about 4 KiB at a time. The page is live in the same turn that sends the last of it. */
function replay(stream: ServerResponse, cursor: Cursor) {
  const { reset, messages } = log.after(cursor);
  const { events, count } = firstEvents(log.name, messages);
  const before = messages[0] ? messages[0].id - 1 : log.end.after;
  const next = { after: before + count, log: log.name };
  const isLast = count === messages.length;
  writePiece(stream, start(log.name, before, reset) + events, () => isLast || replay(stream, next));
  if (!isLast) return;
  streams.add(stream);
  presenceChanged();
}

serve({
  "GET /events": (request, response, query) => {
    const cursor = readLastEventId(request.headers["last-event-id"]) ?? readCursor(query) ?? { after: 0 };
    // Without X-Accel-Buffering, nginx would hold events back until its buffer is full.
    response.writeHead(200, { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" });
    if (request.method === "HEAD") return void response.end();
    response.write(retry(Number(process.env.RETRY_MS ?? 2_000)));
    response.on("close", () => {
      if (!streams.delete(response)) return;
      console.log(`closed: ${streams.size} open`);
      presenceChanged();
    });
    replay(response, cursor);
    response.write(beat(beatEveryMs));
  },

  // The other direction is a request for each message. A second one with the same id is answered and dropped.
  "POST /messages": async (request, response) => {
    const { from, text, id } = v.parse(Say, await readJson(request));
    if (id && recentIds.includes(id)) return sendJson(response, 200, { double: true });
    recentIds = [id, ...recentIds].slice(0, 1_000);
    const message = log.add(from, text);
    sendJson(response, 201, message);
    broadcast(event(log.name, message));
  },
});
