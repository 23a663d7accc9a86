// The switches on the page: which clock it follows, and whether this computer's clock is wrong, or pretends to be.
import { ownClock } from "./clock.ts";

const form = document.querySelector(".controls") as HTMLFormElement;
const muted = document.querySelector("#muted") as HTMLInputElement;

function read() {
  const chosen = new FormData(form);
  return {
    /** The server's clock, as far as we can tell, or this computer's own. */
    follow: chosen.get("follow") as "server" | "own",
    /** Two windows on one computer share its clock. So one of them can pretend. */
    wrongByMs: Number(chosen.get("wrong")),
    muted: muted.checked,
  };
}

/** As they are now. */
export let settings = read();

/** What this computer's clock shows. */
export const ownTime = (): number => ownClock() + settings.wrongByMs;

/** Calls `act` whenever somebody has moved a switch. */
export function onsettings(act: () => void): void {
  const changed = () => {
    settings = read();
    act();
  };
  form.addEventListener("change", changed);
  form.addEventListener("submit", (event) => event.preventDefault()); // Enter in the name's box
  muted.addEventListener("change", changed);
}
