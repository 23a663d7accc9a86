// What compression costs, as two tables. The server measures it when the button is pressed.
import { duration, readable } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import type { Costs } from "./compression-costs.ts";

/** Puts the button into `place`, and the tables below it once there is something to show. */
export function offerCompression(place: HTMLElement): void {
  place.innerHTML = `
    <h2>Compression</h2>
    <p>
      What would <code>permessage-deflate</code> save this server, and what would it cost? Say what you expect: for small
      messages, for large ones, and for random bytes. Then measure.
    </p>
    <div class="buttons"><button type="button">Measure compression</button> <span aria-live="polite"></span></div>
    <div class="tables"></div>`;
  const find = <Kind extends HTMLElement>(selector: string) => place.querySelector(selector) as Kind;
  const [button, status] = [find<HTMLButtonElement>("button"), find("[aria-live]")];
  button.addEventListener("click", async () => {
    // Not disabled: it would lose the keyboard's focus. The server measures once at a time.
    status.textContent = "Measuring. That takes about four seconds.";
    const began = performance.now();
    try {
      const response = await fetch(`http://${serverHost}/compression`, { method: "POST" });
      const answer = await response.json();
      if (!response.ok) throw new Error(answer.error);
      find(".tables").replaceChildren(...tables(answer));
      status.textContent = `Measured just now, in ${duration(performance.now() - began)}.`;
    } catch (error) {
      const isAway = error instanceof TypeError;
      status.textContent = isAway ? "The server doesn't answer." : (error as Error).message;
    }
  });
}

function* tables({ kinds, settings }: Costs): Generator<HTMLElement> {
  yield table(
    "Bytes on the wire for each message, and memory for each connection",
    [...kinds, "memory"],
    settings.map(({ name, bytes, memoryBytes }) => [
      name,
      ...bytes.map((count) => `${readable(Math.round(count))} B`),
      `${readable(Math.max(0, memoryBytes) / 1_000)} kB`,
    ]),
  );
  yield table(
    "CPU time for 1,000 messages",
    kinds,
    settings.map(({ name, cpuMs }) => [name, ...cpuMs.map((ms) => `${readable(ms)} ms`)]),
  );
  const note = document.createElement("p");
  note.textContent =
    "A second process on the server's computer measured this: for each setting it sent messages to 10 readers on loopback. " +
    "The CPU time includes the readers, which throw away what they read. A browser also decompresses. The memory column " +
    "shows how much the process grew for each of 40 connections. That includes zlib's memory for sending.";
  yield note;
}

/** In a box that scrolls sideways, because five columns are wider than a phone. */
function table(title: string, head: string[], rows: string[][]): HTMLElement {
  const box = document.createElement("section");
  box.className = "scroll";
  box.tabIndex = 0;
  box.ariaLabel = title;
  const table = document.createElement("table");
  table.createCaption().textContent = title;
  const header = (text: string, scope: string) =>
    Object.assign(document.createElement("th"), { textContent: text, scope });
  const first = table.createTHead().insertRow();
  first.append(...["permessage-deflate", ...head].map((text) => header(text, "col")));
  const body = table.createTBody();
  for (const [name = "", ...cells] of rows) {
    const row = body.insertRow();
    row.append(header(name, "row"));
    for (const text of cells) row.insertCell().textContent = text;
  }
  box.append(table);
  return box;
}
