// Server-sent events, the page's half: the browser listens, comes back, and remembers where it was.
import type { Message } from "../../shared/both/old-message.ts";
import { room } from "../../shared/page/chat-room.ts";
import { duration, number } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { backOffMs } from "../../shared/pieces/stay-connected.ts";

const server = `http://${serverHost}`;

let source: EventSource;
/** The cursor, as the browser keeps it as well: "3f9a1b2c:41". Needed when we open a new stream ourselves. */
let lastEventId = "";
/** The id after which we want no more; then the server says 204. */
let until: number | undefined;
let lastId: number | undefined;
let heardAt = 0;
let beatEveryMs = 15_000;
let failed = 0;
let stopped = false;
let again: ReturnType<typeof setTimeout> | undefined;
const counts = { alone: 0, gaps: 0, lost: 0 };

function add(name: keyof typeof counts, amount = 1) {
  counts[name] += amount;
  number(name, counts[name]);
}

function listen() {
  stopped = false;
  clearTimeout(again);
  source?.close();
  const [log, after = "0"] = lastEventId.split(":");
  source = new EventSource(
    `${server}/events?after=${after}${log && `&log=${log}`}${until === undefined ? "" : `&until=${until}`}`,
  );
  let opened = 0;
  heardAt = performance.now();
  room.status("connecting", "connecting");
  show();

  source.addEventListener("open", () => {
    failed = 0;
    // The second time on the same EventSource: nobody here has done anything for it.
    if (++opened > 1) add("alone");
    room.status("open", "open");
    room.note(opened > 1 ? "open: the browser came back by itself" : "open");
    show();
  });

  source.addEventListener("message", (event) => {
    hear(event);
    const message: Message = JSON.parse(event.data);
    if (lastId !== undefined) add("lost", message.id - lastId - 1);
    lastId = message.id;
    room.show(message);
  });

  source.addEventListener("reset", (event) => {
    const [before] = lastEventId.split(":");
    hear(event);
    add("gaps");
    lastId = undefined;
    room.anew(
      lastEventId.startsWith(`${before}:`)
        ? "a gap: we were away for too long, the server no longer has what was said here"
        : "history began anew: the server was restarted",
    );
  });

  // How many listen now, once the server tells it: that is this lesson's exercise.
  source.addEventListener("presence", (event) => {
    hear(event);
    number("here", Number(event.data));
  });

  source.addEventListener("beat", (event) => {
    hear(event);
    beatEveryMs = Number(event.data);
  });

  // Says nothing of what went wrong. But readyState tells whether the browser will try again.
  source.addEventListener("error", () => {
    heardAt = performance.now();
    if (source.readyState === EventSource.CLOSED) closed();
    else room.status("reconnecting", "reconnecting: the browser does it by itself");
    show();
  });
}

function hear(event: MessageEvent) {
  heardAt = performance.now();
  lastEventId = event.lastEventId;
  show();
}

/** The answer was not 200: the browser gives up for good. */
function closed() {
  if (until !== undefined && (lastId ?? 0) >= until) {
    until = undefined;
    stopped = true;
    room.note("204: the browser stays away for good");
    return room.status("closed", "closed (204, the end)");
  }
  // A proxy that says 502 while the server restarts would be the end as well. So here we come back ourselves.
  const inMs = backOffMs(failed++);
  again = setTimeout(listen, inMs);
  room.status("reconnecting", `reconnecting: we do it ourselves (attempt ${failed})`, `in ${duration(inMs)}`);
}

// A network that falls silent ends no stream: the browser would wait for ever. A false alarm costs one request and no
// message, since the new stream goes on where this one was.
setInterval(() => {
  const limitMs = source.readyState === EventSource.OPEN ? 1.4 * beatEveryMs : 9_500;
  if (source.readyState === EventSource.CLOSED || performance.now() - heardAt < limitMs) return;
  room.note("nothing heard for too long: a new stream", "fault");
  listen();
}, 1_000);

let unsure: { from: string; text: string; id: string } | undefined;
room.onsay = async (from, text) => {
  // After a failure the same words keep their id: they may have arrived, with only the answer lost. A new name for each
  // message, and no count, since requests can overtake each other.
  if (unsure?.from !== from || unsure.text !== text)
    unsure = { from, text, id: `${crypto.getRandomValues(new Uint32Array(3)).join("")}-1` };
  const response = await fetch(`${server}/messages`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(unsure),
    signal: AbortSignal.timeout(10_000),
  });
  unsure = undefined;
  if (!response.ok) throw new Error((await response.json()).error);
};

// Seven more streams: more than the browser opens to one host over HTTP/1.1.
let more: EventSource[] = [];

function openSeven() {
  more = Array.from({ length: 7 }, () => new EventSource(`${server}/events?after=${lastId ?? 0}`));
  for (const each of more) each.addEventListener("open", show);
  const began = performance.now();
  const socket = new WebSocket(`ws://${serverHost}`);
  socket.addEventListener("open", () =>
    room.note(`a WebSocket opened after ${duration(performance.now() - began)}, all the same`),
  );
  show();
}

function closeSeven() {
  for (const each of more) each.close();
  more = [];
  show();
}

function show() {
  const states = ["connecting", "open", "closed"];
  number("ready-state", `${source.readyState} ${states[source.readyState]}`);
  number("last-event-id", lastEventId || "–");
  const all = [source, ...more].map(({ readyState }) => readyState);
  number("streams-open", all.filter((state) => state === EventSource.OPEN).length);
  number("streams-waiting", all.filter((state) => state === EventSource.CONNECTING).length);
  buttons.again.disabled = !stopped;
  buttons.seven.disabled = more.length > 0;
  buttons.less.disabled = more.length === 0;
}

const button = (id: string) => document.querySelector(`#${id}`) as HTMLButtonElement;
const buttons = {
  cut: button("cut"),
  three: button("three"),
  again: button("again"),
  seven: button("seven"),
  less: button("less"),
};
listen();

buttons.cut.addEventListener("click", () => void fetch(`${server}/cut`, { method: "POST" }).catch(() => {}));
buttons.three.addEventListener("click", () => {
  until = (lastId ?? 0) + 3;
  room.note(`until message ${until}, and no further`);
  listen();
});
buttons.again.addEventListener("click", listen);
buttons.seven.addEventListener("click", openSeven);
buttons.less.addEventListener("click", closeSeven);
// The network is back, or the reader is: no reason to wait for the end of the pause.
const tryNow = () => stopped || source.readyState === EventSource.OPEN || listen();
addEventListener("online", tryNow);
document.addEventListener("visibilitychange", () => document.hidden || tryNow());
// A page kept in the back/forward cache must not keep a stream.
addEventListener("pagehide", () => {
  closeSeven();
  source.close();
  clearTimeout(again);
});
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) listen();
});
