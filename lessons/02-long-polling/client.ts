// Long polling, the page's half: ask, wait for the answer however long it takes, ask again.
import type { Answer } from "../../shared/both/message.ts";
import { room } from "../../shared/page/chat-room.ts";
import { duration, number } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { timeline } from "../../shared/page/timeline.ts";

const messages = `http://${serverHost}/messages`;

/** The cursor: the last id seen, and in which log. */
let after = 0;
let log = "";

let sent = 0;
let empty = 0;
let lost = 0;

async function pollForever() {
  for (let failed = 0; ; ) {
    const ended = timeline.begin();
    number("requests", ++sent);
    // A held request looks like a lost one. What has stood for half a second is held.
    const standing = setTimeout(() => room.status("open", "waiting for an answer"), failed && 500);
    try {
      const answer = await ask();
      ended(answer.messages.length > 0 ? "full" : "empty");
      if (answer.messages.length === 0) number("empty", ++empty);
      take(answer);
      failed = 0;
      await pause(settings.pause.valueAsNumber);
    } catch {
      // Without this catch the loop would end at the first network error, in silence.
      ended("failed");
      clearTimeout(standing);
      room.status("reconnecting", `reconnecting in 1 s (attempt ${++failed})`);
      await pause(1_000);
    }
  }
}

async function ask(): Promise<Answer> {
  const cursor = settings.forget.checked ? "" : `?after=${after}${log && `&log=${log}`}`;
  // The server holds an answer for 25 s. After 35 s nobody is there any more.
  // no-store: two tabs that ask for the same would else wait for each other in the browser's cache.
  const response = await fetch(messages + cursor, { cache: "no-store", signal: AbortSignal.timeout(35_000) });
  if (!response.ok) throw new Error(`answered ${response.status}`);
  return response.json();
}

function take(answer: Answer) {
  if (answer.reset || (log && log !== answer.log)) {
    room.anew("history began anew: the server was restarted, or has forgotten what came next");
    after = answer.reset ? 0 : (answer.messages[0]?.id ?? 1) - 1;
  }
  log = answer.log;
  for (const message of answer.messages) {
    const age = duration(Math.max(0, Date.now() - message.at));
    if (message.id > after + 1 && after > 0) {
      lost += message.id - after - 1;
      number("lost", lost);
      room.note(`${after + 1} to ${message.id - 1} never came`, "fault");
    }
    if (room.show(message, `seen after ${age}`)) number("age", age);
    after = message.id;
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

room.onsay = async (from, text) => {
  const response = await fetch(messages, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ from, text }),
  });
  if (!response.ok) throw new Error((await response.json()).error);
};

const settings = document.querySelector("form.controls") as HTMLFormElement &
  Record<"forget" | "pause" | "burst", HTMLInputElement>;
settings.pause.addEventListener("input", () => number("pause", duration(settings.pause.valueAsNumber)));
settings.burst.addEventListener("click", async () => {
  for (let n = 1; n <= 20; n++) {
    await room.onsay(room.who, `${n} of 20`);
    await pause(30);
  }
});
number("pause", duration(settings.pause.valueAsNumber));
void pollForever();
