// Polling, as in lesson 1: ask, wait for the answer, pause, ask again.
import type { Answer } from "../../../shared/both/old-message.ts";
import { pause, type Reader } from "./reader.ts";

/** Begins to ask, pausing `everyMs()` after each answer. Call what is returned to end it. */
export function polling({ host, cursor, take, asked, state }: Reader, everyMs: () => number) {
  const ending = new AbortController();

  async function pollForever() {
    while (!ending.signal.aborted) {
      asked();
      try {
        const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(10_000)]);
        const { after, log } = cursor;
        const response = await fetch(`http://${host}/messages?after=${after}&log=${log}`, { signal });
        const answer: Answer = await response.json();
        state("open");
        for (const message of answer.messages) take(message);
      } catch {
        state("reconnecting", "no answer, asking again");
      }
      await pause(everyMs());
    }
  }

  void pollForever();
  return () => ending.abort();
}
