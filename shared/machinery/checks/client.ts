// What a check does to a server, as any page could: requests over HTTP, and clients with a WebSocket.
import { connect } from "node:net";
import { WebSocket } from "ws";
import { CheckFailed, cannotTell, eventually, expectThat, pause } from "./checks.ts";
import type { LessonServer } from "./server.ts";
import { within } from "./time.ts";

/**
 * Sends a request and reads the whole answer.
 * @throws {CheckFailed} when no answer comes within `withinMs`, or the connection breaks
 */
export async function request(
  { url }: LessonServer,
  path: string,
  { withinMs = 2_000, ...init }: RequestInit & { withinMs?: number } = {},
): Promise<Response> {
  const what = `an answer to ${init.method ?? "GET"} ${path}`;
  const broken = () => new CheckFailed(what, "the connection was closed before it came");
  const aborted = new AbortController();
  const answer = (async () => {
    const response = await fetch(url + path, { ...init, signal: aborted.signal });
    const body = await response.arrayBuffer();
    const { status, statusText, headers } = response;
    return new Response(body.byteLength === 0 ? null : body, { status, statusText, headers });
  })().catch(() => Promise.reject(broken()));
  try {
    const none = "none came. Is every answer ended, by end() or by a function that calls it?";
    const late = () => new CheckFailed(`${what} within ${withinMs / 1_000} s`, none);
    return await within(withinMs, answer, late);
  } finally {
    aborted.abort();
  }
}

/** Sends a chat message with POST /messages. @throws {CheckFailed} when the answer isn't 201 */
export async function postMessage(server: LessonServer, text: string, from = "Ada"): Promise<void> {
  const response = await request(server, "/messages", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ from, text }),
  });
  expectThat(response.status === 201, "201 as the answer to POST /messages", `status ${response.status}`);
}

/**
 * Sends chat messages with POST /messages, all together or one every `everyMs`. Each has a connection that is open before
 * the first is sent, so that even a busy computer can send them quickly. With fewer `connections`, each connection sends
 * its next message when the one before has been answered.
 * @throws {CheckFailed} when not every one of them is answered with 201
 */
