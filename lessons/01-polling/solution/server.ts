// Polling: the page asks again and again, and the server answers at once with what is new, mostly nothing.
import { setTimeout as pause } from "node:timers/promises";
import { readFields, say } from "../../../shared/both/message.ts";
import { readCursor, readJson, sendJson } from "../../../shared/server/http.ts";
import { MessageLog } from "../../../shared/server/message-log.ts";
import { serve } from "../../../shared/server/serve.ts";

const log = new MessageLog();

serve({
  routes: {
    // What came after the cursor: GET /messages?after=41 answers with 42, 43, …
    "GET /messages": async (request, response, query) => {
      const answer = log.after(readCursor(query) ?? { after: 0 });
      // A name for this answer: which log, and how far it goes.
      const etag = `"${log.name}-${log.end.after}"`;
      // The page's switch "slow answers": each takes its own time, so that a later one can overtake it.
      if (query.has("slow")) await pause(Math.random() * 2_000);
      response.setHeader("ETag", etag);
      // Not no-store: the browser may keep the answer, and asks with its ETag before it uses it again.
      response.setHeader("Cache-Control", "no-cache");
      if (request.headers["if-none-match"] === etag) response.writeHead(304).end();
      else sendJson(response, 200, answer);
    },

    "POST /messages": async (request, response) => {
      const { from, text } = readFields(await readJson(request), say);
      sendJson(response, 201, log.add(from, text));
    },
  },
});
