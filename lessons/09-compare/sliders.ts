// The sliders. They send their values where they stop, and follow what another page has set.
import { duration, readable } from "../../shared/page/numbers.ts";
import { find, onPress, post } from "./page.ts";
import type { Settings } from "./settings.ts";

// Some go in steps: 0.1, 0.2, 0.5, 1, 2, …
const steps: Record<string, number[]> = {
  perSecond: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100],
  size: [60, 100, 200, 500, 1_000, 2_000, 4_000],
  everyMs: [100, 200, 500, 1_000, 2_000, 5_000],
  clients: [1, 2, 5, 10, 20, 50, 100, 200],
};
const slider = (id: string) => find<HTMLInputElement>(`#${id}`);
const streamSliders = (["perSecond", "size", "everyMs", "clients"] as const).map(slider);
const [delay, jitter] = [slider("delay"), slider("jitter")];
const chosen = ({ id, valueAsNumber }: HTMLInputElement) => steps[id]?.[valueAsNumber] ?? valueAsNumber;

function label(slider: HTMLInputElement) {
  const value = chosen(slider);
  const units: Record<string, string> = {
    perSecond: `${value}`,
    clients: `${value}`,
    size: `${readable(value)} B`,
  };
  const text = units[slider.id] ?? duration(value);
  find(`output[for="${slider.id}"]`).textContent = text;
  slider.setAttribute("aria-valuetext", text);
}

/** The delay of this page's four connections. */
export const chosenDelay = () => ({ ms: delay.valueAsNumber, jitterMs: jitter.valueAsNumber });

/** Shows settings that have come from the server, unless the reader is moving a slider. */
export function showSettings(settings: Settings): void {
  for (const each of streamSliders) {
    const step = steps[each.id]?.indexOf(settings[each.id as keyof Settings]) ?? -1;
    if (step !== -1 && !postSettings.waiting()) each.value = String(step);
    label(each);
  }
}

const postSettings = whenStill(() =>
  post("settings", Object.fromEntries(streamSliders.map((each) => [each.id, chosen(each)]))),
);

/** Makes the sliders and the button beside them work. Returns a function that posts the delay soon. */
export function offerSliders(postDelay: () => Promise<void>): () => Promise<void> {
  const delayed = whenStill(postDelay);
  const all = [...streamSliders, delay, jitter];
  const onSlide = (each: HTMLInputElement) => {
    label(each);
    void (each === delay || each === jitter ? delayed() : postSettings());
  };
  for (const each of all) {
    label(each);
    each.addEventListener("input", () => onSlide(each));
  }
  onPress("back", () => {
    for (const each of all) {
      each.value = each.defaultValue;
      onSlide(each);
    }
  });
  return delayed;
}

/** Acts 150 ms after the last call, so that a moving slider sends only the value where it stops. */
function whenStill(act: () => Promise<unknown>) {
  let calls = 0;
  let done = 0;
  const later = async () => {
    const mine = ++calls;
    await new Promise((resolve) => setTimeout(resolve, 150));
    if (mine === calls) await act();
    done = Math.max(done, mine);
  };
  return Object.assign(later, { waiting: () => done < calls });
}
