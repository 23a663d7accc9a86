// Resume, the page's half: a conversation that outlives its connections. Nothing lost, nothing twice, in order.
import type { Answer, Message } from "../both/old-message.ts";
import { Outbox, type Waiting } from "./outbox-client.ts";
import { type State, stayConnected } from "./stay-connected.ts";

export type Handlers = {
  /** Each message once, in order. `replayed`: said while we were away. */
  onmessage(message: Message, replayed: boolean): void;
  /** History does not reach back to what we saw last: the server has forgotten it, or began anew. */
  ongap(why: "forgotten" | "began anew"): void;
  /** Something came that had been there before, and was dropped: here, or by the server. */
  ondouble(): void;
  onoutbox(waiting: readonly Waiting[], acknowledged: number): void;
  /** Everything else that the server says. */
  onother(type: string, message: Record<string, string>): void;
  onstate(state: State): void;
};

export function resuming(url: string, handlers: Handlers, options = {}) {
  const outbox = new Outbox();
  let cursor: { after: number; log?: string } = { after: 0 };

  const connect = () => stayConnected(url, { onopen, onmessage, onstate: handlers.onstate }, options);
  let connection = connect();

  function onopen() {
    send("resume", { page: outbox.page, ...cursor });
    sendAgain();
  }

  function sendAgain() {
    for (const message of outbox.waiting) send("say", message);
  }

  function onmessage(data: string) {
    const { type, ...message } = JSON.parse(data);
    if (type === "replay") takeReplay(message);
    else if (type === "message") take(message, false);
    else if (type === "ack") {
      if (message.double) handlers.ondouble();
      const acknowledged = outbox.acknowledge(message.id);
      handlers.onoutbox(outbox.waiting, acknowledged);
    } else {
      if (type === "refused" && message.id) {
        outbox.refuse(message.id);
        handlers.onoutbox(outbox.waiting, 0);
      }
      handlers.onother(type, message);
    }
  }

  function takeReplay({ log, reset, messages }: Answer) {
    if (reset) handlers.ongap(log === cursor.log ? "forgotten" : "began anew");
    cursor = { log, after: reset ? 0 : cursor.after };
    for (const message of messages) take(message, true);
  }

  function take(message: Message, replayed: boolean) {
    if (message.id <= cursor.after) return handlers.ondouble();
    cursor.after = message.id;
    handlers.onmessage(message, replayed);
  }

  /** Whether it went out matters to nobody here: what has to arrive is in the outbox. */
  function send(type: string, fields: object) {
    connection.send(JSON.stringify({ type, ...fields }));
  }

  return {
    /** Says it now, or as soon as there is a connection. Throws when too much waits already. */
    say(from: string, text: string) {
      const message = outbox.add(from, text);
      handlers.onoutbox(outbox.waiting, 0);
      send("say", message);
    },
    send,
    sendAgain,
    heardMs: () => connection.heardMs(),
    tryNow: () => connection.tryNow(),
    /** Leaves, and keeps cursor and outbox for when it opens again. */
    close: () => connection.close(),
    open() {
      connection = connect();
    },
  };
}
