// Outbox, the page's half: keeps each message until the server has acknowledged it, and sends it again until then.
import type { Message } from "../../shared/both/message.ts";
import { room } from "../../shared/page/chat-room.ts";
import { controlled, showState } from "../../shared/page/connection.ts";
import { add, number } from "../../shared/page/numbers.ts";
import { onSayTwenty } from "../../shared/page/say-twenty.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { Outbox } from "../../shared/pieces/outbox-client.ts";
import { Resume } from "../../shared/pieces/resume-client.ts";
import { type State, stayConnected } from "../../shared/pieces/stay-connected.ts";

/** The switch that sends each message twice. */
const twice = document.querySelector("#twice") as HTMLInputElement;
/** The last id, to count what is missing. Undefined where ids may skip: at the beginning and after a gap. */
let lastId: number | undefined;
/** Whether the page may still say that the outbox is full. */
let wasFull = false;

const resume = new Resume<Message>({
  onmessage(message, replayed) {
    room.show(message, replayed ? "replayed" : "");
    if (replayed) add("replayed");
    // Ids rise by one, so the page can tell whether one is missing.
    if (lastId !== undefined) add("lost", message.id - lastId - 1);
    lastId = message.id;
  },
  ongap(why) {
    room.gap(why);
    add("gaps");
    lastId = undefined;
  },
  ondouble: () => add("doubles"),
});

const connect = () => stayConnected(`ws://${serverHost}`, { onopen, onmessage, onstate });
const { send } = controlled(connect); // connects, and makes the buttons work

const outbox = new Outbox<{ from: string; text: string }>(
  (message) => send(JSON.stringify({ type: "say", ...message })),
  {
    storage: sessionStorage,
    onchange(waiting) {
      number("outbox", waiting.length);
      room.waiting(waiting);
      if (waiting.length === 100) wasFull = true;
      if (waiting.length > 0 || !wasFull) return;
      wasFull = false;
      room.refused(""); // the outbox isn't full anymore
    },
    ongiveup: ({ text }) => room.refused(`Given up, because each attempt closed the connection: ${text}`),
  },
);

function onopen() {
  send(JSON.stringify({ type: "resume", page: outbox.page, ...resume.cursor }));
  outbox.sendAll();
}

function onmessage(data: string) {
  const { type, ...message } = JSON.parse(data);
  if (type === "replay") {
    room.refused(""); // over a slow network, the server may already have asked for the resume
    resume.replay(message);
  }
  if (type === "message") resume.message(message);
  if (type === "ack") {
    add("acknowledged", outbox.acknowledge(message.id));
    if (message.double) add("doubles");
  }
  if (type === "refused") {
    // A refusal is an answer, too: the message must not wait forever.
    if (message.id) outbox.refuse(message.id);
    room.refused(`Not accepted: ${message.reason}`);
  }
}

function onstate(state: State) {
  if ("code" in state && state.code !== undefined) outbox.closed(state.code);
  showState(state);
}

function say(from: string, text: string) {
  outbox.add({ from, text });
  if (twice.checked) outbox.sendAll(); // as if the acknowledgements had been lost
}
room.onsay = say;
onSayTwenty(say, 10);

// A reloaded page keeps its outbox. So does a page that returns from the back/forward cache.
addEventListener("pagehide", () => outbox.keep());
addEventListener("pageshow", ({ persisted }) => persisted && outbox.take());
