// Somebody who listens to a stream of server-sent events, and remembers all that was heard (WHATWG HTML §9.2).
import { Broken, expectThat, soon } from "./claim.ts";
import type { LessonServer } from "./server.ts";

/** `id`: the last id there was when it came, its own or one before; a browser would send it when it comes back. */
export type StreamEvent = { name: string; data: string; id: string };

export class Listener {
  readonly events: StreamEvent[] = [];
  /** Where this one stands now, as a browser would tell it. */
  lastEventId = "";
  readonly #away = new AbortController();

  /** Opens a stream, at `lastEventId` if given. @throws {Broken} when the answer is no stream, or says nothing */
  static async comes({ url }: LessonServer, lastEventId?: string): Promise<Listener> {
    const listener = new Listener();
    const response = await fetch(`${url}/events`, {
      headers: lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId },
      signal: listener.#away.signal,
    }).catch(() => undefined);
    if (!response) throw new Broken("an answer to GET /events", "the connection was closed");
    const type = response.headers.get("Content-Type");
    expectThat(
      response.status === 200 && type === "text/event-stream",
      "GET /events to be answered with 200 and text/event-stream",
      `status ${response.status}, Content-Type: ${type}`,
    );
    void listener.#read(response).catch(() => {});
    await soon(
      () => listener.lastEventId !== "",
      "a stream to begin with an id",
      () => "none came",
    );
    return listener;
  }

  async #read(response: Response) {
    const decoder = new TextDecoder();
    let unread = "";
    for await (const chunk of response.body ?? []) {
      // A line may end with \r\n as well.
      const text = (unread + decoder.decode(chunk, { stream: true })).replaceAll("\r\n", "\n");
      const blocks = text.split("\n\n");
      unread = blocks.pop() ?? "";
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

  goes(): void {
    this.#away.abort();
  }

  named(name: string): StreamEvent[] {
    return this.events.filter((event) => event.name === name);
  }

  /** The ids of the messages heard. */
  get ids(): number[] {
    return this.named("message").map(({ data }) => Number(data.match(/"id":(\d+)/)?.[1]));
  }
}
