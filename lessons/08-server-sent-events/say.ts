// A stream has one direction, so each message is a request.
import { serverHost } from "../../shared/page/server-host.ts";

let unanswered: { from: string; text: string; id: string } | undefined;

/** Posts a message. Throws the reason when the server refuses it, and after 10 s without an answer. */
export async function say(from: string, text: string): Promise<void> {
  // The same text keeps its id when it is sent again after a failure: the first request may have arrived.
  if (unanswered?.from !== from || unanswered.text !== text)
    unanswered = { from, text, id: crypto.getRandomValues(new Uint32Array(3)).join("-") };
  const response = await fetch(`http://${serverHost}/messages`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(unanswered),
    signal: AbortSignal.timeout(10_000),
  });
  unanswered = undefined;
  if (!response.ok) throw new Error((await response.json()).error);
}
