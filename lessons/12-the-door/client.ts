// The door, the page's half: shows who it is in one of five ways, and knows which close codes to come back from.
import { room } from "../../shared/page/chat-room.ts";
import { controlled, showState } from "../../shared/page/connection.ts";
import { number } from "../../shared/page/numbers.ts";
import { onSayTwenty } from "../../shared/page/say-twenty.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { type State, stayConnected } from "../../shared/pieces/stay-connected.ts";
import { ask, onlogin, type Session } from "./login-form.ts";

const find = <Kind extends HTMLElement>(selector: string) => document.querySelector(selector) as Kind;
const ways = find<HTMLFormElement>("#ways");
/** A guest's page has one in its address. It comes before any cookie, until somebody logs in on this page. */
let invitation = new URLSearchParams(location.search).get("invitation");
let session: Session | null = null;
let last: { path: string; firstWord?: string } | undefined; // what this page has shown at the door
let log = "";

/** What this page shows at the door. Undefined: nobody is logged in. */
async function whatToShow(): Promise<typeof last> {
  if (invitation !== null) return { path: `/room?invitation=${encodeURIComponent(invitation)}` };
  ({ session } = await ask("GET", "/me"));
  showSession();
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
const send = controlled(connect); // connects, and is in charge of the buttons

function onopen() {
  if (last?.firstWord) send(JSON.stringify({ type: "ticket", ticket: last.firstWord }));
}

function onmessage(data: string) {
  const { type, ...message } = JSON.parse(data);
  if (type === "message") room.show(message);
  if (type === "refused") room.refused(`Not accepted: ${message.reason}`);
  if (type !== "welcome") return;
  room.refused("");
  session = { name: message.name, role: message.role, until: message.until };
  showSession();
  if (log !== message.log) room.startOver();
  log = message.log;
  for (const each of message.messages) room.show(each);
}

/** 4401 and 1008 are final, 1013 isn't: `isFinal` in stay-connected.ts. */
function onstate(state: State) {
  const nobody = state.name === "closed" && state.reason === "no address";
  if ("code" in state && state.code !== undefined && !nobody) {
    number("code", String(state.code));
    number("back", state.name === "reconnecting" ? "yes" : "no");
    if (state.code === 4401) session = null;
  }
  showSession();
  showState(nobody ? { ...state, reason: "nobody is logged in" } : state);
}

function showSession() {
  const leftMs = session ? Math.max(0, session.until - Date.now()) : 0;
  room.who = session?.name ?? "nobody";
  number("who", session ? `${session.name}, ${session.role}` : "nobody");
  const seconds = Math.ceil(leftMs / 1_000);
  number("ends", seconds > 120 ? `${Math.ceil(seconds / 60)} min` : seconds > 0 ? `${seconds} s` : "–");
}
setInterval(showSession, 1_000);

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

// Somebody who reads a log has what this page has shown, and shows it, too.
find("#again").addEventListener("click", () => {
  if (!last) return number("again", "log in first");
  const { path, firstWord } = last;
  const socket = new WebSocket(`ws://${serverHost}${path}`);
  socket.onopen = () => firstWord && socket.send(JSON.stringify({ type: "ticket", ticket: firstWord }));
  socket.onmessage = ({ data }) => {
    const { type, name } = JSON.parse(data);
    if (type !== "welcome") return;
    number("again", `open, as ${name}`);
    socket.onclose = null;
    socket.close();
  };
  socket.onclose = ({ code }) => number("again", `refused: ${code}`);
});

for (const from of ["port", "site"])
  find<HTMLAnchorElement>(`#from-${from}`).href = `http://${serverHost}/mallory?from=${from}`;

find("#invite").addEventListener("click", async () => {
  const place = find(".invitation");
  try {
    const guest = new URL(location.href);
    // A name of this computer for which the browser has no cookie.
    if (guest.hostname === "localhost") guest.hostname = "127.0.0.1";
    guest.search = `?invitation=${(await ask("POST", "/invitation", { seconds: 600 })).invitation}`;
    place.textContent = guest.href;
  } catch (error) {
    const { message } = error as Error;
    place.textContent = `No invitation: ${message}${message === "Nothing here." ? " That is the exercise." : ""}`;
  }
});
