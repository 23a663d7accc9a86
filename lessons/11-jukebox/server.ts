// Jukebox: one state for the whole room. The server puts what people press in order, and says what time it is.
import { type WebSocket, WebSocketServer } from "ws";
import { heartbeat } from "../../shared/pieces/heartbeat.ts";
import { heartbeatTimes } from "../../shared/server/heartbeat-times.ts";
import { claimName } from "../../shared/server/names.ts";
import { serve } from "../../shared/server/serve.ts";
import { closeOnShutdown, deliver, limits, onlyOurPage, receive } from "../../shared/server/sockets.ts";
import { ownClock } from "./clock.ts";
import { Incoming, JoinFirst, namesOf, type Person, type Presence, type Room } from "./messages.ts";
import { after, type Command } from "./state.ts";

const people = new Map<WebSocket, Person>();
const changed = new Map<number, Presence>(); // not sent yet: who has come, gone, or changed names
const sockets = new WebSocketServer({ server: serve(), verifyClient: onlyOurPage, ...limits });
const started = ownClock(); // tells one run of this server from the next
let room: Room = { track: 0, playing: false, position: 0, at: started, revision: 0 };
let lastId = 0;

const send = (client: WebSocket, message: object) => deliver(client, JSON.stringify(message));

function broadcast(message: object) {
  const bytes = Buffer.from(JSON.stringify(message));
  for (const client of people.keys()) deliver(client, bytes);
}

/** The server's order decides. Somebody who pressed before they saw the last change meant another state than this one. */
function obey(client: WebSocket, command: Command, { id, name }: Person) {
  if (command.revision !== room.revision) return send(client, { type: "stale", ...room });
  room = { ...after(room, command, ownClock()), by: { id, name, pressed: command.type } };
  broadcast({ type: "state", ...room });
}

// Exercise: people vote to skip the track. When at least half of the pages that are here have voted, the next one plays.
sockets.on("connection", (client) => {
  const id = ++lastId;
  client.on("message", (data, isBinary) => {
    const t2 = ownClock();
    const person = people.get(client);
    const message = receive(client, data, isBinary, person ? Incoming : JoinFirst);
    if (message?.type === "beat") deliver(client, '{"type":"beat"}');
    if (message?.type === "time") send(client, { type: "time", t1: message.t1, t2, t3: ownClock() });
    if (message?.type === "join") {
      const name = claimName(client, message.name); // "Ada (2)" when another Ada is here
      people.set(client, { id, name, page: message.page });
      changed.set(id, { id, name });
      if (!person) send(client, { type: "welcome", id, started, people: namesOf(people), ...room });
    }
    if (person && message && "revision" in message) obey(client, message, person);
  });
  client.on("close", () => people.delete(client) && changed.set(id, { id })); // without a name: gone
  client.on("error", (error) => console.log(`error: ${error.message}`));
});

setInterval(() => {
  if (changed.size > 0) broadcast({ type: "here", people: [...changed.values()] });
  changed.clear();
}, 50);
heartbeat(sockets.clients, heartbeatTimes);
closeOnShutdown(sockets.clients);
