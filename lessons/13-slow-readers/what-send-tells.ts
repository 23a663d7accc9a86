// What `send` tells, and what it doesn't. Run it: npx tsx lessons/13-slow-readers/what-send-tells.ts
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket, WebSocketServer } from "ws";

const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1" });
await once(sockets, "listening");
const { port } = sockets.address() as { port: number };
const tell = (what: string, result: unknown) => console.log(`${`${what}:`.padEnd(44)} ${result}`);
const MB = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** The server's end of a connection whose client reads, or reads nothing after the handshake. */
async function guest(reads: boolean) {
  const accepted = once(sockets, "connection");
  const socket = connect(port, "127.0.0.1");
  socket.write(
    `GET / HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  const [client] = (await accepted) as [WebSocket];
  await once(socket, "data");
  if (reads) socket.resume();
  else socket.pause();
  return { client, socket };
}

/** Resolves with what the callback of `send` was given: "no error", or the error. */
const sent = (client: WebSocket, data: string) =>
  new Promise<string>((resolve) => client.send(data, (error) => resolve(error?.message ?? "no error")));

const attempt = (act: () => void) => {
  try {
    act();
    return "nothing was thrown";
  } catch (error) {
    return `caught: ${(error as Error).message}`;
  }
};

const early = new WebSocket(`ws://127.0.0.1:${port}`);
tell(
  "send before open",
  attempt(() => early.send("too early")),
);
await once(early, "open");

const [slow, quick] = [await guest(false), await guest(true)];
tell("callback of a client that reads nothing", await sent(slow.client, "hello"));

let bytes = 0;
const waiting: Promise<string>[] = [];
while (slow.client.bufferedAmount < 1e6) {
  waiting.push(sent(slow.client, "x".repeat(10_000)));
  bytes += 10_000;
  if (bytes % 200_000 === 0) await pause(1); // the system needs a moment
}
tell("bytes that the system has taken", MB(bytes - slow.client.bufferedAmount));
tell("bufferedAmount", MB(slow.client.bufferedAmount));

const all = Promise.all([slow, quick].map(({ client }) => sent(client, "to everybody, awaited")));
tell(
  "await all callbacks",
  await Promise.race([all, pause(1_000, "not after 1 s: the slow one keeps the quick one waiting")]),
);

slow.socket.resetAndDestroy();
tell("callbacks of what waited, after a reset", (await Promise.all(waiting)).at(-1));
tell("send after close, with a callback", await sent(slow.client, "too late"));
tell(
  "send after close, without one",
  attempt(() => slow.client.send("too late")),
);
tell("bufferedAmount after close", `${slow.client.bufferedAmount} B, which will never leave`);

tell(
  "send of something that isn't data",
  attempt(() => quick.client.send({} as string)),
);
quick.socket.destroy();
tell(
  "send to somebody who has just gone",
  attempt(() => quick.client.send("Are you there?")),
);
tell("and its callback", await sent(quick.client, "Are you there?"));

early.terminate();
sockets.close();
