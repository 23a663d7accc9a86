// The page's streams in numbers, and a demonstration, not part of the chat: seven more streams than the page needs.
import { number } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";

let own: EventSource;
const seven: EventSource[] = [];

/** Shows the state of the page's own stream, and how many are open and waiting with the seven. */
export function showStreams(source: EventSource): void {
  own = source;
  number("ready-state", `${source.readyState} ${["connecting", "open", "closed"][source.readyState]}`);
  const all = [source, ...seven].map(({ readyState }) => readyState);
  number("streams-open", all.filter((state) => state === EventSource.OPEN).length);
  number("streams-waiting", all.filter((state) => state === EventSource.CONNECTING).length);
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
  showStreams(own);
}
