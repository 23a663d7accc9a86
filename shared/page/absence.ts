// A page that is away: its network is gone, its tab is hidden, or the browser keeps it in the back/forward cache.

type Returns = {
  /** The network or the reader is back, so there is no reason to wait. In `withinMs` milliseconds is soon enough. */
  hurry(withinMs: number): void;
  /** The page may go into the back/forward cache, and must not keep a connection there. */
  leave(): void;
  /** The page has come out of the back/forward cache. */
  comeBack(): void;
};

/** Calls these from now on. */
export function watchAbsence({ hurry, leave, comeBack }: Returns): void {
  // Within a second: the network returns for every page at the same time.
  addEventListener("online", () => hurry(1_000));
  document.addEventListener("visibilitychange", () => document.hidden || hurry(0));
  addEventListener("pagehide", leave);
  addEventListener("pageshow", ({ persisted }) => persisted && comeBack());
}
