// Resume, the page: shows what waits, what was acknowledged, and what was replayed.
import { readFields, say } from "../../shared/both/old-message.ts";
import { room } from "../../shared/page/chat-room.ts";
import { number } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { resuming } from "../../shared/pieces/resume-client.ts";
import type { State } from "../../shared/pieces/stay-connected.ts";

let state: State;
let backAt = 0;
let count = "";
let lastId: number | undefined;
const counts = { acknowledged: 0, replayed: 0, doubles: 0, gaps: 0, lost: 0 };

function add(name: keyof typeof counts, amount = 1) {
  counts[name] += amount;
  number(name, counts[name]);
}

function onstate(now: State) {
  state = now;
  buttons.tryNow.disabled = now.name !== "reconnecting";
  buttons.leave.disabled = now.name === "closed";
  buttons.comeBack.disabled = now.name !== "closed";
  if (now.name === "open") room.note("open");
  if (now.name === "reconnecting") {
    backAt = performance.now() + now.inMs;
    if (now.attempt === 1) room.note("the connection is gone", "fault");
  }
  if (now.name === "closed")
    room.note(
      `closed (${now.code}${now.reason && `, ${now.reason}`})`,
      now.code === 1000 ? "event" : "fault",
    );
  show();
}

function show() {
  if (state.name === "open") room.status("open", "open", count && `· ${count}`);
  if (state.name === "connecting") room.status("connecting", `connecting (attempt ${state.attempt + 1})`);
  if (state.name === "closed")
    room.status("closed", `closed (${state.code}${state.reason && `, ${state.reason}`})`);
  if (state.name === "reconnecting") {
    const seconds = Math.max(0, Math.ceil((backAt - performance.now()) / 1_000));
    room.status("reconnecting", `reconnecting (attempt ${state.attempt})`, `in ${seconds} s`);
  }
}

room.onsay = (from, text) => {
  room.refused("");
  // Checked here as well: what the server would refuse must not wait for it.
  const message = readFields({ from, text }, say);
  conversation.say(message.from, message.text);
  if (twice.checked) conversation.sendAgain();
};

let toldAt = 0;
room.ontyping = (from) => {
  // Once in two seconds is enough to know that somebody types.
  if (performance.now() - toldAt < 2_000) return;
  toldAt = performance.now();
  conversation.send("typing", { from });
};

const button = (id: string) => document.querySelector(`#${id}`) as HTMLButtonElement;
const buttons = { tryNow: button("try-now"), leave: button("leave"), comeBack: button("come-back") };
const twice = document.querySelector("#twice") as HTMLInputElement;
const conversation = resuming(`ws://${serverHost}`, {
  onmessage(message, replayed) {
    if (replayed) add("replayed");
    // Ids rise by one: the page can see for itself whether one is missing.
    if (lastId !== undefined) add("lost", message.id - lastId - 1);
    lastId = message.id;
    room.show(message, replayed ? "replayed" : "");
  },
  ongap(why) {
    add("gaps");
    lastId = undefined;
    room.anew(
      why === "began anew"
        ? "history began anew: the server was restarted"
        : "a gap: we were away for too long, the server no longer has what was said here",
    );
  },
  ondouble: () => add("doubles"),
  onoutbox(waiting, acknowledged) {
    add("acknowledged", acknowledged);
    number("outbox", waiting.length);
    room.waiting(waiting);
  },
  onother(type, message) {
    if (type === "refused") room.refused(`Not taken: ${message.reason}`);
    if (type === "hello") count = message.text ?? "";
    if (type === "typing") room.hint(`${message.from} is typing`);
  },
  onstate,
});

setInterval(show, 250);

buttons.tryNow.addEventListener("click", conversation.tryNow);
buttons.leave.addEventListener("click", conversation.close);
buttons.comeBack.addEventListener("click", conversation.open);
// The network is back, or the reader is: no reason to wait for the countdown. Who has left is left in peace.
const tryNow = () => state.name !== "closed" && conversation.tryNow();
addEventListener("online", tryNow);
document.addEventListener("visibilitychange", () => document.hidden || tryNow());
// A page kept in the back/forward cache must not keep a socket.
addEventListener("pagehide", conversation.close);
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) conversation.open();
});
