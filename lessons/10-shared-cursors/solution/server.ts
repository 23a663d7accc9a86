// Shared cursors: the server keeps each pointer's place, and sends all that moved, twenty times a second.
import { type WebSocket, WebSocketServer } from "ws";
import { heartbeat } from "../../../shared/pieces/heartbeat.ts";
import { heartbeatTimes } from "../../../shared/server/heartbeat-times.ts";
import { claimName } from "../../../shared/server/names.ts";
import { serve } from "../../../shared/server/serve.ts";
import { closeOnShutdown, deliver, limits, onlyOurPage, receive } from "../../../shared/server/sockets.ts";
import { Incoming, JoinFirst, moves, type Person, type Presence, type View, welcome } from "../messages.ts";
import { type Position, toBytes } from "../positions.ts";

const people = new Map<WebSocket, Person>();
/** The part of the board that a page shows, and the ids of the pointers that it has there. */
const views = new Map<WebSocket, View & { shown: Set<number> }>();
const changed = new Map<number, Presence>(); // since the last frame: who has come, gone, or changed names
const moved = new Map<number, Position>(); // since the last frame: a newer position replaces an older one
const sockets = new WebSocketServer({ server: serve(), verifyClient: onlyOurPage, ...limits });
let lastId = 0;

/** An event: to everyone, in order, and never left out. */
function broadcast(event: object) {
  const bytes = Buffer.from(JSON.stringify(event));
  for (const client of people.keys()) deliver(client, bytes);
}

/** State: to clients that receive it in this way. One with unread data is left out, because the next frame is newer. */
function sendPositions(pointers: Position[], together: boolean) {
  for (const [client, wishes] of people) {
    if (wishes.together !== together || client.bufferedAmount > 0) continue;
    const seen = seenBy(client, pointers);
    if (seen.length === 0) continue;
    if (wishes.binary) deliver(client, toBytes(seen), true);
    else deliver(client, JSON.stringify({ type: "moved", pointers: seen }));
  }
}

/** Those of the pointers that are in the client's part of the board, and those that have just left it. */
function seenBy(client: WebSocket, pointers: Position[]): Position[] {
  const view = views.get(client);
  if (!view) return pointers;
  return pointers.filter(({ id, x, y }) => {
    const wasIn = view.shown.delete(id);
    const isIn = x >= view.left && x <= view.right && y >= view.top && y <= view.bottom;
    if (isIn) view.shown.add(id);
    return isIn || wasIn;
  });
}

sockets.on("connection", (client) => {
  const id = ++lastId;
  client.on("message", (data, isBinary) => {
    const message = receive(client, data, isBinary, people.has(client) ? Incoming : JoinFirst, moves);
    if (message?.type === "beat") deliver(client, '{"type":"beat"}');
    if (message?.type === "join") {
      const name = claimName(client, message.name); // "Ada (2)" when another Ada is here
      if (!people.has(client)) deliver(client, welcome(id, people.values()));
      people.set(client, { ...message, id, name });
      changed.set(id, { id, name });
    }
    if (message?.type === "look")
      views.set(client, { ...message, shown: views.get(client)?.shown ?? new Set() });
    if (message?.type === "ripple") broadcast({ ...message, id });
    if (message?.type === "move") {
      const position = { id, x: message.x, y: message.y };
      moved.set(id, position);
      sendPositions([position], false);
    }
  });
  client.on("close", () => {
    views.delete(client);
    for (const { shown } of views.values()) shown.delete(id);
  });
  client.on("close", () => people.delete(client) && changed.set(id, { id }) && moved.delete(id)); // gone
  client.on("error", (error) => console.log(`error: ${error.message}`));
});

setInterval(() => {
  if (changed.size > 0) broadcast({ type: "here", people: [...changed.values()] });
  if (moved.size > 0) sendPositions([...moved.values()], true);
  for (const sent of [changed, moved]) sent.clear();
}, 50);
heartbeat(sockets.clients, heartbeatTimes);
closeOnShutdown(sockets.clients);
