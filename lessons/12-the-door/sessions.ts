// Sessions that nobody can make up, because they are signed. And tickets: each opens one connection, and soon.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { HttpError } from "../../shared/server/http.ts";
import { Buckets } from "./limits.ts";

/** `until`: when it ends, in milliseconds since 1970. */
export type Session = { id: string; name: string; role: "member" | "reader"; until: number };

const { TICKET_MS = 30_000 } = process.env;
const ownSecret = secretWord(32);
export const cookieName = "door-session";

/** A word that nobody can guess. 16 bytes of randomness are plenty. */
export function secretWord(bytes = 16): string {
  return randomBytes(bytes).toString("base64url");
}

export function newSession(user: Pick<Session, "name" | "role">, seconds: number): Session {
  return { id: secretWord(), ...user, until: Date.now() + seconds * 1_000 };
}

/** What a page may know of its session. */
export const viewOf = ({ name, role, until }: Session) => ({ name, role, until });

/** With a secret from the environment, sessions outlive a restart. It must be long, random, and in no repository. */
function signature(text: string): string {
  const secret = process.env.SESSION_SECRET || ownSecret; // an empty one isn't a secret
  return createHmac("sha256", secret).update(text).digest("base64url");
}

/** The session as text, for a cookie or an address. Everybody can read it. Nobody can change it. */
export function sign(session: Session): string {
  const text = Buffer.from(JSON.stringify(session)).toString("base64url");
  return `${text}.${signature(text)}`;
}

/** The session in a signed text. Undefined where the signature is wrong, or the session is over. */
export function readSession(signed = ""): Session | undefined {
  const [text = "", ...rest] = signed.split(".");
  const [given, right] = [Buffer.from(rest.join(".")), Buffer.from(signature(text))];
  // `===` takes longer the more characters are right, and could be measured. This comparison always takes the same time.
  if (given.length !== right.length || !timingSafeEqual(given, right)) return;
  const session: Session = JSON.parse(Buffer.from(text, "base64url").toString());
  return isOver(session) ? undefined : session;
}

/** The session in the cookie that a browser sends along by itself, with requests and handshakes alike. */
export function sessionOf({ headers }: IncomingMessage): Session | undefined {
  const cookies = headers.cookie?.split("; ") ?? [];
  return readSession(cookies.find((one) => one.startsWith(`${cookieName}=`))?.slice(cookieName.length + 1));
}

/** @throws {HttpError} 401 for a request without a session */
export function required(request: IncomingMessage): Session {
  const session = sessionOf(request);
  if (!session) throw new HttpError(401, "Log in first.");
  return session;
}

/** Sessions that somebody has ended, and until when they would have lasted. A signature alone can't be taken back. */
const ended = new Map<string, number>();

export function endSession({ id, until }: Session): void {
  ended.set(id, until);
  for (const [other, end] of ended) if (end <= Date.now()) ended.delete(other);
}

export function isOver({ id, until }: Session): boolean {
  return ended.has(id) || until <= Date.now();
}

const tickets = new Map<string, Session>();

const perUser = new Buckets(20, 1);

/**
 * A ticket for one connection of this session. It lasts 30 seconds.
 * @throws {HttpError} 429 for a user who has asked for many
 */
export function newTicket(session: Session): string {
  if (!perUser.take(session.name))
    throw new HttpError(429, "Too many tickets: twenty, and then one a second.");
  const ticket = secretWord();
  tickets.set(ticket, session);
  setTimeout(() => tickets.delete(ticket), Number(TICKET_MS)).unref();
  return ticket;
}

/** Whose ticket it is. Undefined where it is unknown, used or expired, or its session is over. From now on it is used. */
export function spendTicket(ticket: string): Session | undefined {
  const session = tickets.get(ticket);
  tickets.delete(ticket);
  return session && !isOver(session) ? session : undefined;
}
