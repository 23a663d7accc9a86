// Another tab in front of this one: what arrived meanwhile, and how late.
import { duration, readable } from "../../shared/page/numbers.ts";
import type { StreamFigures } from "../../shared/page/stream-figures.ts";
import { find, onPress } from "./page.ts";
import { type Lane, lanes, names, toLanes } from "./settings.ts";

type Figures = Record<Lane, StreamFigures>;

/** Makes the button work that hides this tab. When it is seen again, shows what the lanes received meanwhile. */
export function offerHiding(figures: () => Figures): void {
  // A script can't hide its own tab. It can open another one in front of it, which closes itself after a minute.
  onPress("hide", () => {
    const cover = open("");
    if (!cover) return;
    cover.document.title = "In front of lesson 9";
    cover.document.body.textContent =
      "Lesson 9 is hidden behind this tab, as if you were reading something else. This tab closes in a minute, or when you close it.";
    cover.setTimeout(() => cover.close(), 60_000);
  });

  let hidden: { sinceMs: number; received: Record<Lane, number> } | undefined;
  document.addEventListener("visibilitychange", () => {
    const received = toLanes((lane) => figures()[lane].received);
    if (document.hidden) hidden = { sinceMs: performance.now(), received };
    else if (hidden) {
      const { sinceMs, received: before } = hidden;
      const each = (text: (lane: Lane) => string) =>
        lanes.map((lane) => `${names[lane]} ${text(lane)}`).join(", ");
      find(".hidden-for").textContent =
        `Hidden for ${duration(performance.now() - sinceMs)}. Messages meanwhile: ${each((lane) => readable(received[lane] - before[lane]))}. ` +
        `The highest latency in the last minute: ${each((lane) => duration(figures()[lane].late?.worst ?? 0))}.`;
    }
  });
}
