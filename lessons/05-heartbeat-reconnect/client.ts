// Heartbeat and reconnect, the page's half: notices that the connection is dead, says so, and reconnects by itself.
import { watchAbsence } from "../../shared/page/absence.ts";
import { room } from "../../shared/page/chat-room.ts";
import { showState } from "../../shared/page/connection.ts";
import { duration, number } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";

const silenceMs = 16_000; // The server sends a beat every 15 s. After this long without a message we ask for one …
const answerMs = 7_000; // … and give up if none has come after this long.
const handshakeMs = 9_500; // An attempt whose handshake gets no answer is given up, too.
const baseMs = 2_000; // The pause before attempt n, counted from 0, is random between 0 and base · 2ⁿ …
const capMs = 12_000; // … and never more than this.
const stableMs = 5_000; // The pauses start over when a connection has lasted this long, not as soon as one opens.

let socket: WebSocket | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let attempt = 0;
let pausing = false;
let receivedAt = 0;
let askedAt = 0;

function connect() {
  abandon();
  showState({ name: "connecting", attempt });
  socket = new WebSocket(`ws://${serverHost}`);
  timer = setTimeout(reconnect, handshakeMs);

  socket.onopen = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (attempt = 0), stableMs);
    receivedAt = performance.now();
    showState({ name: "open", attempt });
    room.refused("");
  };

  socket.onmessage = ({ data }) => {
    receivedAt = performance.now();
    const { type, ...message } = JSON.parse(data);
    if (type === "message") room.show(message);
    if (type === "refused") room.refused(`Not accepted: ${message.reason}`);
    if (type === "hello") room.status("open", "open", `· ${message.text}`);
    if (type === "presence") number("here", message.here);
    if (type === "greeting") room.showLog(message.log); // another log: the server has restarted
  };

  socket.onclose = ({ code, reason }) => {
    // 1008: the server doesn't want us back. After every other code another attempt makes sense.
    if (code !== 1008) return reconnect();
    abandon();
    showState({ name: "closed", code, reason });
  };
}

function reconnect() {
  abandon();
  // Full jitter: without it, every page would reconnect in the same instant and crash the server again.
  const pauseMs = Math.random() * Math.min(capMs, baseMs * 2 ** attempt++);
  timer = setTimeout(connect, pauseMs);
  pausing = true;
  showState({ name: "reconnecting", attempt, inMs: pauseMs });
}

/** Forgets the socket without waiting for its close event: over a dead network that takes up to a minute. */
function abandon() {
  clearTimeout(timer);
  pausing = false;
  number("here", "–");
  if (!socket) return;
  socket.onopen = socket.onmessage = socket.onclose = null;
  socket.close();
}

function checkForLife() {
  const now = performance.now();
  if (receivedAt) number("heard", duration(now - receivedAt));
  if (socket?.readyState !== WebSocket.OPEN) return;
  // Timers in a hidden tab run late, on a sleeping laptop very late. So first ask, and judge only after that.
  const asked = askedAt > receivedAt;
  if (asked && now - askedAt > answerMs) return reconnect();
  if (!asked && now - receivedAt > silenceMs) ask();
}

function ask() {
  askedAt = performance.now();
  socket?.send('{"type":"beat"}');
}

room.onsay = (from, text) => {
  if (socket?.readyState !== WebSocket.OPEN)
    throw new Error("no connection. Send it again when the page is connected.");
  socket.send(JSON.stringify({ type: "say", from, text }));
};

/** The network or the reader is back: don't wait any longer. Over an open connection, ask for a sign of life. */
function hurry() {
  if (pausing) connect();
  else if (socket?.readyState === WebSocket.OPEN) ask();
}
watchAbsence({ hurry, leave: abandon, comeBack: connect });
document.querySelector("#try-now")?.addEventListener("click", hurry);

connect();
setInterval(checkForLife, 250);
