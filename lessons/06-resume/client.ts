// Resume, the page's half: remembers what it has seen last, and tells the server whenever it connects.
import type { Answer, Message } from "../../shared/both/message.ts";
import { room } from "../../shared/page/chat-room.ts";
import { controlled, showState } from "../../shared/page/connection.ts";
import { add } from "../../shared/page/numbers.ts";
import { onSayTwenty } from "../../shared/page/say-twenty.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { stayConnected } from "../../shared/pieces/stay-connected.ts";

/** This page's own name, which nobody else can guess. */
const page = crypto.getRandomValues(new Uint32Array(3)).join("");
/** The cursor: the id of the last message seen, and the name of its log. */
let cursor: { after: number; log?: string } = { after: 0 };
/** The last id, to count what is missing. Undefined where ids may skip: at the beginning and after a gap. */
let lastId: number | undefined;

const connect = () => stayConnected(`ws://${serverHost}`, { onopen, onmessage, onstate: showState });
const { send } = controlled(connect); // connects, and makes the buttons work

function onopen() {
  send(JSON.stringify({ type: "resume", page, ...cursor }));
}

function onmessage(data: string) {
  const { type, ...message } = JSON.parse(data);
  if (type === "replay") takeReplay(message);
  if (type === "message") take(message, false);
  if (type === "refused") room.refused(`Not accepted: ${message.reason}`);
}

function takeReplay({ log, reset, messages }: Answer) {
  room.refused(""); // over a slow network, the server may already have asked for the resume
  if (reset) {
    room.gap(log === cursor.log ? "forgotten" : "restarted");
    add("gaps");
    lastId = undefined;
  }
  cursor = { log, after: reset ? 0 : cursor.after };
  for (const message of messages) take(message, true);
}

function take(message: Message, replayed: boolean) {
  if (message.id <= cursor.after) return; // seen already
  cursor.after = message.id;
  room.show(message, replayed ? "replayed" : "");
  if (replayed) add("replayed");
  // Ids rise by one, so the page can tell whether one is missing.
  if (lastId !== undefined) add("lost", message.id - lastId - 1);
  lastId = message.id;
}

function say(from: string, text: string) {
  if (!send(JSON.stringify({ type: "say", from, text })))
    throw new Error("no connection. Send it again when the page is connected.");
}
room.onsay = say;
onSayTwenty(say, 100);
