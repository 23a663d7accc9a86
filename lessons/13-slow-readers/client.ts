// Slow readers, the page's half: shows the newest price of each symbol, and tells the server how much it has read.
import { controlled, showState } from "../../shared/page/connection.ts";
import { keepName } from "../../shared/page/own-name.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { type State, stayConnected } from "../../shared/pieces/stay-connected.ts";
import { Charts } from "./charts.ts";
import { offerCompression } from "./compression-view.ts";
import { Stream } from "./stream.ts";

const find = <Kind extends HTMLElement>(selector: string) => document.querySelector(selector) as Kind;
const form = find<HTMLFormElement>("#wishes");
const nameBox = find<HTMLInputElement>("input[name=from]");
const stream = new Stream(find("#prices"));
const charts = new Charts();
let log: string | undefined; // which log of the server our numbers are from
let bytes = 0; // read on this connection

keepName(nameBox);
const connect = () => stayConnected(`ws://${serverHost}`, { onopen, onmessage, onstate });
const { send } = controlled(connect);

/** Who we are, what the server should do when we are slow, and the last quote that we have seen. */
function join() {
  const { care, by } = Object.fromEntries(new FormData(form));
  send(JSON.stringify({ type: "join", name: nameBox.value, care, by, after: stream.lastId, log }));
}

function onopen() {
  bytes = 0;
  join();
}

function onmessage(data: string) {
  const { type, ...message } = JSON.parse(data);
  if (type === "refused") find(".refused").textContent = `Not accepted: ${message.reason}`;
  if (type === "beat" || type === "refused") return;
  if (type === "quote") stream.take(message);
  if (type === "welcome") welcome(message);
  if (type === "replay") stream.replay(message);
  if (type === "here")
    find(".event").textContent = message.name ? `${message.name} is here.` : "Somebody has left.";
  // bufferedAmount tells the server what it still has. Only we know what has arrived.
  bytes += new TextEncoder().encode(data).length;
  send(JSON.stringify({ type: "read", bytes }));
}

function welcome({ id, log: name }: { id: number; log: string }) {
  charts.ownId = id;
  // Another log: the server has restarted, and counts from 1 again.
  if (name !== log) stream.startOver(log !== undefined);
  log = name;
  stream.connected();
}

function onstate(state: State) {
  // Not by the number of the attempt: it keeps rising while connections open and break again.
  if (state.name === "reconnecting" && charts.isOn) stream.disconnected();
  charts.isOn = state.name === "open";
  showState(state);
}

charts.onreport = ({ nowMs }) => stream.setClock(nowMs);

form.addEventListener("change", () => {
  find(".refused").textContent = "";
  join();
});
offerCompression(find("#compression"));
form.addEventListener("submit", (event) => event.preventDefault());
