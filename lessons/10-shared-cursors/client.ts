// Shared cursors, the page's half: sends where this pointer is, and draws everybody's pointers.
import { Board, type Place } from "../../shared/page/board.ts";
import { controlled, showState } from "../../shared/page/connection.ts";
import { add } from "../../shared/page/numbers.ts";
import { nameBox } from "../../shared/page/own-name.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { Traffic } from "../../shared/page/traffic.ts";
import { stayConnected } from "../../shared/pieces/stay-connected.ts";
import { frameMs } from "./motion.ts";
import { People } from "./people.ts";
import { fromBytes, type Position, placeToBytes } from "./positions.ts";
import "./robots.ts"; // a crowd, as large as its switch says
import { onsettings, settings } from "./switches.ts";

const board = new Board(document.querySelector("canvas") as HTMLCanvasElement);
const name = nameBox(join);
const refused = document.querySelector(".refused") as HTMLElement;
const people = new People();
const traffic = new Traffic();
let hand: Place | undefined;
let isDue = false; // whether to send the hand's place, for the first time or again
let ripples = 0;
const unseen = new Map<number, string>(); // our own ripples that have not come back yet

const connect = () => stayConnected(`ws://${serverHost}`, { onopen, onmessage, onstate: showState });
const connection = controlled(connect); // connects, and makes the buttons work

function send(data: string | DataView<ArrayBuffer>) {
  if (connection.send(data)) traffic.up(data);
}

function onopen() {
  join();
  for (const ripple of unseen.values()) send(ripple); // the connection before this one may have lost it
  isDue = true;
}

/** Who we are, and how we want to receive positions. */
function join() {
  refused.textContent = "";
  const { together, binary } = settings;
  send(JSON.stringify({ type: "join", name: name.value, together, binary }));
  send(JSON.stringify({ type: "look", ...settings.view }));
}

board.onmove = (place) => {
  hand = place;
  isDue = true;
  if (settings.when === "event") sendPosition();
};
setInterval(() => {
  if (settings.when === "timer") sendPosition();
}, frameMs);

/** State: only the newest position counts. One that can't be sent now would be out of date when it can. */
function sendPosition() {
  if (!hand || !isDue) return;
  if (connection.unsentBytes() > 1_000) return add("dropped");
  isDue = false;
  send(settings.binary ? placeToBytes(hand) : JSON.stringify({ type: "move", ...hand }));
  traffic.sent(hand);
}

// Repeated even if nothing has moved: a page that has missed it, or has just been opened, gets it within two seconds.
setInterval(() => {
  isDue = true;
  sendPosition();
}, 2_000);

/** An event: it is kept until the server has sent it to everyone, us included. */
board.onpress = (place) => {
  const ripple = JSON.stringify({ type: "ripple", n: ++ripples, ...place });
  unseen.set(ripples, ripple);
  send(ripple);
};

function onmessage(data: string | ArrayBuffer) {
  traffic.down(data);
  if (typeof data !== "string") return move(fromBytes(data));
  const { type, ...message } = JSON.parse(data);
  if (type === "moved") move(message.pointers);
  if (type === "welcome") people.startOver(message.id, message.people);
  if (type === "here") people.change(message.people);
  if (type === "ripple") board.ripple(message.id, message);
  if (type === "ripple" && message.id === people.me) unseen.delete(message.n);
  if (type === "refused") refused.textContent = `Not accepted: ${message.reason}`;
}

function move(positions: Position[]) {
  people.move(positions);
  traffic.moved(positions, people.me);
}

function draw(now: number) {
  if (settings.when === "frame") sendPosition();
  board.draw(people.cursors(now, settings.smooth), now);
  requestAnimationFrame(draw);
}
requestAnimationFrame(draw);

onsettings(() => {
  board.view = settings.view;
  join();
});
