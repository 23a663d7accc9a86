// Resume: a page that comes back says where it stands, and gets what it missed before it goes live.
import { type WebSocket, WebSocketServer } from "ws";
import { beat as beatFields, typing } from "../../../shared/both/old-message.ts";
import { beat, heartbeat } from "../../../shared/pieces/heartbeat.ts";
import { Heard, replay, resume, sayOnce } from "../../../shared/pieces/resume-server.ts";
import { MessageLog } from "../../../shared/server/message-log.ts";
import { Names } from "../../../shared/server/old-names.ts";
import { serve } from "../../../shared/server/old-serve.ts";
import { deliver, frameLimits, readMessage, refuse } from "../../../shared/server/old-sockets.ts";

/** Enough for a page that is away for 30 s while a hundred messages a second are said. */
const log = new MessageLog(Number(process.env.HISTORY ?? 4_000));
const heard = new Heard();
const names = new Names();
const clients = new Set<WebSocket>();
/** Those that have everything up to now; only they are told what is said next. */
const live = new Set<WebSocket>();
const clientOf = new Map<string, WebSocket>();
const pageOf = new WeakMap<WebSocket, string>();
/** To whom a name belongs: to the page, whose sockets come and go. For those that are away, when it is given up. */
const persons = new Map<string, { absence?: NodeJS.Timeout }>();
/** A page that is away for longer than this gives up its name. */
const keepNameMs = 3_000;
const sockets = new WebSocketServer({ noServer: true, ...frameLimits });

function toAll(message: object, these = clients) {
  const bytes = encode(message);
  for (const client of these) deliver(client, bytes);
}

function toAllBut(one: WebSocket, message: object) {
  const bytes = encode(message);
  for (const client of clients) if (client !== one) deliver(client, bytes);
}

/** To bytes once, before the loop: a thousand clients cost one JSON.stringify, not a thousand. */
const encode = (message: object) => Buffer.from(JSON.stringify(message));

sockets.on("connection", (client) => {
  clients.add(client);
  tellPresence();
  let hasResumed = false;

  client.on("message", (data, isBinary) => {
    const kinds = { resume, say: sayOnce, typing, beat: beatFields };
    const message = readMessage(client, data, isBinary, kinds);
    if (!message) return;
    // A page that has heard nothing for a while asks whether anybody is there.
    if (message.type === "beat") return deliver(client, beat);
    if (message.type === "resume") {
      // Two replays at once would send everything twice.
      if (hasResumed) return refuse(client, "resume: once for each connection.");
      hasResumed = true;
      return comeBack(client, message);
    }
    const from = names.claim(persons.get(pageOf.get(client) ?? "") ?? client, message.from);
    if (message.type === "typing") return toAllBut(client, { type: "typing", from });
    const { id, text } = message;
    const double = id !== undefined && !heard.isNew(id);
    if (id !== undefined) deliver(client, encode({ type: "ack", id, double }));
    if (!double) toAll({ type: "message", ...log.add(from, text) }, live);
  });

  client.on("close", () => leave(client));
  client.on("error", (error) => console.log(`error: ${error.message}`));
});

function comeBack(client: WebSocket, { page, ...cursor }: { page?: string | undefined; after: number }) {
  if (page !== undefined) {
    // The socket that this page has left behind, over a network that fell silent: half-open, and still called Ada.
    const ghost = clientOf.get(page);
    if (ghost) {
      leave(ghost);
      ghost.terminate();
    }
    clientOf.set(page, client);
    pageOf.set(client, page);
    const person = persons.get(page) ?? {};
    clearTimeout(person.absence);
    persons.set(page, person);
    // Whoever spoke before resuming did so without a page.
    names.release(client);
    // The last acknowledgement may have been lost. First, or what it said would stand there twice for a moment.
    const id = heard.last(page);
    if (id !== undefined) deliver(client, encode({ type: "ack", id, double: false }));
  }
  replay(
    log,
    cursor,
    (piece, whenSent) => client.send(JSON.stringify({ type: "replay", ...piece }), whenSent),
    () => live.add(client),
  );
}

function leave(client: WebSocket) {
  clients.delete(client);
  live.delete(client);
  names.release(client);
  const page = pageOf.get(client) ?? "";
  // A ghost that goes late must not take the page's new socket off the map.
  if (clientOf.get(page) === client) {
    clientOf.delete(page);
    const person = persons.get(page) ?? {};
    person.absence = setTimeout(() => {
      names.release(person);
      persons.delete(page);
    }, keepNameMs);
  }
  tellPresence();
}

// A thousand pages that arrive at once change the number a thousand times. It is told once.
let presenceDue = false;
function tellPresence() {
  if (presenceDue) return;
  presenceDue = true;
  setTimeout(() => {
    presenceDue = false;
    toAll({ type: "presence", here: clients.size });
  }, 50);
}

heartbeat(clients, {
  pingEveryMs: Number(process.env.PING_EVERY_MS ?? 15_000),
  graceMs: Number(process.env.GRACE_MS ?? 10_000),
});

// A count that everybody sees, and so sees the moment it stops.
let n = 0;
setInterval(() => toAll({ type: "hello", text: `Hello there #${++n}` }), 1_000);

serve({ sockets });
