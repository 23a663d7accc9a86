// Names of the people who are connected: a second Ada is shown as "Ada (2)".
import type { WebSocket } from "ws";
import { nameKeys } from "../both/look-alikes.ts";

const owners = new Map<string, WebSocket>();
const keysOf = new Map<WebSocket, string[]>();

/**
 * The name to show for `client`: `name` itself, or marked with a number while another client that is connected uses a
 * name that looks the same. The client gives it up when it takes another one, and when its connection closes.
 */
export function claimName(client: WebSocket, name: string): string {
  for (let n = 1; ; n++) {
    const marked = n === 1 ? name : `${name} (${n})`;
    const keys = nameKeys(marked);
    if (keys.some((key) => owners.has(key) && owners.get(key) !== client)) continue;
    if (!keysOf.has(client)) client.once("close", () => release(client));
    release(client);
    for (const key of keys) owners.set(key, client);
    keysOf.set(client, keys);
    return marked;
  }
}

function release(client: WebSocket) {
  for (const key of keysOf.get(client) ?? []) owners.delete(key);
  keysOf.delete(client);
}
