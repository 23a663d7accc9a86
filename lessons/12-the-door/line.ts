// Who is next: only a few passwords are checked at the same time, and a flood of logins doesn't keep a user out.
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { HttpError } from "../../shared/server/http.ts";

/** Node has four threads for such work, and one stays free for files. */
const atOnce = 3;
let working = 0;

/** `asked`: how often its connection had asked before. */
type Waiting = { start: () => void; asked: number };
/** In the order in which they came. */
const line = new Set<Waiting>();
const asked = new WeakMap<Socket, number>();
let turns = 0;

/** Does `work` when it is its turn. A client that leaves loses its turn: `response` emits "close" then. */
export async function inTurn<Result>(response: ServerResponse, work: () => Promise<Result>): Promise<Result> {
  const { socket } = response.req;
  const before = asked.get(socket) ?? 0;
  asked.set(socket, before + 1);
  if (working < atOnce) working++;
  else
    await new Promise<void>((resolve, reject) => {
      const waiting = { start: resolve, asked: before };
      line.add(waiting);
      response.once("close", () => line.delete(waiting) && reject(new HttpError(503, "You have left.")));
    });
  try {
    return await work();
  } finally {
    const next = nextInLine();
    if (next) line.delete(next) && next.start();
    else working--;
  }
}

/**
 * The one that came first. Every second time, the one whose connection has asked least often: otherwise a few connections
 * that ask again and again would keep everybody else waiting. Addresses don't help, since all clients of the cable share
 * one.
 */
function nextInLine(): Waiting | undefined {
  const waiting = [...line];
  if (++turns % 2 === 0) waiting.sort((a, b) => a.asked - b.asked);
  return waiting[0];
}
