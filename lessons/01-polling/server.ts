// Polling: the page asks again and again, and the server answers immediately with what is new: usually nothing.
import { setTimeout as pause } from "node:timers/promises";
import * as v from "valibot";
import { Name, Text } from "../../shared/both/message.ts";
import { readCursor, readJson, sendJson } from "../../shared/server/http.ts";
import { MessageLog } from "../../shared/server/message-log.ts";
import { serve } from "../../shared/server/serve.ts";

const log = new MessageLog();

/** What a page may send: {"from":"Ada","text":"Hello"}, and no other field. */
const Say = v.strictObject({ from: Name, text: Text });

serve({
  // What came after the cursor: GET /messages?after=41 is answered with 42, 43, …
  "GET /messages": async (_request, response, query) => {
    const answer = log.after(readCursor(query) ?? { after: 0 });
    // The page's switch "slow answers": each takes its own time, so a later one can overtake an earlier one.
    if (query.has("slow")) await pause(Math.random() * 2_000);
    // Exercise: nothing new since this page last asked? There is a shorter answer.
    sendJson(response, 200, answer);
  },

  "POST /messages": async (request, response) => {
    const { from, text } = v.parse(Say, await readJson(request));
    sendJson(response, 201, log.add(from, text));
  },
});
