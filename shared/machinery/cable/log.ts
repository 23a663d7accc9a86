// The last 2,000 entries. Older ones are dropped.
import type { Entry, Seen } from "./entry.ts";

export const mostEntries = 2000;

/** Numbers entries from 1 and keeps the last 2,000. */
export function entryLog(added: (entry: Entry) => void) {
  const ring: (Entry | undefined)[] = new Array(mostEntries);
  let lastId = 0;
  return {
    lastId: () => lastId,
    /** Returns the entry's number. */
    add(connection: number, atMs: number, seen: Seen): number {
      const id = ++lastId;
      const entry: Entry = { id, atMs, connection, ...seen };
      ring[id % mostEntries] = entry;
      added(entry);
      return id;
    },
    /** The entries after entry `id` that are still kept, the oldest first. */
    after(id = 0): Entry[] {
      const found: Entry[] = [];
      for (let at = Math.max(id + 1, lastId - mostEntries + 1); at <= lastId; at++) {
        const entry = ring[at % mostEntries];
        if (entry) found.push(entry);
      }
      return found;
    },
  };
}
