// Clients that read a stream of messages, each over one transport, and count what that costs. As a page does, without a page.
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import type { Answer, Message } from "../../both/message.ts";

/** The program that the lessons' servers are compared with. Its argument says which way of sending. */
export const references = "shared/machinery/bench/references.ts";

export type Reader = {
  /** Bytes over TCP so far, both ways, headers and all. */
  bytes(): number;
  /** Requests so far. A handshake is one. */
  requests(): number;
  end(): void;
};

/** Opens a reader. Resolves when it is ready to receive. */
export type Open = (port: number, receive: (message: Message) => void) => Promise<Reader>;

/** How to publish to lessons 3, 4 and 7, and to the plain references. */
export const say = (text: string) => JSON.stringify({ type: "say", from: "b", text });

/** The same to socket.io, which has packets of its own inside a WebSocket. */
export const socketIo = {
  path: "/socket.io/?EIO=4&transport=websocket",
  greeting: "40",
  say: (text: string) => `42["say",${JSON.stringify({ from: "b", text })}]`,
};

/** HTTP over one connection that stays open, as in a browser. */
function httpClient(port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const sockets = new Set<Socket>();
  let requests = 0;
  let ended = false;
  return {
    get(path: string): Promise<IncomingMessage> {
      requests++;
      return new Promise((resolve, reject) => {
        const sent = request({ port, host: "127.0.0.1", path, agent }, resolve);
        sent.on("socket", (socket) => sockets.add(socket));
        // Nobody waits for it after `end`.
        sent.on("error", (error) => ended || reject(error));
        sent.end();
      });
    },
    ended: () => ended,
    reader: {
      bytes: () =>
        [...sockets].reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, 0),
      requests: () => requests,
      end() {
        ended = true;
        agent.destroy();
      },
    } satisfies Reader,
  };
}

/** Lessons 1 and 2: asks, takes what there is, and asks again after a pause. A long poll needs no pause. */
export const polling =
  (everyMs: number): Open =>
  async (port, receive) => {
    const client = httpClient(port);
    let cursor = "after=0";
    const ask = async () => {
      const response = await client.get(`/messages?${cursor}`);
      const { log, messages } = (await json(response)) as Answer;
      for (const message of messages) receive(message);
      cursor = `after=${messages.at(-1)?.id ?? cursor.match(/\d+/)}&log=${log}`;
    };
    const goOn = async () => {
      // Not all in the same instant, because people open pages at different times.
      await pause(Math.random() * everyMs);
      for (; !client.ended(); await pause(everyMs)) await ask();
    };
    goOn().catch((error) => client.ended() || Promise.reject(error));
    return client.reader;
  };

export const longPolling: Open = polling(0);

/** Lesson 8. */
export const serverSentEvents: Open = async (port, receive) => {
  const client = httpClient(port);
  const response = await client.get("/events?after=0");
  let unread = "";
  response.setEncoding("utf8").on("data", (text: string) => {
    const events = (unread + text).split("\n\n");
    unread = events.pop() ?? "";
    for (const event of events) {
      const [, data] = event.match(/^data: (\{.*)$/m) ?? [];
      if (data) receive(JSON.parse(data));
    }
  });
  response.on("error", () => {});
  return client.reader;
};

/** Lesson 3, and servers like it. `unwrap` finds the message in a frame's text. */
export const webSocket =
  ({
    path = "/",
    greeting = "",
    compressed = false,
    unwrap = (text: string): Message => JSON.parse(text),
  } = {}): Open =>
  async (port, receive) => {
    const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, { perMessageDeflate: compressed });
    client.on("message", (data) => {
      const message = unwrap(data.toString());
      if (message) receive(message);
    });
    const socket = await new Promise<Socket>((resolve, reject) => {
      client.on("upgrade", (response) => resolve(response.socket));
      client.on("error", reject);
    });
    await greet(client, greeting);
    return {
      bytes: () => socket.bytesRead + socket.bytesWritten,
      requests: () => 1,
      end: () => client.terminate(),
    };
  };

/** Sends what a server expects first, and waits until it answers with the same beginning. */
export async function greet(client: WebSocket, greeting: string): Promise<void> {
  if (client.readyState !== client.OPEN) await once(client, "open");
  if (!greeting) return;
  const answered = new Promise<void>((resolve) =>
    client.on("message", (data) => data.toString().startsWith(greeting) && resolve()),
  );
  client.send(greeting);
  await answered;
}

async function json(response: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return JSON.parse(text);
}
