// Lesson 7's page without a screen, from the same pieces: a test can have twenty of them, ten times as fast.
import { WebSocket } from "ws";
import type { Message } from "../../both/message.ts";
import { Outbox } from "../../pieces/outbox-client.ts";
import { Resume } from "../../pieces/resume-client.ts";
import { defaults, type Options, type State, stayConnected } from "../../pieces/stay-connected.ts";
import { atEnd } from "./clean-up.ts";

/** Connects to a lesson's server on `port`. All its times are divided by `quicker`. */
export function pageWithoutScreen(port: number, quicker = 10) {
  const options: Options = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      name,
      typeof value === "number" && name.endsWith("Ms") ? value / quicker : value,
    ]),
  );
  const told = {
    seen: [] as Message[],
    gaps: [] as string[],
    refusals: [] as string[],
    givenUp: [] as string[],
    doubles: 0,
    waiting: 0,
    acknowledged: 0,
    replayed: 0,
    opened: 0,
  };
  const resume = new Resume<Message>({
    onmessage(message, replayed) {
      told.seen.push(message);
      if (replayed) told.replayed++;
    },
    ongap: (why) => told.gaps.push(why),
    ondouble: () => told.doubles++,
  });
  const outbox = new Outbox<{ from: string; text: string }>(
    (message) => send(JSON.stringify({ type: "say", ...message })),
    {
      onchange: ({ length }) => {
        told.waiting = length;
      },
      ongiveup: ({ text }) => told.givenUp.push(text),
    },
  );

  function onopen() {
    told.opened++;
    send(JSON.stringify({ type: "resume", page: outbox.page, ...resume.cursor }));
    outbox.sendAll();
  }

  function onmessage(data: string) {
    const { type, ...message } = JSON.parse(data);
    if (type === "replay") resume.replay(message);
    if (type === "message") resume.message(message);
    if (type === "ack") {
      told.acknowledged += outbox.acknowledge(message.id);
      if (message.double) told.doubles++;
    }
    if (type === "refused") {
      told.refusals.push(message.reason);
      if (message.id) outbox.refuse(message.id);
    }
  }

  function onstate(state: State) {
    if ("code" in state && state.code !== undefined) outbox.closed(state.code);
  }

  const send = (text: string) => connection.send(text);
  const connect = () =>
    stayConnected(`ws://127.0.0.1:${port}`, { onopen, onmessage, onstate }, { ...options, WebSocket });
  let connection = connect();
  const close = () => connection.close();
  atEnd(close);
  return Object.assign(told, {
    say: (from: string, text: string) => outbox.add({ from, text }),
    /** The page leaves, and keeps its cursor and its outbox. */
    close,
    open() {
      connection = connect();
    },
  });
}
