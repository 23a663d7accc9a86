// Long polling, as in lesson 2: ask once, wait for the answer however long it takes, ask again.
import type { Answer } from "../../../shared/both/old-message.ts";
import { pause, type Reader } from "./reader.ts";

/** Begins to ask. Call what is returned to end it. */
export function longPolling({ host, cursor, take, asked, state }: Reader) {
  const ending = new AbortController();

  async function pollForever() {
    while (!ending.signal.aborted) {
      asked();
      // A held request looks like a lost one. What has stood for half a second is held.
      const standing = setTimeout(() => state("open"), 500);
      try {
        // The server holds an answer for 25 s. After 35 s nobody is there any more.
        const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(35_000)]);
        const { after, log } = cursor;
        const response = await fetch(`http://${host}/wait?after=${after}&log=${log}`, { signal });
        const answer: Answer = await response.json();
        state("open");
        for (const message of answer.messages) take(message);
      } catch {
        state("reconnecting", "no answer, asking again");
        await pause(1_000);
      } finally {
        clearTimeout(standing);
      }
    }
  }

  void pollForever();
  return () => ending.abort();
}
