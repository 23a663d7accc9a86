// Long polling: the page asks once, and the server holds the answer back until there is one.
import { readFields, say } from "../../../shared/both/message.ts";
import { readCursor, readJson, sendJson } from "../../../shared/server/http.ts";
import { MessageLog } from "../../../shared/server/message-log.ts";
import { serve } from "../../../shared/server/serve.ts";

/** Proxies on the way cut idle requests, many after 60 s: better an empty answer before that. */
const holdMs = Number(process.env.HOLD_MS ?? 25_000);

/** What is said within this time shares an answer. Less than anybody notices. */
const gatherMs = 50;

const log = new MessageLog();
const waiting = new Set<() => void>();

serve({
  routes: {
    "GET /messages": (_request, response, query) => {
      // Without a cursor: only what is said from now on. What was said between two requests is lost.
      const cursor = readCursor(query) ?? log.end;
      const news = log.after(cursor);
      if (news.reset || news.messages.length > 0) return sendJson(response, 200, news);

      const reply = () => sendJson(response, 200, log.after(cursor));
      let timer = setTimeout(reply, holdMs);
      const hear = () => {
        // The first message sets the time. Those that follow do not move it, or a talker would keep us waiting.
        waiting.delete(hear);
        clearTimeout(timer);
        timer = setTimeout(reply, gatherMs);
      };
      waiting.add(hear);
      // Answered, or the page went away: either way nobody waits here any more.
      response.on("close", () => {
        clearTimeout(timer);
        waiting.delete(hear);
      });
    },

    "POST /messages": async (request, response) => {
      const { from, text } = readFields(await readJson(request), say);
      sendJson(response, 201, log.add(from, text));
      for (const hear of waiting) hear();
    },

    "GET /waiting": (_request, response) => sendJson(response, 200, { waiting: waiting.size }),
  },
});
