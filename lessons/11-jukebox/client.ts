// Jukebox, the page's half: plays what the shared state says, and sends what the reader presses.
import { controlled, showState } from "../../shared/page/connection.ts";
import { nameBox } from "../../shared/page/own-name.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { stayConnected } from "../../shared/pieces/stay-connected.ts";
import { Clock, sample } from "./clock.ts";
import type { Welcome } from "./messages.ts";
import { People } from "./people.ts";
import { SharedState } from "./shared-state.ts";
import { type Press, positionAt, type State, trackOf } from "./state.ts";
import { onsettings, ownTime, settings } from "./switches.ts";
import { View } from "./view.ts";

const name = nameBox(() => join());
const page = crypto.getRandomValues(new Uint32Array(3)).join(""); // the same after a reconnect, and nobody else knows it
const people = new People();
const clock = new Clock();
const shared = new SharedState((message) => send(message));
const view = new View({ press, joinIn: follow, vote: () => shared.vote() });
let started: number | undefined; // which run of the server we know
let askLater: ReturnType<typeof setTimeout> | undefined;

const connect = () => stayConnected(`ws://${serverHost}`, { onopen, onmessage, onstate: showState });
const connection = controlled(connect); // connects, and makes the buttons work
const send = (message: object) => connection.send(JSON.stringify(message));
const join = () => send({ type: "join", name: name.value, page });
const roomTime = () => clock.at(ownTime()) ?? ownTime();

function onopen() {
  join();
  askTime();
}

/** Four times a second for ten seconds, and then every two seconds. Late answers do no harm: they are never the best. */
function askTime(nth = 1) {
  clearTimeout(askLater);
  send({ type: "time", t1: ownTime() });
  askLater = setTimeout(() => askTime(nth + 1), nth < 40 ? 250 : 2_000);
}

function onmessage(data: string) {
  const t4 = ownTime();
  const { type, ...message } = JSON.parse(data);
  if (type === "time") clock.add(sample(message.t1, message.t2, message.t3, t4));
  if (type === "here") people.change(message.people);
  if (type === "votes") view.votes(message);
  if (type === "welcome") welcome(message);
  if (type === "state") {
    view.changed(message, people.me);
    shared.changed(message, message.by?.id === people.me, roomTime());
  }
  if (type === "stale") {
    view.stale(shared.waiting, message);
    shared.refused(roomTime(), message);
  }
  if (type === "refused") {
    view.refused(message.reason);
    shared.refused(roomTime());
  }
  follow();
}

function welcome({ id, started: run, people: all, ...room }: Welcome) {
  const isSame = started === undefined || started === run;
  started = run;
  people.startOver(id, all);
  view.changed(room, id, isSame);
  shared.welcome(room, isSame);
}

function press(pressed: Press) {
  view.pressed(pressed.type);
  shared.press(pressed, roomTime());
  follow();
}

/** Brings the player to where the room is: four times a second, and whenever something has changed. */
function follow() {
  const { state } = shared;
  const { player } = view; // Undefined: the reader hasn't joined in yet.
  if (!state || !clock.best || !player?.isAwake()) return;
  if (state.playing) player.follow(trackOf(state), () => target(state));
  else player.stop();
}
setInterval(follow, 250);

/** The position to be at now: by the server's clock, or (a switch) by this computer's. */
const target = (state: State) => positionAt(state, settings.follow === "own" ? ownTime() : roomTime());

/** A reader who prefers no motion sees ten pictures a second. */
const still = matchMedia("(prefers-reduced-motion: reduce)");

function draw() {
  const { state } = shared;
  if (state) view.draw(state, { room: positionAt(state, roomTime()), target: target(state) }, clock);
  if (still.matches) setTimeout(draw, 100);
  else requestAnimationFrame(draw);
}
draw();

// A laptop has woken up, and its clock may have slept, too.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) askTime();
});
onsettings(askTime);
