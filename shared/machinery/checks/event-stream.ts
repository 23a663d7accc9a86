// A client of a server-sent event stream, which remembers every event that it received (WHATWG HTML §9.2).
// Read by hand: a check can then say which line or empty line is missing, where a parser would say nothing.
import { get } from "node:http";
import { connect } from "node:net";
import { CheckFailed, eventually, expectThat } from "./checks.ts";
import type { LessonServer } from "./server.ts";
import { within } from "./time.ts";

/** `id`: the last id that was sent until then, with this event or before. */
export type StreamEvent = { name: string; data: string; id: string };

export class EventStream {
  /** Every event received so far, oldest first. */
  readonly events: StreamEvent[] = [];
  /** What a browser would send as Last-Event-ID if it reconnected now. */
  lastEventId = "";
  /** Lines that came after the last empty line: the beginning of an event that nothing has ended yet. */
  unfinished = "";
  readonly #closed = new AbortController();

  /** Opens GET /events, at `lastEventId` if given. @throws {CheckFailed} when no stream comes, or one without an id */
  static async open({ url }: LessonServer, lastEventId?: string): Promise<EventStream> {
    const stream = new EventStream();
    const asking = fetch(`${url}/events`, {
      headers: lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId },
      signal: stream.#closed.signal,
    }).catch(() => undefined);
    const late = () => new CheckFailed("an answer to GET /events within 3 s", "none came");
    const response = await within(3_000, asking, late);
    if (!response) throw new CheckFailed("an answer to GET /events", "the connection was closed");
    const type = response.headers.get("Content-Type");
    expectThat(
      response.status === 200 && type === "text/event-stream",
      "200 and text/event-stream as the answer to GET /events",
      `status ${response.status}, Content-Type: ${type}`,
    );
    if (response.body) void stream.#read(response.body).catch(() => {});
    await eventually(
      () => stream.lastEventId !== "",
      "the stream of GET /events to begin with an id",
      () => "none came",
    );
    return stream;
  }

  /**
   * Opens GET /events and reads nothing until `goOn` is called. Until then, the server keeps what it sends in its memory.
   * Undefined when the server's debugger doesn't answer.
   */
  static async openHeldBack(
    server: LessonServer,
  ): Promise<{ stream: EventStream; goOn: () => Promise<unknown>; breaks: () => void } | undefined> {
    const { port } = server;
    const stream = new EventStream();
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    await eventually(
      () => socket.readyState === "open",
      "a connection to the server",
      () => "it didn't accept one",
    );
    const own = socket.localPort ?? 0;
    if (!(await server.holdBack(own))) return void socket.destroy();
    const { signal } = stream.#closed;
    const asking = get({ port, path: "/events", createConnection: () => socket, signal }, (response) => {
      void stream.#read(response).catch(() => {});
    });
    asking.on("error", () => {});
    return {
      stream,
      goOn: () => server.holdBack(own, "again"),
      // A reset: the server notices immediately, and what it has kept never leaves.
      breaks: () => void socket.resetAndDestroy(),
    };
  }

  async #read(body: AsyncIterable<Uint8Array>) {
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      // A line may end with \r\n as well.
      const text = (this.unfinished + decoder.decode(chunk, { stream: true })).replaceAll("\r\n", "\n");
      const blocks = text.split("\n\n");
      this.unfinished = blocks.pop() ?? "";
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block: string) {
    let [name, data] = ["message", ""];
    for (const line of block.split("\n")) {
      const [, field, value = ""] = /^([^:]+)(?:: ?(.*))?$/.exec(line) ?? [];
      if (field === "event") name = value;
      if (field === "id") this.lastEventId = value;
      if (field === "data") data += value;
    }
    if (data) this.events.push({ name, data, id: this.lastEventId });
  }

  close(): void {
    this.#closed.abort();
  }

  named(name: string): StreamEvent[] {
    return this.events.filter((event) => event.name === name);
  }

  /** The ids of the chat messages received. */
  get ids(): number[] {
    return this.named("message").map(({ data }) => Number(data.match(/"id":(\d+)/)?.[1]));
  }
}
