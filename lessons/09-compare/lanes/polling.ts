// Polling and long polling, as in lessons 1 and 2: ask, wait for the answer, pause, ask again.
import { pause, query, type Reader, takeAll } from "./reader.ts";

/** Lesson 1. Pauses `everyMs()` after each answer. Returns a function that stops it. */
export function polling(reader: Reader, everyMs: () => number) {
  return askForever(reader, { everyMs, patienceMs: 10_000, retryMs: everyMs });
}

/** Lesson 2, whose server holds an answer for 25 s. Returns a function that stops it. */
export function longPolling(reader: Reader) {
  return askForever(reader, { everyMs: () => 0, patienceMs: 35_000, retryMs: () => 1_000 });
}

type Pace = { everyMs(): number; patienceMs: number; retryMs(): number };

function askForever(reader: Reader, { everyMs, patienceMs, retryMs }: Pace) {
  const stopping = new AbortController();

  async function ask(): Promise<number> {
    reader.asked();
    // A held request looks like a lost one. After half a second without an error it is held.
    const held = setTimeout(() => patienceMs > 25_000 && reader.state("open"), 500);
    try {
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(patienceMs)]);
      const response = await fetch(`http://${reader.host}/messages?${query(reader)}`, { signal });
      takeAll(reader, await response.json());
      reader.state("open");
      return everyMs();
    } catch {
      reader.state("reconnecting", "request failed, asking again");
      return retryMs();
    } finally {
      clearTimeout(held);
    }
  }

  void (async () => {
    while (!stopping.signal.aborted) {
      const ms = await ask();
      if (ms > 0) await pause(ms);
    }
  })();
  return () => stopping.abort();
}
