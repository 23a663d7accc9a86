// What a checker says to a server, as any page could: questions over HTTP, and people with a socket.
import { WebSocket } from "ws";
import { Broken, expectThat, soon } from "./claim.ts";
import type { LessonServer } from "./server.ts";

/** Asks over HTTP. @throws {Broken} when no answer comes within `withinMs` */
export async function ask(
  { url }: LessonServer,
  path: string,
  { withinMs = 3_000, ...request }: RequestInit & { withinMs?: number } = {},
): Promise<Response> {
  const what = `${request.method ?? "GET"} ${path}`;
  try {
    const response = await fetch(url + path, { ...request, signal: AbortSignal.timeout(withinMs) });
    // The body too, within the same time.
    const body = await response.arrayBuffer();
    const { status, statusText, headers } = response;
    return new Response(body.byteLength === 0 ? null : body, { status, statusText, headers });
  } catch (error) {
    throw new Broken(
      `an answer to ${what} within ${withinMs / 1_000} s`,
      (error as Error).name === "TimeoutError" ? "none came" : "the connection was closed",
    );
  }
}

/** Says something over HTTP. */
export async function post(server: LessonServer, text: string, from = "Ada"): Promise<void> {
  const response = await ask(server, "/messages", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ from, text }),
  });
  expectThat(response.status === 201, "POST /messages to be answered with 201", `status ${response.status}`);
}

// What a server says is typed by the lesson; checkers look at the fields they name.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Heard = any;

/** Somebody with a socket, who remembers all that was heard. */
export class Person {
  readonly name: string;
  readonly heard: Heard[] = [];
  /** Set once the connection is closed. */
  closed: { code: number; reason: string } | undefined;
  readonly #socket: WebSocket;

  private constructor(name: string, address: string) {
    this.name = name;
    this.#socket = new WebSocket(address);
    this.#socket.on("error", () => {});
    this.#socket.on("message", (data) => this.heard.push(parse(data.toString())));
    this.#socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
  }

  /** Somebody connects; `path` may carry a query. */
  static async comes({ port }: LessonServer, name: string, path = "/"): Promise<Person> {
    const person = new Person(name, `ws://127.0.0.1:${port}${path}`);
    await soon(
      () => person.#socket.readyState === WebSocket.OPEN || person.closed,
      `${name}'s handshake on ${path} to be answered`,
      () => "no answer came",
    );
    expectThat(
      person.#socket.readyState === WebSocket.OPEN,
      `${name} to be let in on ${path}`,
      `the connection was closed${person.closed ? ` (${person.closed.code})` : ""}`,
    );
    return person;
  }

  send(message: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  says(text: string): void {
    this.send({ type: "say", from: this.name, text });
  }

  leaves(): void {
    this.#socket.close(1000, "see you");
  }

  heardSaid(text: string): boolean {
    return this.heard.some((message) => message.type === "message" && message.text === text);
  }

  /** Waits for a text. @throws {Broken} naming what was heard instead */
  async hearsSaid(text: string, withinMs?: number): Promise<void> {
    await this.hears("message", (message) => message.text === text, `hear "${text}"`, withinMs);
  }

  /** Waits for a message of this type. @throws {Broken} */
  async hears(
    type: string,
    which: (message: Heard) => boolean = () => true,
    what = `hear a message of type "${type}"`,
    withinMs?: number,
  ): Promise<Heard> {
    return soon(
      () => this.heard.find((message) => message.type === type && which(message)),
      `${this.name} to ${what}`,
      () => this.tale(type),
      withinMs,
    );
  }

  /** What has become of this person, in a few words. */
  tale(type?: string): string {
    if (this.closed) return `${this.name}'s connection was closed with ${codeInWords(this.closed)}`;
    const alike = this.heard.filter((message) => message.type === type);
    const last = (alike.length > 0 ? alike : this.heard).at(-1);
    return last
      ? `the last that ${this.name} heard was ${JSON.stringify(last)}`
      : `${this.name} heard nothing`;
  }
}

function codeInWords({ code, reason }: { code: number; reason: string }): string {
  return code === 1006 ? "1006, which means without a goodbye" : `${code}${reason && `, "${reason}"`}`;
}

function parse(text: string): Heard {
  try {
    return JSON.parse(text);
  } catch {
    return { type: "not JSON", text };
  }
}
