// The page's streams in numbers, and a demonstration, not part of the chat: seven more streams than the page needs.
import { number } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";

let own: EventSource;
const seven: EventSource[] = [];

/** From now on, shows the state of this stream, the page's own, and how many are open and waiting with the seven. */
export function showStream(source: EventSource): void {
  own = source;
  source.addEventListener("open", show);
  source.addEventListener("error", show);
  // The number of open streams in all tabs, once the exercise is done.
  source.addEventListener("presence", ({ data }) => number("here", Number(data)));
  show();
}

function show() {
  number("ready-state", `${own.readyState} ${["connecting", "open", "closed"][own.readyState]}`);
  const states = [own, ...seven].map(({ readyState }) => readyState);
  number("streams-open", states.filter((state) => state === EventSource.OPEN).length);
  number("streams-waiting", states.filter((state) => state === EventSource.CONNECTING).length);
}

const open = document.querySelector("#seven") as HTMLButtonElement;
const close = document.querySelector("#less") as HTMLButtonElement;

open.addEventListener("click", () => {
  for (let n = 1; n <= 7; n++) seven.push(new EventSource(`http://${serverHost}/events`));
  for (const each of seven) each.addEventListener("open", update);
  update();
});
close.addEventListener("click", closeSeven);
// A page in the back/forward cache must not keep a stream.
addEventListener("pagehide", closeSeven);

function closeSeven() {
  for (const each of seven.splice(0)) each.close();
  update();
}

function update() {
  open.disabled = seven.length > 0;
  close.disabled = seven.length === 0;
  show();
}
