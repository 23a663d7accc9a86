// The door, the page's half: shows who it is in one of five ways. The server's close code decides whether it comes back.
import type { Answer } from "../../shared/both/message.ts";
import { room } from "../../shared/page/chat-room.ts";
import { controlled, showState } from "../../shared/page/connection.ts";
import { number } from "../../shared/page/numbers.ts";
import { onSayTwenty } from "../../shared/page/say-twenty.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { type State, stayConnected } from "../../shared/pieces/stay-connected.ts";
import { offerAgain, type Shown } from "./again.ts";
import "./invite.ts"; // the links to Mallory's page, and the button Invite
import { ask, onlogin, type Session, showSession } from "./login-form.ts";

const find = <Kind extends HTMLElement>(selector: string) => document.querySelector(selector) as Kind;
const ways = find<HTMLFormElement>("#ways");
/** A guest's page has one in its address. The page shows it instead of a cookie, until somebody logs in there. */
let invitation = new URLSearchParams(location.search).get("invitation");
let last: Shown | undefined; // what this page has shown at the door

/** What this page shows at the door. Undefined: nobody is logged in. */
async function whatToShow(): Promise<Shown | undefined> {
  if (invitation !== null) return { path: `/room?invitation=${encodeURIComponent(invitation)}` };
  const { session } = await ask("GET", "/me");
  showSession(session);
  if (!session) return;
  const way = new FormData(ways).get("way");
  if (way === "token") return { path: `/naive?token=${(await ask("POST", "/token")).token}` };
  if (way === "ticket") return { path: `/room?ticket=${(await ask("POST", "/ticket")).ticket}` };
  if (way === "word") return { path: "/room?ticket=", firstWord: (await ask("POST", "/ticket")).ticket };
  return { path: way === "naive" ? "/naive" : "/room" };
}

/** Asked before each attempt, since a ticket is good for one. Undefined: there is nothing to show, so no attempt. */
async function address(): Promise<string | undefined> {
  const shown = await whatToShow();
  if (!shown) return;
  last = shown;
  number("address", `GET ${last.path}`);
  number("again", "–");
  return `ws://${serverHost}${last.path}`;
}

const connect = () => stayConnected(address, { onopen, onmessage, onstate });
const { send } = controlled(connect); // connects, and makes the buttons work

function onopen() {
  if (last?.firstWord) send(JSON.stringify({ type: "ticket", ticket: last.firstWord }));
}

function onmessage(data: string) {
  const { type, ...message } = JSON.parse(data);
  if (type === "message") room.show(message);
  if (type === "refused") room.refused(`Not accepted: ${message.reason}`);
  if (type === "welcome") welcome(message);
}

function welcome({ log, messages, ...session }: Session & Answer) {
  room.refused("");
  showSession(session);
  room.showLog(log);
  for (const message of messages) room.show(message);
}

/** 4401 and 1008 are final, 1013 isn't: `isFinal` in stay-connected.ts. */
function onstate(state: State) {
  const nobody = state.name === "closed" && state.reason === "no address";
  if ("code" in state && state.code !== undefined && !nobody) {
    number("code", String(state.code));
    number("back", state.name === "reconnecting" ? "yes" : "no");
    if (state.code === 4401) showSession(null);
  }
  showState(nobody ? { name: "closed", reason: "nobody is logged in" } : state);
}

function say(_from: string, text: string) {
  room.refused("");
  if (!send(JSON.stringify({ type: "say", text }))) throw new Error("there is no connection.");
}
room.onsay = say;
onSayTwenty(say, 10);

function connectAgain() {
  find("#leave").click();
  find("#come-back").click();
}
onlogin(() => {
  invitation = null;
  connectAgain();
});
ways.addEventListener("change", connectAgain);
ways.addEventListener("submit", (event) => event.preventDefault());

offerAgain(() => last);
