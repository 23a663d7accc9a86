// Polling, the page's half: ask every second, "what came after the last one I saw?"
import type { Answer } from "../../shared/both/message.ts";
import { showWithAge } from "../../shared/page/age.ts";
import { room } from "../../shared/page/chat-room.ts";
import { add, duration } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { findSettings, onsettings } from "../../shared/page/settings.ts";
import { timeline } from "../../shared/page/timeline.ts";

const messages = `http://${serverHost}/messages`;
const settings = findSettings<"interval" | "slow" | "every">();
const everyMs = () => settings.every.valueAsNumber;

/** The cursor: the id of the last message seen, and the name of its log. */
let after = 0;
let log = "";
/** The latest request that has been answered: the 1st, the 2nd, … */
let latestAnswered = 0;

async function poll() {
  const nth = add("requests");
  const askedLog = log;
  const end = timeline.begin();
  add("under-way");
  try {
    const answer = await ask(nth);
    room.status("open", `polling every ${duration(everyMs())}`);
    const isEmpty = answer.messages.length === 0;
    if (isEmpty) add("empty");
    if (nth > latestAnswered) {
      latestAnswered = nth;
      end(isEmpty ? "empty" : "full");
    } else {
      add("overtaken");
      end("overtaken");
    }
    take(answer, askedLog);
  } catch {
    end("failed");
    room.status("reconnecting", "reconnecting: request failed, asking again", `in ${duration(everyMs())}`);
  } finally {
    add("under-way", -1);
  }
}

async function ask(nth: number): Promise<Answer> {
  const query = new URLSearchParams({ after: String(after) });
  if (log) query.set("log", log);
  // Numbered, because the browser's cache makes a request wait for an earlier one with the same URL.
  if (settings.slow.checked) query.set("slow", String(nth));
  const response = await fetch(`${messages}?${query}`, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

function take(answer: Answer, askedLog: string) {
  // The server has restarted since we asked: this late answer is from its old log.
  if (askedLog !== log) return;
  if (answer.reset) {
    room.startOver("history starts again: the server has restarted, or has forgotten what came next");
    after = 0;
  }
  log = answer.log;
  for (const message of answer.messages) {
    showWithAge(message);
    // The highest id seen, not the last of this answer: an overtaken answer must not move the cursor back.
    after = Math.max(after, message.id);
  }
}

// Two ways to ask again and again. The first doesn't wait for an answer, the second does.
let timer: ReturnType<typeof setTimeout> | undefined;

function pollByInterval() {
  void poll();
  timer = setInterval(poll, everyMs());
}

async function pollByTimeout() {
  const mine = timer;
  await poll();
  // If the settings have changed meanwhile, another chain has started, and this one ends.
  if (timer === mine) timer = setTimeout(pollByTimeout, everyMs());
}

function start() {
  clearInterval(timer); // ends a timeout as well: both kinds share their ids
  if (settings.interval.checked) pollByInterval();
  else timer = setTimeout(pollByTimeout, 0);
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
onsettings(start);
start();
