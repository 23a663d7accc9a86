// Heartbeat and reconnect, the page's half: sees the connection die, says so, and comes back.
import { room } from "../../shared/page/chat-room.ts";
import { duration, number } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { type State, stayConnected } from "../../shared/pieces/stay-connected.ts";

let log: string | undefined;
let connections = 0;
let attempts = 0;
let state: State;
let backAt = 0;
let count = "";

function start() {
  return stayConnected(`ws://${serverHost}`, { onopen, onmessage, onstate });
}

function onopen() {
  number("connections", ++connections);
  room.note("open");
}

function onmessage(data: string) {
  const { type, ...message } = JSON.parse(data);
  if (type === "message") room.show(message);
  if (type === "refused") room.refused(`Not taken: ${message.reason}`);
  if (type === "hello") count = message.text;
  if (type === "typing") room.note(`${message.from} is typing`, "received");
  if (type === "presence") number("here", message.here);
  if (type === "greeting") {
    if (log && log !== message.log) room.anew("history began anew: the server was restarted");
    log = message.log;
  }
}

function onstate(now: State) {
  state = now;
  tryNow.disabled = now.name !== "reconnecting";
  if (now.name === "connecting") number("attempts", ++attempts);
  if (now.name === "reconnecting") {
    backAt = performance.now() + now.inMs;
    number("here", "–");
    if (now.attempt === 1) room.note("the connection is gone", "fault");
  }
  if (now.name === "closed")
    room.note(`closed for good (${now.code}${now.reason && `, ${now.reason}`})`, "fault");
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
  number("heard", connections > 0 ? duration(connection.heardMs()) : "–");
}

room.onsay = (from, text) => {
  room.refused("");
  if (!connection.send(JSON.stringify({ type: "say", from, text })))
    throw new Error("nobody there. Your text stays here until the connection is back.");
};

let toldAt = Number.NEGATIVE_INFINITY;
room.ontyping = (from) => {
  // Once in two seconds is enough to know that somebody types.
  if (performance.now() - toldAt < 2_000) return;
  toldAt = performance.now();
  connection.send(JSON.stringify({ type: "typing", from }));
};

const tryNow = document.querySelector("#try-now") as HTMLButtonElement;
let connection = start();
setInterval(show, 250);

tryNow.addEventListener("click", () => connection.tryNow());
// The network is back, or the reader is: no reason to wait for the countdown.
addEventListener("online", () => connection.tryNow());
document.addEventListener("visibilitychange", () => document.hidden || connection.tryNow());
// A page kept in the back/forward cache must not keep a socket.
addEventListener("pagehide", () => connection.close());
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) connection = start();
});
