// Server-sent events, the page's half: the browser receives, reconnects, and remembers the last id.
import { watchAbsence } from "../../shared/page/absence.ts";
import { room } from "../../shared/page/chat-room.ts";
import { add, duration, number } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { backOffMs } from "../../shared/pieces/stay-connected.ts";
import { say } from "./say.ts";
import { showStream } from "./streams.ts";

let source: EventSource;
/** The cursor, "3f9a1b2c:41". The browser has it too, but forgets it when we open a new stream. */
let lastEventId = "";
let lastId: number | undefined;
let receivedAt = 0;
let beatEveryMs = 15_000;
let failed = 0;
let retryTimer: ReturnType<typeof setTimeout> | undefined;

function listen() {
  clearTimeout(retryTimer);
  source?.close();
  const [log, after] = lastEventId.split(":");
  const cursor = after ? `?after=${after}&log=${log}` : "";
  source = new EventSource(`http://${serverHost}/events${cursor}`);
  receivedAt = performance.now();
  let opened = 0;
  room.status("connecting", "connecting");

  source.addEventListener("open", () => {
    failed = 0;
    // Open for the second time, and it is the same EventSource: no line of ours did that.
    if (++opened > 1) add("alone");
    room.note(opened > 1 ? "open: the browser reconnected by itself" : "open");
    room.status("open", "open");
  });

  source.addEventListener("message", (event) => {
    received(event);
    const message = JSON.parse(event.data);
    if (!room.show(message)) return add("double");
    if (lastId !== undefined) add("lost", Math.max(0, message.id - lastId - 1));
    lastId = message.id;
  });

  source.addEventListener("reset", (event) => {
    const isSameLog = logOf(event.lastEventId) === logOf(lastEventId);
    received(event);
    room.gap(isSameLog ? "forgotten" : "restarted");
    lastId = undefined;
    add("gaps");
  });

  source.addEventListener("beat", (event) => {
    received(event);
    beatEveryMs = Number(event.data);
  });

  // This event doesn't say what went wrong, but readyState says whether the browser will try again.
  source.addEventListener("error", () => {
    receivedAt = performance.now();
    if (source.readyState === EventSource.CLOSED) retry();
    else room.status("reconnecting", "reconnecting: the browser does it by itself");
  });
  showStream(source);
}

const logOf = (eventId: string) => eventId.split(":")[0];

function received(event: MessageEvent) {
  receivedAt = performance.now();
  lastEventId = event.lastEventId;
  number("last-event-id", lastEventId || "–");
}

/** After any answer but 200 and an event stream, the browser gives up. A proxy's 502 is enough. So we try again. */
function retry() {
  const inMs = backOffMs(failed++);
  retryTimer = setTimeout(listen, inMs);
  room.status("reconnecting", `reconnecting: we do it ourselves (attempt ${failed})`, `in ${duration(inMs)}`);
}

// When the network goes silent, the stream stays open and the browser waits for minutes at least. So we watch for the beat.
setInterval(() => {
  const limitMs = source.readyState === EventSource.OPEN ? 1.4 * beatEveryMs : 9_500;
  if (source.readyState === EventSource.CLOSED || performance.now() - receivedAt < limitMs) return;
  room.note("nothing received for too long: opening a new stream", "fault");
  listen();
}, 1_000);

room.onsay = say; // a request of its own, since a stream has one direction

/** The network or the reader is back: no reason to wait for the end of the pause. */
function hurry() {
  if (source.readyState !== EventSource.OPEN) listen();
}
watchAbsence({ hurry, leave: () => source.close(), comeBack: listen });

listen();
