// What the page's files share: finding an element, writing into it, posting to the server.
import { serverHost } from "../../shared/page/server-host.ts";

/** The element that this page's `index.html` has for this selector. */
export const find = <Found extends HTMLElement>(selector: string, within: ParentNode = document) =>
  within.querySelector(selector) as Found;

/** Writes only what has changed. A new text costs the browser a new layout, and some come a hundred times a second. */
export function write(place: Element, text: string): void {
  if (place.textContent !== text) place.textContent = text;
}

/** Calls `press` when the button with this id is pressed. */
export const onPress = (id: string, press: () => void) => find(`#${id}`).addEventListener("click", press);

/** Posts JSON to this path, and returns the answer. A refusal appears on the page. Without an answer: `{}`. */
export async function post(path: string, body: object) {
  const refused = find(".refused");
  try {
    const response = await fetch(`http://${serverHost}/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    refused.textContent = response.ok ? "" : answer.error;
    return answer;
  } catch {
    refused.textContent = "Not sent: the server does not answer.";
    return {};
  }
}
