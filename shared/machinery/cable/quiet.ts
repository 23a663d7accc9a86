// Call this before you end a cable. The last bytes of its server may still be on their way to the pages.
import type { Cable } from "./proxy.ts";

/** Resolves when no connection is left, after `withinMs` at the latest. */
export function untilQuiet(cable: Cable, withinMs: number): Promise<void> {
  return new Promise((done) => {
    const look = () => cable.state().open === 0 && done();
    cable.events.on("change", look);
    setTimeout(done, withinMs);
    look();
  });
}
