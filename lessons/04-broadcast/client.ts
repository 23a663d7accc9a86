// Broadcast, the page's half: the server says several kinds of things now, each told apart by its type.
import { room } from "../../shared/page/chat-room.ts";
import { number } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";

let socket: WebSocket;
let sent = 0;
let unasked = 0;

function open() {
  room.status("connecting", "connecting");
  // The query of the page's address goes along: the exercise reads a room's name out of it.
  socket = new WebSocket(`ws://${serverHost}/${location.search}`);

  socket.addEventListener("open", () => {
    room.anew();
    room.note("open");
    room.status("open", "open");
    buttons();
  });

  socket.addEventListener("message", ({ data }) => {
    const { type, ...message } = JSON.parse(data);
    if (type === "message") room.show(message);
    else if (type === "refused") room.refused(`Not taken: ${message.reason}`);
    else
      room.note(`${type} ${message.text ?? message.here ?? message.from ?? clock(message.at)}`, "received");

    if (type === "presence") number("here", message.here);
    if (type === "typing") room.hint(`${message.from} is typing`);
    // Nobody asked for these; over HTTP they could not have been said.
    if (["greeting", "presence", "tick"].includes(type)) number("unasked", ++unasked);
  });

  socket.addEventListener("close", ({ code, reason, wasClean }) => {
    const why = `${code}${reason && `, ${reason}`}`;
    room.note(`close ${why}, ${wasClean ? "clean" : "unclean"}`, wasClean ? "event" : "fault");
    room.status("closed", `closed (${why})`);
    number("here", "–");
    buttons();
  });
  buttons();
}

function send(message: { type: string; from: string; text?: string }) {
  if (socket.readyState !== WebSocket.OPEN) throw new Error("the connection is closed. Open it again.");
  socket.send(JSON.stringify(message));
  number("sent", ++sent);
  room.note(`${message.type} ${message.text ?? message.from}`, "sent");
}

room.onsay = (from, text) => {
  room.refused("");
  send({ type: "say", from, text });
};

let toldAt = Number.NEGATIVE_INFINITY;
room.ontyping = (from) => {
  // Once in two seconds is enough to know that somebody types.
  if (socket.readyState !== WebSocket.OPEN || performance.now() - toldAt < 2_000) return;
  toldAt = performance.now();
  send({ type: "typing", from });
};

const clock = (at: number) => new Date(at).toLocaleTimeString();
const closing = document.querySelector("#close") as HTMLButtonElement;
const opening = document.querySelector("#open") as HTMLButtonElement;
closing.addEventListener("click", () => socket.close(1000, "see you"));
opening.addEventListener("click", open);

function buttons() {
  closing.disabled = socket.readyState !== WebSocket.OPEN;
  opening.disabled = socket.readyState !== WebSocket.CLOSED;
}

open();
