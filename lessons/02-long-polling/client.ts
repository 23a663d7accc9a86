// Long polling, the page's half: ask, wait for the answer however long it takes, ask again.
import type { Answer } from "../../shared/both/message.ts";
import { room } from "../../shared/page/chat-room.ts";
import { add, duration, number } from "../../shared/page/numbers.ts";
import { onSayTwenty } from "../../shared/page/say-twenty.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { timeline } from "../../shared/page/timeline.ts";

const messages = `http://${serverHost}/messages`;

/** The cursor: the id of the last message seen, and the name of its log. */
let after = 0;
let log = "";

const openedAt = Date.now();

async function pollForever() {
  for (let failed = 0; ; ) {
    const ended = timeline.begin();
    const [asked, before] = [performance.now(), after];
    add("requests");
    // A held request looks like a lost one. After a failure, half a second without an error means that it is held.
    const held = setTimeout(() => room.status("open", "waiting for an answer"), failed && 500);
    try {
      const answer = await ask();
      ended(answer.messages.length > 0 ? "full" : "empty");
      if (answer.messages.length === 0) add("empty");
      take(answer);
      failed = 0;
      // This lesson's server holds an empty answer back. Another server may not: don't ask it nonstop.
      const tooSoon = after === before && performance.now() - asked < 1_000;
      if (tooSoon) room.checkLesson();
      await pause(tooSoon ? 1_000 : settings.pause.valueAsNumber);
    } catch {
      // Without this catch, the first network error would end the loop, and nothing on the page would say so.
      ended("failed");
      clearTimeout(held);
      room.status("reconnecting", `reconnecting in 1 s (attempt ${++failed})`);
      await pause(1_000);
    }
  }
}

async function ask(): Promise<Answer> {
  const cursor = settings.forget.checked ? "" : `?after=${after}${log && `&log=${log}`}`;
  // The server holds an answer for 25 s at most. If none has come after 35 s, none will.
  // no-store: otherwise two tabs that ask for the same URL wait for each other in the browser's cache.
  const response = await fetch(messages + cursor, { cache: "no-store", signal: AbortSignal.timeout(35_000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

function take(answer: Answer) {
  if (answer.reset || (log && log !== answer.log)) {
    room.startOver("history starts again: the server has restarted, or has forgotten what came next");
    after = answer.reset ? 0 : (answer.messages[0]?.id ?? 1) - 1;
  }
  log = answer.log;
  for (const message of answer.messages) {
    const isHistory = message.at < openedAt; // it was said before this page was opened, so it has no age here
    const age = duration(Math.max(0, Date.now() - message.at));
    if (message.id > after + 1 && after > 0) {
      add("lost", message.id - after - 1);
      room.note(`the messages with ids ${after + 1} to ${message.id - 1} never came`, "fault");
    }
    if (room.show(message, isHistory ? "" : `seen after ${age}`) && !isHistory) number("age", age);
    after = message.id;
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function say(from: string, text: string) {
  const response = await fetch(messages, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ from, text }),
  });
  if (!response.ok) throw new Error((await response.json()).error);
}

room.onsay = say;
// Not awaited: one leaves every 10 ms, however long each of them takes.
const sayWithoutWaiting = (from: string, text: string) =>
  void say(from, text).catch((error) => room.refused(`Not sent: ${error.message}`));
onSayTwenty(sayWithoutWaiting, 10);

const settings = document.querySelector("form.controls") as HTMLFormElement &
  Record<"forget" | "pause", HTMLInputElement>;
const showPause = () => number("pause", duration(settings.pause.valueAsNumber));
settings.pause.addEventListener("input", showPause);
showPause();
void pollForever();
