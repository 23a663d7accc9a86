// The door: before there is a socket, the server decides who gets one. Express answers HTTP, with the same sessions.
import express from "express";
import { type WebSocket, WebSocketServer } from "ws";
import { heartbeat } from "../../shared/pieces/heartbeat.ts";
import { heartbeatTimes } from "../../shared/server/heartbeat-times.ts";
import { serveListener } from "../../shared/server/serve.ts";
import { closeOnShutdown, limits, receive } from "../../shared/server/sockets.ts";
import { printAtMostTenASecond } from "../../shared/server/terminal.ts";
import { answerTheRest, guarded, isOurs, refuseHandshake } from "./http.ts";
import { Places } from "./limits.ts";
import { addLogin } from "./login.ts";
import { FirstWord } from "./messages.ts";
import { enter, turnAway } from "./room.ts";
import { newTicket, readSession, required, sessionOf, spendTicket } from "./sessions.ts";

const firstWordMs = Number(process.env.FIRST_WORD_MS ?? 2_000);
const app = guarded(express());
const server = serveListener(app, ["/room", "/naive"]);
const room = new WebSocketServer({ noServer: true, ...limits });
const naive = new WebSocketServer({ noServer: true, ...limits });
const strangers = new Places(200);
const print = printAtMostTenASecond();

addLogin(app, server); // POST /users, /login and /logout
// Exercise: POST /invitation makes an invitation. A guest comes in with it, once: /room?invitation=…
app.post("/ticket", (request, response) => void response.json({ ticket: newTicket(required(request)) }));
answerTheRest(app);

server.on("upgrade", (request, socket, head) => {
  print(`GET ${request.url}`); // as every server and every proxy does
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  if (pathname === "/naive") {
    // As in most examples: a cookie or a token is enough, whichever page or program sends it.
    const session = readSession(searchParams.get("token") ?? undefined) ?? sessionOf(request);
    return naive.handleUpgrade(request, socket, head, (client) => enter(client, session));
  }
  if (!isOurs(request.headers.origin)) return refuseHandshake(socket, 403);
  const ticket = searchParams.get("ticket"); // empty: it comes as the first message
  const session = ticket === null ? sessionOf(request) : spendTicket(ticket);
  if (!session && !strangers.take(request.socket.remoteAddress, socket)) return refuseHandshake(socket, 503);
  room.handleUpgrade(request, socket, head, (client) =>
    session || ticket ? enter(client, session) : awaitTicket(client),
  );
});

/** Somebody who has shown nothing yet: the first message must be a ticket, and soon. */
function awaitTicket(client: WebSocket) {
  const late = setTimeout(() => turnAway(client, 4408, "no ticket in two seconds"), firstWordMs);
  client.once("message", (data, isBinary) => {
    clearTimeout(late);
    const first = receive(client, data, isBinary, FirstWord);
    enter(client, first && spendTicket(first.ticket));
  });
  client.on("error", () => {}); // a bad frame must not end the process
}

for (const { clients } of [room, naive]) {
  heartbeat(clients, heartbeatTimes);
  closeOnShutdown(clients);
}
