// The page's switches and sliders, in <form class="controls">.
import { duration, number } from "./numbers.ts";

const form = document.querySelector("form.controls") as HTMLFormElement;

/**
 * The form's inputs, by name or id: `settings.slow.checked`. A slider is in milliseconds, and the page shows where it is
 * as the number of its name.
 */
export function findSettings<Name extends string>(): Record<Name, HTMLInputElement> {
  for (const slider of form.querySelectorAll<HTMLInputElement>("input[type=range]")) {
    const show = () => number(slider.name, duration(slider.valueAsNumber));
    slider.addEventListener("input", show);
    show();
  }
  return form.elements as unknown as Record<Name, HTMLInputElement>;
}

/** Calls `act` whenever the reader has moved a switch or a slider. */
export function onsettings(act: () => void): void {
  form.addEventListener("input", act);
}
