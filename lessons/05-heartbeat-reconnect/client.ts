// Heartbeat and reconnect, the page's half: notices that the connection is dead, says so, and reconnects by itself.
import { room } from "../../shared/page/chat-room.ts";
import { duration, number } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";

/** The server sends a beat every 15 s. After 16 s of silence we ask for one, and 7 s later we give up. */
const silenceMs = 16_000;
const answerMs = 7_000;
/** An attempt whose handshake gets no answer is given up, too. */
const handshakeMs = 9_500;
/** The pause before attempt n, counted from 0, is random between 0 and base · 2ⁿ, and never more than the cap. */
const baseMs = 2_000;
const capMs = 12_000;
/** The pauses start over when a connection has lasted this long: some servers accept, and close again. */
const stableMs = 5_000;

let socket: WebSocket | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let attempt = 0;
let attempts = 0;
let connections = 0;
let receivedAt = 0;
let askedAt: number | undefined;
let backAt = 0;
let count = "";
let log = "";

function connect() {
  abandon();
  number("attempts", ++attempts);
  room.status("connecting", attempt ? `connecting (attempt ${attempt})` : "connecting");
  tryNow.disabled = true;
  socket = new WebSocket(`ws://${serverHost}`);
  timer = setTimeout(reconnect, handshakeMs);
  socket.onopen = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (attempt = 0), stableMs);
    receivedAt = performance.now();
    number("connections", ++connections);
    room.note("open");
    room.refused("");
  };
  socket.onmessage = ({ data }) => {
    receivedAt = performance.now();
    askedAt = undefined;
    const { type, ...message } = JSON.parse(data);
    if (type === "message") room.show(message);
    if (type === "refused") room.refused(`Not accepted: ${message.reason}`);
    if (type === "hello") count = message.text;
    if (type === "presence") number("here", message.here);
    if (type === "greeting") {
      if (log && log !== message.log) room.startOver("history starts again: the server has restarted");
      log = message.log;
    }
  };
  socket.onclose = ({ code, reason }) => {
    if (code !== 1008) return reconnect();
    // 1008: the server doesn't want us back. After every other code another attempt makes sense.
    abandon();
    number("here", "–");
    room.note(`closed for good (${code}, ${reason})`, "fault");
    room.status("closed", `closed (${code}, ${reason})`);
  };
}

function reconnect() {
  if (attempt === 0) room.note("the connection is gone", "fault");
  abandon();
  // Full jitter: without it, every page would reconnect in the same instant and crash the server again.
  const pauseMs = Math.random() * Math.min(capMs, baseMs * 2 ** attempt++);
  backAt = performance.now() + pauseMs;
  timer = setTimeout(connect, pauseMs);
  tryNow.disabled = false;
  number("here", "–");
}

/** Forgets the socket without waiting for its close event: over a dead network that takes up to a minute. */
function abandon() {
  clearTimeout(timer);
  askedAt = undefined;
  if (!socket) return;
  socket.onopen = socket.onmessage = socket.onclose = null;
  socket.close();
  socket = undefined;
}

function checkForLife() {
  const now = performance.now();
  if (socket?.readyState === WebSocket.OPEN) {
    room.status("open", "open", count && `· ${count}`);
    // Timers in a hidden tab run late, on a sleeping laptop very late. So first ask, and judge only after that.
    if (askedAt !== undefined && now - askedAt > answerMs) return reconnect();
    if (askedAt === undefined && now - receivedAt > silenceMs) ask();
  } else if (!socket && !tryNow.disabled) {
    const seconds = Math.max(0, Math.ceil((backAt - now) / 1_000));
    room.status("reconnecting", `reconnecting (attempt ${attempt})`, `in ${seconds} s`);
  }
  number("heard", connections ? duration(now - receivedAt) : "–");
}

function ask() {
  askedAt = performance.now();
  socket?.send('{"type":"beat"}');
}

room.onsay = (from, text) => {
  if (socket?.readyState !== WebSocket.OPEN) throw new Error("no connection. Send it again when it is back.");
  socket.send(JSON.stringify({ type: "say", from, text }));
};

const tryNow = document.querySelector("#try-now") as HTMLButtonElement;
/** The reader or the network is back: no reason to wait. An open connection is asked whether it is alive. */
function hurry() {
  if (!tryNow.disabled) connect();
  else if (socket?.readyState === WebSocket.OPEN) ask();
}
tryNow.addEventListener("click", hurry);
addEventListener("online", hurry);
document.addEventListener("visibilitychange", () => document.hidden || hurry());
// A page kept in the back/forward cache must not keep a socket.
addEventListener("pagehide", abandon);
addEventListener("pageshow", ({ persisted }) => persisted && connect());

connect();
setInterval(checkForLife, 250);
