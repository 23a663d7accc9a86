// The switches on the page: how to send, receive and draw. Each can be the naive way or the better one.
import { type View, wholeBoard } from "../../shared/page/board.ts";

const form = document.querySelector(".controls") as HTMLFormElement;
const half = 32_768;
const views: Record<string, View> = {
  all: wholeBoard,
  left: { ...wholeBoard, right: half },
  corner: { ...wholeBoard, right: half, bottom: half },
};

function read() {
  const chosen = new FormData(form);
  return {
    /** When a position is sent: at each event of the mouse, before each frame of the screen, or 20 times a second. */
    when: chosen.get("when"),
    together: chosen.get("receive") === "together",
    binary: chosen.get("as") === "binary",
    smooth: chosen.get("draw") === "smooth",
    robots: Number(chosen.get("robots")),
    view: views[String(chosen.get("view"))] ?? wholeBoard,
  };
}

/** As they are now. */
export let settings = read();

/** Calls `act` whenever somebody has moved a switch. */
export function onsettings(act: () => void): void {
  const changed = () => {
    settings = read();
    act();
  };
  form.addEventListener("change", ({ target }) => {
    if ((target as HTMLInputElement).type === "radio") changed(); // the name's box is in this form, too
  });
  form.addEventListener("submit", (event) => event.preventDefault()); // Enter in the name's box
  for (const way of ["naive", "better"])
    form.querySelector(`#${way}`)?.addEventListener("click", () => {
      for (const input of form.querySelectorAll<HTMLInputElement>(`[data-${way}]`)) input.checked = true;
      changed();
    });
}
