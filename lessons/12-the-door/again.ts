// The button Use it again: connects with what this page showed last, as somebody who reads it in a log could.
import { number } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";

/** What a page shows at the door: an address, and perhaps a ticket as its first message. */
export type Shown = { path: string; firstWord?: string };

/** Makes the button open a second connection with what the page has shown last, and say what came of it. */
export function offerAgain(shownLast: () => Shown | undefined): void {
  document.querySelector("#again")?.addEventListener("click", () => {
    const shown = shownLast();
    if (!shown) return number("again", "log in first");
    const { path, firstWord } = shown;
    const socket = new WebSocket(`ws://${serverHost}${path}`);
    socket.onopen = () => firstWord && socket.send(JSON.stringify({ type: "ticket", ticket: firstWord }));
    socket.onmessage = ({ data }) => {
      const { type, name } = JSON.parse(data);
      if (type !== "welcome") return;
      number("again", `open, as ${name}`);
      socket.onclose = null;
      socket.close();
    };
    socket.onclose = ({ code }) => number("again", `refused: ${code}`);
  });
}
