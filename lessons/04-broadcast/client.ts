// Broadcast, the page's half: messages of several types arrive now, most of them without a question.
import { room } from "../../shared/page/chat-room.ts";
import { add, number } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";

let socket: WebSocket;

function open() {
  room.status("connecting", "connecting");
  // Includes the query of the page's own address: the exercise reads the name of a room from it.
  socket = new WebSocket(`ws://${serverHost}/${location.search}`);

  socket.addEventListener("open", () => {
    room.startOver();
    room.note("open");
    room.status("open", "open");
    buttons();
  });

  socket.addEventListener("message", ({ data }) => {
    const { type, ...message } = JSON.parse(data);
    if (type === "message") room.show(message);
    else if (type === "refused") room.refused(`Not accepted: ${message.reason}`);
    else room.note(`${type} ${inWords(message)}`, "received");

    if (type === "presence") number("here", message.here);
    if (type === "typing") room.hint(`${message.from} is typing`);
    // Nobody asked for these: where pages poll, a server has no way to send them.
    if (["greeting", "presence", "tick"].includes(type)) add("unasked");
  });

  socket.addEventListener("close", ({ code, reason, wasClean }) => {
    const why = reason ? `${code}, ${reason}` : `${code}`;
    room.note(`close ${why}, ${wasClean ? "clean" : "unclean"}`, wasClean ? "event" : "fault");
    room.status("closed", `closed (${why})`);
    number("here", "–");
    buttons();
  });
  buttons();
}

function send(message: { type: string; from: string; text?: string }) {
  if (socket.readyState !== WebSocket.OPEN) throw new Error('the connection is closed. Press "Open again".');
  socket.send(JSON.stringify(message));
  add("sent");
  room.note(`${message.type} ${message.text ?? message.from}`, "sent");
}

room.onsay = (from, text) => {
  room.refused("");
  send({ type: "say", from, text });
};

let typedAt = Number.NEGATIVE_INFINITY;
room.ontyping = (from) => {
  // Once in two seconds is enough to show that somebody is typing.
  if (socket.readyState !== WebSocket.OPEN || performance.now() - typedAt < 2_000) return;
  typedAt = performance.now();
  send({ type: "typing", from });
};

/** What a note shows of a message: its one field of a known type, or all of it as JSON. */
function inWords({ text, here, from, at, ...others }: Record<string, string | number>): string {
  if (at) return new Date(at).toLocaleTimeString();
  return String(text ?? here ?? from ?? JSON.stringify(others));
}

const closing = document.querySelector("#close") as HTMLButtonElement;
const opening = document.querySelector("#open") as HTMLButtonElement;
closing.addEventListener("click", () => socket.close(1000, "see you"));
opening.addEventListener("click", open);

function buttons() {
  closing.disabled = socket.readyState !== WebSocket.OPEN;
  opening.disabled = socket.readyState !== WebSocket.CLOSED;
}

open();
