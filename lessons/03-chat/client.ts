// Chat, the page's half: open, send, receive, close.
import { room } from "../../shared/page/chat-room.ts";
import { add, number } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { readAloud } from "../../shared/page/speech.ts";

let socket: WebSocket;

function open() {
  room.status("connecting", "connecting");
  socket = new WebSocket(`ws://${serverHost}`);

  // 1. Open
  socket.addEventListener("open", () => {
    room.startOver();
    room.note("open");
    room.status("open", "open");
    buttons();
  });

  // 3. Receive
  socket.addEventListener("message", ({ data }) => {
    add("received");
    const { type, ...message } = JSON.parse(data);
    if (type === "message") {
      room.show(message);
      readAloud(`${message.from}: ${message.text}`);
    }
    if (type === "refused") room.refused(`Not accepted: ${message.reason}`);
  });

  // 4. Close
  socket.addEventListener("close", ({ code, reason, wasClean }) => {
    const why = reason ? `${code}, ${reason}` : `${code}`;
    room.note(`close ${why}, ${wasClean ? "clean" : "unclean"}`, wasClean ? "event" : "fault");
    room.status("closed", `closed (${why})`);
    number("code", String(code));
    number("clean", wasClean ? "yes" : "no");
    buttons();
  });

  // The event doesn't say what went wrong, on purpose: a page must not learn about the network around it.
  socket.addEventListener("error", () => room.note("error", "fault"));
  buttons();
}

// 2. Send
room.onsay = (from, text) => {
  if (socket.readyState !== WebSocket.OPEN) throw new Error('the connection is closed. Press "Open again".');
  room.refused("");
  socket.send(JSON.stringify({ type: "say", from, text }));
  add("sent");
};

const closing = document.querySelector("#close") as HTMLButtonElement;
const opening = document.querySelector("#open") as HTMLButtonElement;
closing.addEventListener("click", () => socket.close(1000, "see you"));
opening.addEventListener("click", open);

function buttons() {
  closing.disabled = socket.readyState !== WebSocket.OPEN;
  opening.disabled = socket.readyState !== WebSocket.CLOSED;
}

open();
