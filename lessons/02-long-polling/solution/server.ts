// Long polling: the page asks once, and the server holds its answer back until there is a message.
import * as v from "valibot";
import { Name, Text } from "../../../shared/both/message.ts";
import { readCursor, readJson, sendJson } from "../../../shared/server/http.ts";
import { MessageLog } from "../../../shared/server/message-log.ts";
import { serve } from "../../../shared/server/serve.ts";

/** Proxies end idle requests, many of them after 60 s. So the server sends an empty answer before that. */
const holdMs = Number(process.env.HOLD_MS ?? 25_000);

/** Messages within this time share an answer. Nobody notices a delay this short. */
const gatherMs = 50;

const log = new MessageLog();
const waiting = new Set<() => void>();

/** What a page may send: {"from":"Ada","text":"Hello"}, and no other field. */
const Say = v.strictObject({ from: Name, text: Text });

serve({
  "GET /messages": (_request, response, query) => {
    // Without a cursor, a page gets only later messages. It loses those that came between its requests.
    const cursor = readCursor(query) ?? log.end;
    const news = log.after(cursor);
    if (news.reset || news.messages.length > 0) return sendJson(response, 200, news);

    const reply = () => sendJson(response, 200, log.after(cursor));
    let timer = setTimeout(reply, holdMs);
    const replySoon = () => {
      // The first message sets the time. Later ones don't move it, or a steady talker would keep us waiting.
      waiting.delete(replySoon);
      clearTimeout(timer);
      timer = setTimeout(reply, gatherMs);
    };
    waiting.add(replySoon);
    // Answered, or the page has gone: either way it no longer waits.
    response.on("close", () => {
      clearTimeout(timer);
      waiting.delete(replySoon);
    });
  },

  "POST /messages": async (request, response) => {
    const { from, text } = v.parse(Say, await readJson(request));
    sendJson(response, 201, log.add(from, text));
    for (const replySoon of waiting) replySoon();
  },

  "GET /waiting": (_request, response) => sendJson(response, 200, { waiting: waiting.size }),
});
