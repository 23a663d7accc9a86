// The room: the session says who is speaking, and whether they may only read. When it ends, its sockets are closed.
import type { WebSocket } from "ws";
import { MessageLog } from "../../shared/server/message-log.ts";
import { deliver, receive, refuse } from "../../shared/server/sockets.ts";
import { Buckets, Places } from "./limits.ts";
import { Incoming } from "./messages.ts";
import { isOver, type Session, viewOf } from "./sessions.ts";

const people = new Map<WebSocket, Session>();
const log = new MessageLog(100);
const ofUser = new Places(5);
const words = new Buckets(10, 2);

/** Lets a client in. Without a session, or where its user has five connections already, closes it and says why. */
export function enter(client: WebSocket, session: Session | undefined) {
  client.on("error", (error) => console.log(`error: ${error.message}`));
  if (!session) return turnAway(client, 4401, "log in, or get a new ticket");
  if (!ofUser.take(session.name, client))
    return turnAway(client, 1013, "this user has five connections already");
  people.set(client, session);
  client.on("close", () => people.delete(client));
  deliver(client, JSON.stringify({ type: "welcome", ...viewOf(session), ...log.after({ after: 0 }) }));
  client.on("message", (data, isBinary) => {
    const message = receive(client, data, isBinary, Incoming);
    if (message?.type === "beat") deliver(client, '{"type":"beat"}');
    if (message?.type !== "say") return;
    if (session.role === "reader") return refuse(client, "You may only read.");
    if (!words.take(session.name)) return refuse(client, "Too fast: ten messages, and then two a second.");
    const said = log.add(session.name, message.text); // from the session: a message can't claim another name
    const bytes = Buffer.from(JSON.stringify({ type: "message", ...said }));
    for (const each of people.keys()) deliver(each, bytes);
  });
}

/** Closes a client, and cuts it off if it doesn't answer within two seconds. ws alone would wait for thirty. */
export function turnAway(client: WebSocket, code: number, reason: string): void {
  client.close(code, reason);
  const late = setTimeout(() => client.terminate(), 2_000).unref();
  client.once("close", () => clearTimeout(late));
}

// A session has expired, or its user has logged out: no socket that was opened with it may outlive it.
setInterval(() => {
  for (const [client, session] of people) if (isOver(session)) client.close(4401, "your session has ended");
}, 250);
