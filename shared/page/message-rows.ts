// Rows of the chat's list: a message, and one that waits to be sent.
import type { Message } from "../both/message.ts";

/** What was said here, and may not have arrived. */
export type Said = { from: string; text: string };

/** As toLocaleTimeString writes a time. Made once, because making it takes longer than using it. */
const clock = new Intl.DateTimeFormat([], { hour: "numeric", minute: "numeric", second: "numeric" });

/**
 * Shows a message in an `<li>`, which may have shown another one. textContent, never innerHTML: a message is text, even if
 * it looks like HTML. `remark` is shown beside it.
 */
export function fillMessage(row: HTMLElement, { from, text, at }: Message, mine: boolean, remark: string) {
  row.className = mine ? "message mine" : "message";
  if (row.childElementCount === 0) row.replaceChildren(element("bdi", "from"), element("time"), words(""));
  const [who, time, said, aside] = row.children as unknown as [
    HTMLElement,
    HTMLElement,
    HTMLElement,
    HTMLElement?,
  ];
  who.textContent = from;
  time.textContent = clock.format(at);
  time.setAttribute("datetime", new Date(at).toISOString());
  said.textContent = text;
  aside?.remove();
  if (remark) row.append(element("small", "remark", remark));
}

/** A row for a message that waits. */
export function waitingRow({ from, text }: Said): HTMLElement {
  const row = element("li", "message mine waiting");
  row.append(element("bdi", "from", from), element("small", "remark", "waiting"), words(text));
  return row;
}

function words(text: string) {
  const span = element("span", "text", text);
  span.dir = "auto";
  return span;
}

function element<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}
