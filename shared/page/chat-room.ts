// <chat-room>: the form, the list of messages and the state of the connection, the same in every lesson.
import type { Message } from "../both/message.ts";
import { keepName } from "./own-name.ts";
import { type State, StatusLine } from "./status-line.ts";

/** Older entries leave the list, so that a page left open for a day stays light. */
const entryLimit = 500;

export class ChatRoom extends HTMLElement {
  /** Called with what somebody says. When it throws, the text stays in its box and the error is shown beside it. */
  onsay: (from: string, text: string) => void | Promise<void> = () => {};
  /** Called at each key in the message's box. */
  ontyping: (from: string) => void = () => {};

  #list!: HTMLOListElement;
  #waiting!: HTMLOListElement;
  #log!: HTMLElement;
  #status!: StatusLine;
  #refused!: HTMLElement;
  #hint!: HTMLElement;
  #hintEnds: ReturnType<typeof setTimeout> | undefined;
  #form!: HTMLFormElement;
  #seen = new Set<number>();
  #frame: number | undefined;

  connectedCallback() {
    this.innerHTML = `
      <p class="status" role="status"></p>
      <div class="log" role="log" aria-label="Messages" tabindex="0">
        <ol></ol><ol class="waiting" aria-live="off"></ol>
      </div>
      <p class="hint"></p>
      <form autocomplete="off">
        <label>Name <input name="from" required></label>
        <label>Message <input name="text" enterkeyhint="send"></label>
        <button>Send</button>
        <p class="refused" role="alert"></p>
      </form>`;
    this.#log = this.querySelector(".log") as HTMLElement;
    this.#list = this.querySelector("ol") as HTMLOListElement;
    this.#waiting = this.querySelector("ol.waiting") as HTMLOListElement;
    this.#status = new StatusLine(this.querySelector(".status") as HTMLElement);
    this.#refused = this.querySelector(".refused") as HTMLElement;
    this.#hint = this.querySelector(".hint") as HTMLElement;
    this.#form = this.querySelector("form") as HTMLFormElement;
    this.status("connecting", "connecting");

    const { from, text } = this.#inputs;
    keepName(from);
    text.addEventListener("input", () => this.ontyping(from.value));
    this.#form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const said = text.value;
      this.refused("");
      try {
        await this.onsay(from.value, said);
        // Somebody who went on typing while it was sent keeps that text.
        if (text.value === said) text.value = "";
      } catch (error) {
        this.refused(`Not sent: ${inWords(error as Error)}`);
      }
    });
  }

  get #inputs() {
    const { from, text } = this.#form.elements as unknown as Record<"from" | "text", HTMLInputElement>;
    return { from, text };
  }

  /** The name in its box. */
  get who(): string {
    return this.#inputs.from.value;
  }

  /** A name that is decided elsewhere, for example by a login. It can't be changed here. */
  set who(name: string) {
    this.#inputs.from.value = name;
    this.#inputs.from.readOnly = true;
  }

  /** Puts a message in its place by id. False when it is there already. `remark` is shown beside it. */
  show({ id, from, text, at }: Message, remark = ""): boolean {
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    const entry = element("li", from === this.who ? "message mine" : "message");
    entry.dataset.id = String(id);
    // textContent, never innerHTML: a message is text, even if it looks like HTML.
    const time = element("time", "", clock.format(at));
    time.setAttribute("datetime", new Date(at).toISOString());
    const words = element("span", "text", text);
    words.dir = "auto";
    entry.append(element("bdi", "from", from), time, words);
    if (remark) entry.append(element("small", "remark", remark));
    let before: Element | null = null;
    for (let each = this.#list.lastElementChild; each; each = each.previousElementSibling) {
      const other = (each as HTMLElement).dataset.id;
      if (other === undefined) continue;
      if (other === "start" || Number(other) < id) break;
      before = each;
    }
    this.#insert(entry, before);
    return true;
  }

  /** Shows, below all messages, those that were said here and may not have arrived. */
  waiting(entries: readonly { from: string; text: string }[]): void {
    this.#keepAtEnd(() =>
      this.#waiting.replaceChildren(
        ...entries.map(({ from, text }) => {
          const entry = element("li", "message mine waiting");
          const words = element("span", "text", text);
          words.dir = "auto";
          entry.append(element("bdi", "from", from), element("small", "remark", "waiting"), words);
          return entry;
        }),
      ),
    );
  }

  /** A line between the messages: something happened. `kind` gives it its mark. */
  note(text: string, kind: "sent" | "received" | "event" | "fault" = "event"): void {
    const entry = element("li", `note ${kind}`, text);
    // Notes that come every few seconds are shown, but not read out each time.
    if (kind === "sent" || kind === "received") entry.setAttribute("aria-live", "off");
    this.#insert(entry);
  }

  /** The ids start again from here. The list shows `text`, if there is one. */
  startOver(text = ""): void {
    this.#seen.clear();
    const entry = element("li", text ? "note fault" : "start", text);
    entry.dataset.id = "start";
    this.#insert(entry);
  }

  /** The connection's state in words. `ticking` changes every second and is not read out each time. */
  status(state: State, text: string, ticking = ""): void {
    this.#status.status(state, text, ticking);
  }

  /** Asks the server which lesson it is, since its answers look like those of another one. */
  checkLesson(): void {
    this.#status.checkLesson();
  }

  /** Shows a short text for three seconds. It isn't read out, because it may come every second. */
  hint(text: string): void {
    clearTimeout(this.#hintEnds);
    this.#hint.textContent = text;
    this.#hintEnds = setTimeout(() => this.#hint.replaceChildren(), 3_000);
  }

  /** Says beside the form why something was not accepted. "" removes that. */
  refused(reason: string): void {
    this.#refused.textContent = reason;
  }

  #insert(entry: HTMLElement, before: Element | null = null) {
    this.#keepAtEnd(() => {
      this.#list.insertBefore(entry, before);
      while (this.#list.children.length > entryLimit) this.#list.firstElementChild?.remove();
    });
  }

  /** Measured and scrolled once for each frame, however many messages come: both make the browser lay out the list. */
  #keepAtEnd(change: () => void) {
    if (this.#frame === undefined) {
      const { scrollTop, clientHeight, scrollHeight } = this.#log;
      const atEnd = scrollTop + clientHeight > scrollHeight - 40;
      this.#frame = requestAnimationFrame(() => {
        this.#frame = undefined;
        // Don't scroll if somebody has scrolled back to read.
        if (atEnd) this.#log.scrollTop = this.#log.scrollHeight;
      });
    }
    change();
  }
}

function element<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

/** Why something was not sent. A browser's own text about a failed request doesn't help a reader. */
function inWords({ name, message }: Error): string {
  if (name === "TypeError") return "the server does not answer.";
  if (name === "TimeoutError") return "no answer came in time. It may still have arrived.";
  return message;
}

/** Made once: that takes longer than to use it. */
const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

customElements.define("chat-room", ChatRoom);

/** The page's <chat-room>. */
export const room = document.querySelector("chat-room") as ChatRoom;
