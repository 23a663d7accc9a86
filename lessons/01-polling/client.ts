// Polling, the page's half: ask every second, "what came after the last one I saw?"
import type { Answer } from "../../shared/both/message.ts";
import { room } from "../../shared/page/chat-room.ts";
import { add, duration, number } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { timeline } from "../../shared/page/timeline.ts";

const messages = `http://${serverHost}/messages`;

/** The cursor: the id of the last message seen, and the name of its log. */
let after = 0;
let log = "";

let sent = 0;
let latestAnswered = 0;

async function poll() {
  const nth = ++sent;
  const asked = { after, log };
  number("requests", sent);
  add("under-way");
  const ended = timeline.begin();
  try {
    // Numbered, because the browser's cache makes a request wait for an earlier one with the same URL.
    const slow = settings.slow.checked ? `&slow=${nth}` : "";
    const url = `${messages}?after=${asked.after}${asked.log && `&log=${asked.log}`}${slow}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const answer: Answer = await response.json();
    room.status("open", `polling every ${duration(everyMs())}`);
    const late = nth < latestAnswered;
    latestAnswered = Math.max(nth, latestAnswered);
    if (late) add("overtaken");
    if (answer.messages.length === 0) add("empty");
    ended(late ? "overtaken" : answer.messages.length > 0 ? "full" : "empty");
    take(answer, asked.log);
  } catch {
    ended("failed");
    room.status("reconnecting", "reconnecting: no answer, asking again", `in ${duration(everyMs())}`);
  } finally {
    add("under-way", -1);
  }
}

function take(answer: Answer, askedLog: string) {
  // The server has restarted since we asked: this late answer is from its old log.
  if (askedLog !== log) return;
  const isHistory = log === ""; // the first answer: what was said before this page was opened
  if (answer.reset) {
    room.startOver("history starts again: the server has restarted, or has forgotten what came next");
    after = 0;
  }
  log = answer.log;
  for (const message of answer.messages) {
    const age = duration(Math.max(0, Date.now() - message.at));
    if (room.show(message, isHistory ? "" : `seen after ${age}`) && !isHistory) number("age", age);
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

room.onsay = async (from, text) => {
  const response = await fetch(messages, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ from, text }),
  });
  if (!response.ok) throw new Error((await response.json()).error);
};

const settings = document.querySelector("form.controls") as HTMLFormElement &
  Record<"interval" | "timeout" | "slow" | "every", HTMLInputElement>;
const everyMs = () => settings.every.valueAsNumber;
settings.addEventListener("input", () => {
  number("every", duration(everyMs()));
  start();
});
number("every", duration(everyMs()));
start();
