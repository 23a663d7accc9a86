// Names of the people who are connected: a second Ada is shown as "Ada (2)".
import type { WebSocket } from "ws";
import { nameKey } from "../both/text.ts";

const owners = new Map<string, WebSocket>();
const keys = new Map<WebSocket, string>();

/**
 * The name to show for `client`: `name` itself, or marked with a number while another client that is connected uses a
 * name that looks the same. The client gives it up when it takes another one, and when its connection closes.
 */
export function claimName(client: WebSocket, name: string): string {
  for (let n = 1; ; n++) {
    const marked = n === 1 ? name : `${name} (${n})`;
    const key = nameKey(marked);
    const owner = owners.get(key);
    if (owner === client) return marked;
    if (owner) continue;
    if (!keys.has(client)) client.once("close", () => release(client));
    release(client);
    owners.set(key, client);
    keys.set(client, key);
    return marked;
  }
}

function release(client: WebSocket) {
  owners.delete(keys.get(client) ?? "");
  keys.delete(client);
}