export async function postAll(
  { port }: LessonServer,
  texts: string[],
  everyMs = 0,
  connections = texts.length,
): Promise<void> {
  const answers: string[] = [];
  const head = `POST /messages HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\n`;
  const later = texts.map((text) => {
    const body = JSON.stringify({ from: "Ada", text });
    return `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  });
  const first = later.splice(0, connections).map((bytes) => {
    const socket = connect(port, "127.0.0.1").setEncoding("latin1");
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      const [statusLine] = String(chunk).match(/^HTTP\/1\.1 .*/) ?? [];
      if (!statusLine) return;
      answers.push(statusLine.trimEnd());
      const next = later.shift();
      if (next) socket.write(next);
    });
    return { socket, bytes };
  });
  const isCreated = (statusLine: string) => statusLine.startsWith("HTTP/1.1 201");
  try {
    await eventually(
      () => first.every(({ socket }) => socket.readyState === "open"),
      `${connections} connections to the server`,
      () => "it didn't accept all of them",
    );
    for (const { socket, bytes } of first) {
      socket.write(bytes);
      if (everyMs > 0) await pause(everyMs);
    }
    await eventually(
      async () => {
        // A connection that was opened ten seconds ago. Only a computer that is very busy needs that long.
        if (answers.some((statusLine) => statusLine.startsWith("HTTP/1.1 408"))) await cannotTell();
        return answers.filter(isCreated).length === texts.length;
      },
      `201 as the answer to each of ${texts.length} POST /messages`,
      () =>
        `there were ${answers.length} answers. ${answers.find((each) => !isCreated(each)) ?? "Each was 201"}`,
      1_000 + 5 * texts.length,
    );
  } finally {
    for (const { socket } of first) socket.destroy();
  }
}

// Each lesson has message types of its own. A check names the fields it looks at.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Message = any;

/**
 * A WebSocket client as if behind a network that has fallen silent: it sends these messages together, and after that it
 * answers nothing, not even a ping or a close frame. Call `giveUp` in the end.
 */
export function silentClient({ port }: LessonServer, ...messages: object[]) {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  let ended = false;
  socket.on("error", () => {});
  socket.on("data", (bytes) => {
    received += bytes.toString("latin1");
  });
  socket.on("close", () => {
    ended = true;
  });
  socket.write(
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  for (const message of messages) {
    const text = Buffer.from(JSON.stringify(message));
    // A text frame of at most 125 bytes, masked with zeros.
    socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
  }
  return {
    /** Looks for bytes, each as one character. */
    hasReceived: (bytes: string) => received.includes(bytes),
    isEnded: () => ended,
    giveUp: () => socket.destroy(),
  };
}

/** A WebSocket client with a person's name. It remembers every message that it received. */
export class Client {
  readonly name: string;
  /** Everything received so far, oldest first. Of a binary message, its `bytes`. */
  readonly received: Message[] = [];
  /** Its own port, by which the server can tell it from others. 0 until it is connected. */
  port = 0;
  /** Set once the connection is closed. */
  closed: { code: number; reason: string } | undefined;
  readonly #socket: WebSocket;

  private constructor(name: string, address: string) {
    this.name = name;
    this.#socket = new WebSocket(address);
    this.#socket.on("error", () => {});
    this.#socket.on("upgrade", ({ socket }) => {
      this.port = socket.localPort ?? 0;
    });
    this.#socket.on("message", (data, isBinary) =>
      this.received.push(isBinary ? { type: "binary", bytes: data } : parse(data.toString())),
    );
    this.#socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
  }

  /** Opens a connection; `path` may carry a query. @throws {CheckFailed} when the server doesn't accept it */
  static async connect({ port }: LessonServer, name: string, path = "/"): Promise<Client> {
    const client = new Client(name, `ws://127.0.0.1:${port}${path}`);
    await eventually(
      () => client.#socket.readyState === WebSocket.OPEN || client.closed,
      `an answer to ${name}'s handshake on ${path}`,
      () => "none came",
    );
    expectThat(
      client.#socket.readyState === WebSocket.OPEN,
      `the server to accept ${name}'s handshake on ${path}`,
      `the connection was closed${client.closed ? ` (${client.closed.code})` : ""}`,
    );
    return client;
  }

  /** Sends it as JSON, or bytes as a binary message. */
  send(message: object): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(message instanceof Uint8Array ? message : JSON.stringify(message));
  }

  /** Sends a chat message under the client's own name. */
  say(text: string): void {
    this.send({ type: "say", from: this.name, text });
  }

  close(): void {
    this.#socket.close(1000, "see you");
  }

  /** Closes, and waits until the server has answered. */
  async leaves(): Promise<void> {
    this.close();
    await eventually(
      () => this.closed,
      `the server to answer ${this.name}'s close frame`,
      () => "the connection stays open",
    );
  }

  /**
   * Sends a beat and waits until the server answers it, in lessons that have beats. By then the server has taken
   * everything that this client sent before, and everything that it sent to this client has arrived. Or it is closed.
   */
  async isUpToDate(): Promise<void> {
    const beats = () => this.received.filter(({ type }) => type === "beat").length;
    const before = beats();
    this.send({ type: "beat" });
    await eventually(
      () => this.closed || beats() > before,
      `an answer to a beat that ${this.name} sent`,
      () => this.describe(),
    );
  }

  /** Whether a chat message with this text has arrived already. */
  hasReceived(text: string): boolean {
    return this.received.some((message) => message.type === "message" && message.text === text);
  }

  /** Waits for a chat message with this text. @throws {CheckFailed} naming what was received instead */
  async receivesText(text: string, withinMs?: number): Promise<void> {
    await this.receives("message", (message) => message.text === text, `receive "${text}"`, withinMs);
  }

  /** Waits for a message of this type that fits `which`, and returns it. @throws {CheckFailed} */
  async receives(
    type: string,
    which: (message: Message) => boolean = () => true,
    what = `receive a message of type "${type}"`,
    withinMs?: number,
  ): Promise<Message> {
    const expected = `${this.name} to ${what}`;
    return eventually(
      () => {
        const found = this.received.find((message) => message.type === type && which(message));
        // Nothing comes on a connection that is closed.
        if (!found && this.closed) throw new CheckFailed(expected, this.describe(type));
        return found;
      },
      expected,
      () => this.describe(type),
      withinMs,
    );
  }

  /** How this client is doing, in a few words: why it was closed, or the last message (of this type) that it received. */
  describe(type?: string): string {
    if (this.closed) return `${this.name}'s connection was closed with ${codeInWords(this.closed)}`;
    const sameType = this.received.filter((message) => message.type === type);
    const latest = this.received.at(-1);
    // A refusal says why nothing else came.
    const last = latest?.type === "refused" ? latest : (sameType.at(-1) ?? latest);
    return last
      ? `the last message that ${this.name} received was ${JSON.stringify(last)}`
      : `${this.name} received nothing`;
  }
}

function codeInWords({ code, reason }: { code: number; reason: string }): string {
  return code === 1006 ? "1006: no close frame came" : `${code}${reason && `, "${reason}"`}`;
}

/** @returns always an object: a check may look at any field */
function parse(text: string): Message {
  try {
    const value = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {}
  return { type: "not a JSON object", text };
}
