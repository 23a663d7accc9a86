// A connection as the reader sees it: its state in words, and the buttons Leave, Come back and Try now.
import { isFinal, type State, type stayConnected } from "../pieces/stay-connected.ts";
import { watchAbsence } from "./absence.ts";
import { type ChatRoom, room } from "./chat-room.ts";
import { add } from "./numbers.ts";
import { StatusLine } from "./status-line.ts";

type Connection = ReturnType<typeof stayConnected>;

/** What shows the state: the chat room, or a status line on a page without a chat. */
const line = room ? undefined : new StatusLine(document.querySelector(".status") as HTMLElement);
const place: Pick<ChatRoom, "status" | "note"> = line
  ? { status: (...state) => line.status(...state), note() {} }
  : room;

const button = (id: string) => document.querySelector(`#${id}`) as HTMLButtonElement;
const [leave, comeBack, tryNow] = [button("leave"), button("come-back"), button("try-now")];

/** A page that has nothing to connect to is closed without a code. */
type Shown = State | { name: "closed"; code?: undefined; reason: string };

/**
 * Shows the state of a connection, and counts attempts and connections on pages that show their numbers. Give it to
 * `stayConnected` as `onstate`, or call it from there.
 */
export function showState(state: Shown): void {
  // Lesson 5's page has only Try now.
  if (leave) leave.disabled = state.name === "closed";
  if (comeBack) comeBack.disabled = state.name !== "closed";
  tryNow.disabled = state.name !== "reconnecting";
  clearInterval(countdown);
  if (state.name === "connecting") {
    count("attempts");
    place.status("connecting", state.attempt > 0 ? `connecting (attempt ${state.attempt})` : "connecting");
  }
  if (state.name === "open") {
    count("connections");
    place.status("open", "open");
    place.note("open");
  }
  if (state.name === "closed") {
    const why = `(${[state.code, state.reason].filter(Boolean).join(", ")})`;
    place.status("closed", `closed ${why}`);
    if (state.code && isFinal(state.code)) place.note(`closed for good ${why}`, "fault");
    else place.note(`closed ${why}`);
  }
  if (state.name === "reconnecting") {
    if (state.attempt === 1) place.note("the connection is gone", "fault");
    const backAt = performance.now() + state.inMs;
    const show = () => {
      const seconds = Math.max(0, Math.ceil((backAt - performance.now()) / 1_000));
      place.status("reconnecting", `reconnecting (attempt ${state.attempt})`, `in ${seconds} s`);
    };
    show();
    countdown = setInterval(show, 250);
  }
}
let countdown: ReturnType<typeof setInterval> | undefined;

/** For pages that show this number. */
function count(name: string) {
  if (document.querySelector(`[data-number="${name}"]`)) add(name);
}

/**
 * Connects, and lets the reader leave, come back and skip a pause. The network's return and the reader's skip it too.
 * A page in the back/forward cache keeps no socket, and connects again when it is shown.
 * Returns two functions that use the newest connection. `send` returns false when the connection isn't open or can't
 * take more. `unsentBytes` returns how many bytes wait for the network.
 */
export function controlled(connect: () => Connection): Pick<Connection, "send" | "unsentBytes"> {
  let connection = connect();
  const close = () => connection.close();
  const reconnect = () => {
    connection = connect();
  };
  leave.addEventListener("click", close);
  comeBack.addEventListener("click", reconnect);
  tryNow.addEventListener("click", () => connection.tryNow());
  watchAbsence({
    hurry: (withinMs) => connection.tryNow(withinMs),
    leave: close,
    comeBack: reconnect,
  });
  return {
    send: (data) => connection.send(data),
    unsentBytes: () => connection.unsentBytes(),
  };
}
