// The page's numbers: what it has counted since it was loaded, and the state of its streams.
import { number } from "../../shared/page/numbers.ts";

const counts = { alone: 0, double: 0, gaps: 0, lost: 0 };

/** Adds to one of the counts, and shows it. */
export function add(name: keyof typeof counts, more = 1): void {
  counts[name] += more;
  number(name, counts[name]);
}

/** Shows the state of the page's own stream, and how many are open and waiting with `more`. */
export function showStreams(source: EventSource, more: EventSource[], lastEventId: string): void {
  number("ready-state", `${source.readyState} ${["connecting", "open", "closed"][source.readyState]}`);
  number("last-event-id", lastEventId || "–");
  const all = [source, ...more].map(({ readyState }) => readyState);
  number("streams-open", all.filter((state) => state === EventSource.OPEN).length);
  number("streams-waiting", all.filter((state) => state === EventSource.CONNECTING).length);
}
