// For a value that may change a thousand times a second, but needs to be sent only once.

/** A function that calls `act` once, `ms` after it was first called, however often it is called until then. */
export function atMostEvery(ms: number, act: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      act();
    }, ms);
  };
}
