// Long polling, the page's half: ask, wait for the answer however long it takes, ask again.
import type { Answer } from "../../shared/both/message.ts";
import { showWithAge } from "../../shared/page/age.ts";
import { room } from "../../shared/page/chat-room.ts";
import { add } from "../../shared/page/numbers.ts";
import { onSayTwenty } from "../../shared/page/say-twenty.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { findSettings } from "../../shared/page/settings.ts";
import { timeline } from "../../shared/page/timeline.ts";

const messages = `http://${serverHost}/messages`;
const settings = findSettings<"forget" | "pause">();

/** The cursor: the id of the last message seen, and the name of its log. */
let after = 0;
let log = "";

async function pollForever() {
  let failed = 0;
  while (true) {
    const askedAt = performance.now();
    const seenBefore = after;
    const end = timeline.begin();
    add("requests");
    // A held request looks like a lost one. After a failure, half a second without an error means that it is held.
    const held = setTimeout(() => room.status("open", "waiting for an answer"), failed > 0 ? 500 : 0);
    try {
      const answer = await ask();
      const isEmpty = answer.messages.length === 0;
      if (isEmpty) add("empty");
      end(isEmpty ? "empty" : "full");
      take(answer);
      failed = 0;
      // This lesson's server holds an empty answer back. Another server may not: don't ask it nonstop.
      const isTooSoon = after === seenBefore && performance.now() - askedAt < 1_000;
      if (isTooSoon) room.checkLesson();
      await pause(isTooSoon ? 1_000 : settings.pause.valueAsNumber);
    } catch {
      // Without this catch, the first network error would end the loop, and nothing on the page would say so.
      end("failed");
      clearTimeout(held);
      room.status("reconnecting", `reconnecting in 1 s (attempt ${++failed})`);
      await pause(1_000);
    }
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function ask(): Promise<Answer> {
  const query = new URLSearchParams({ after: String(after) });
  if (log) query.set("log", log);
  const url = settings.forget.checked ? messages : `${messages}?${query}`;
  // The server holds an answer for 25 s at most. If none has come after 35 s, none will.
  // no-store: otherwise two tabs that ask for the same URL wait for each other in the browser's cache.
  const response = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(35_000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

function take(answer: Answer) {
  // Without a cursor, the server can't know that ours is from another log. So we compare the names.
  if (answer.reset || (log && log !== answer.log)) {
    room.startOver("history starts again: the server has restarted, or has forgotten what came next");
    after = 0;
  }
  log = answer.log;
  for (const message of answer.messages) {
    if (after > 0 && message.id > after + 1) {
      add("lost", message.id - after - 1);
      room.note(`the messages with ids ${after + 1} to ${message.id - 1} never came`, "fault");
    }
    showWithAge(message);
    after = message.id;
  }
}

async function say(from: string, text: string) {
  const response = await fetch(messages, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ from, text }),
  });
  if (!response.ok) throw new Error((await response.json()).error);
}

room.onsay = say;
onSayTwenty(say, 10); // one leaves every 10 ms, however long each of them takes
void pollForever();
