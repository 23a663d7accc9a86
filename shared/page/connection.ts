// A connection as the reader sees it: its state in words, and the buttons Leave, Come back and Try now.
import type { State, stayConnected } from "../pieces/stay-connected.ts";
import { type ChatRoom, room } from "./chat-room.ts";
import { StatusLine } from "./status-line.ts";

type Connection = ReturnType<typeof stayConnected>;

/** What shows the state: the chat room, or a status line on a page without a chat. */
const line = room ? undefined : new StatusLine(document.querySelector(".status") as HTMLElement);
const place: Pick<ChatRoom, "status" | "note"> = line
  ? { status: (...state) => line.status(...state), note() {} }
  : room;

const button = (id: string) => document.querySelector(`#${id}`) as HTMLButtonElement;
const [leave, comeBack, tryNow] = [button("leave"), button("come-back"), button("try-now")];

/** Shows the state of a connection: give it to `stayConnected` as `onstate`, or call it from there. */
export function showState(state: State): void {
  // Lesson 5's page has only Try now.
  if (leave) leave.disabled = state.name === "closed";
  if (comeBack) comeBack.disabled = state.name !== "closed";
  tryNow.disabled = state.name !== "reconnecting";
  clearInterval(countdown);
  if (state.name === "connecting")
    place.status("connecting", state.attempt ? `connecting (attempt ${state.attempt})` : "connecting");
  if (state.name === "open") {
    place.status("open", "open");
    place.note("open");
  }
  if (state.name === "closed") {
    const words = `closed (${state.code}${state.reason && `, ${state.reason}`})`;
    place.status("closed", words);
    place.note(words);
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

/**
 * Connects, and lets the reader leave, come back and skip a pause. The network's return and the reader's skip it too.
 * A page in the back/forward cache keeps no socket, and connects again when it is shown.
 * Returns a `send` for whichever connection there is. False: there is none, or it can't take more.
 */
export function controlled(connect: () => Connection): Connection["send"] {
  let connection = connect();
  const reconnect = () => {
    connection = connect();
  };
  leave.addEventListener("click", () => connection.close());
  comeBack.addEventListener("click", reconnect);
  tryNow.addEventListener("click", () => connection.tryNow());
  // At a random moment within a second: the network returns for everyone at the same time.
  addEventListener("online", () => connection.tryNow(1_000));
  document.addEventListener("visibilitychange", () => document.hidden || connection.tryNow());
  addEventListener("pagehide", () => connection.close());
  addEventListener("pageshow", ({ persisted }) => persisted && reconnect());
  return (data) => connection.send(data);
}
