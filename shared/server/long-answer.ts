// A long answer is sent piece by piece, as fast as its client reads, and in turn with the other long answers.
import type { ServerResponse } from "node:http";

/** Bytes of an answer that wait in our memory for a client to read them, roughly. */
const pieceLength = 16 * 1024;

/** Whether an answer has left in this turn of the event loop. */
let isTurnTaken = false;

/**
 * Sends `body` as JSON, and ends the response. Its status and the other headers are set already. The first answer in a
 * turn of the event loop leaves now. The others wait, since one message may answer two thousand requests.
 */
export function sendInPieces(response: ServerResponse, body: object): void {
  const pieces = inPieces(body);
  const first = Buffer.from(pieces.next().value ?? "");
  const second = pieces.next();
  const send = () => {
    if (response.headersSent || response.destroyed) return;
    if (second.done) {
      response.setHeader("Content-Length", first.length);
      response.end(first);
      return;
    }
    response.write(first);
    sendOn(response, second.value, pieces);
  };
  if (isTurnTaken) return void inTurn(send);
  isTurnTaken = true;
  setImmediate(() => {
    isTurnTaken = false;
  });
  send();
}

function sendOn(response: ServerResponse, piece: string, pieces: Generator<string>) {
  writePiece(response, piece, () => {
    const { value, done } = pieces.next();
    if (done) response.end();
    else sendOn(response, value, pieces);
  });
}

/**
 * Writes one piece of a long answer. Calls `makeNext` when the system has taken it and it is this answer's turn, unless
 * the client has gone by then.
 */
export function writePiece(response: ServerResponse, piece: string, makeNext: () => void): void {
  response.write(piece, () => inTurn(() => response.destroyed || makeNext()));
}

const turns: (() => void)[] = [];

/** Calls one of these in each turn of the event loop. So hundreds of answers together delay nobody else's. */
function inTurn(work: () => void) {
  turns.push(work);
  if (turns.length === 1) setImmediate(takeTurn);
}

function takeTurn() {
  turns[0]?.();
  turns.shift();
  if (turns.length > 0) setImmediate(takeTurn);
}

/** `JSON.stringify(body)` in pieces of at least 16 KiB, except the last. Lists in it are written entry by entry. */
function* inPieces(body: object): Generator<string> {
  let piece = "";
  let before = "{";
  for (const [name, value] of Object.entries(body)) {
    if (value === undefined) continue;
    piece += `${before}${JSON.stringify(name)}:`;
    before = ",";
    if (!Array.isArray(value)) {
      piece += JSON.stringify(value);
      continue;
    }
    let separator = "[";
    for (const entry of value) {
      piece += separator + JSON.stringify(entry);
      separator = ",";
      if (piece.length < pieceLength) continue;
      const whole = piece;
      // Not kept here while it waits for a slow reader: 300 of them would take 130 MiB more.
      piece = "";
      yield whole;
    }
    piece += value.length > 0 ? "]" : "[]";
  }
  yield `${piece || "{"}}`;
}
