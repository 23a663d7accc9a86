// <chat-room>: the form, the list of messages and the state of the connection, the same in every lesson.
import type { Message } from "../both/message.ts";
import { keepAtEnd } from "./keep-at-end.ts";
import { fillMessage, type Said, waitingRow } from "./message-rows.ts";
import { keepName } from "./own-name.ts";
import { type State, StatusLine } from "./status-line.ts";

/**
 * Older entries leave the list, so that a page left open for a day stays light. A hundred at a time: when the first
 * row goes, the browser moves all the others.
 */
const entryLimit = 500;
const leaveTogether = 100;

/** A message's id, or "start" where ids start again; notes have none. `fill` writes what the row shows. */
type Entry = { id?: number | "start"; fill: (row: HTMLElement) => void };
type Inputs = Record<"from" | "text", HTMLInputElement>;

export class ChatRoom extends HTMLElement {
  /** Called with what somebody says. When it throws, the text stays in its box and the error is shown beside it. */
  onsay: (from: string, text: string) => void | Promise<void> = () => {};
  /** Called at each key in the message's box. */
  ontyping: (from: string) => void = () => {};

  #list!: HTMLOListElement;
  #waiting!: HTMLOListElement;
  #status!: StatusLine;
  #refused!: HTMLElement;
  #hint!: HTMLElement;
  #hintEnds: ReturnType<typeof setTimeout> | undefined;
  #inputs!: Inputs;
  #seen = new Set<number>();
  #log = "";
  #spare: HTMLElement[] = [];

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
    keepAtEnd(this.querySelector(".log") as HTMLElement);
    this.#list = this.querySelector("ol") as HTMLOListElement;
    this.#waiting = this.querySelector("ol.waiting") as HTMLOListElement;
    this.#status = new StatusLine(this.querySelector(".status") as HTMLElement);
    this.#refused = this.querySelector(".refused") as HTMLElement;
    this.#hint = this.querySelector(".hint") as HTMLElement;
    const form = this.querySelector("form") as HTMLFormElement;
    this.#inputs = form.elements as unknown as Inputs;
    this.status("connecting", "connecting");

    const { from, text } = this.#inputs;
    keepName(from);
    text.addEventListener("input", () => this.ontyping(from.value));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const said = text.value;
      this.refused("");
      try {
        await this.onsay(from.value, said);
        // The box keeps text that the reader typed while the message was being sent.
        if (text.value === said) text.value = "";
      } catch (error) {
        this.refused(`Not sent: ${inWords(error as Error)}`);
      }
    });
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
  show(message: Message, remark = ""): boolean {
    const { id, from } = message;
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    const mine = from === this.who;
    this.#insert({ id, fill: (row) => fillMessage(row, message, mine, remark) });
    return true;
  }

  /** Shows, below all messages, those that were said here and may not have arrived. */
  waiting(entries: readonly Said[]): void {
    this.#waiting.replaceChildren(...entries.map(waitingRow));
  }

  /** A line between the messages: something happened. `kind` gives it its mark. */
  note(text: string, kind: "sent" | "received" | "event" | "fault" = "event"): void {
    this.#insert({
      fill: (row) => {
        row.className = `note ${kind}`;
        row.textContent = text;
        // Notes that come every few seconds are shown, but not read out each time.
        if (kind === "sent" || kind === "received") row.setAttribute("aria-live", "off");
      },
    });
  }

  /** The ids start again from here. The list shows `text`, if there is one. */
  startOver(text = ""): void {
    this.#seen.clear();
    this.#insert({
      id: "start",
      fill: (row) => {
        row.className = text ? "note fault" : "start";
        row.textContent = text;
      },
    });
  }

  /** Messages are missing here: the server has forgotten them, or has restarted with an empty log. */
  gap(why: "forgotten" | "restarted"): void {
    if (why === "restarted") this.startOver("history starts again: the server has restarted");
    else this.startOver("a gap: we were away for too long, and the server no longer has everything");
  }

  /** The messages from here on are from the log of this name. After another one, the server has restarted. */
  showLog(name: string): void {
    if (this.#log && this.#log !== name) this.gap("restarted");
    this.#log = name;
  }

  /** The connection's state in words. `ticking` changes every second and is not read out each time. */
  status(state: State, text: string, ticking = ""): void {
    this.#status.status(state, text, ticking);
  }

  /** Asks the server which lesson it is, since two lessons' answers may look alike. */
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

  /**
   * Puts a row in its place by id: below all rows without one, or with a smaller one. Old rows are used again. Nothing is
   * measured here, so the browser lays out the list once for each frame, however many messages come.
   */
  #insert({ id, fill }: Entry) {
    if (this.#list.childElementCount === entryLimit) {
      const oldest = [...this.#list.children].slice(0, leaveTogether) as HTMLElement[];
      for (const row of oldest) row.remove();
      this.#spare = oldest;
    }
    const row = this.#spare.pop() ?? document.createElement("li");
    row.removeAttribute("aria-live");
    row.removeAttribute("data-id");
    if (id !== undefined) row.dataset.id = String(id);
    fill(row);
    this.#list.insertBefore(row, typeof id === "number" ? this.#firstAfter(id) : null);
  }

  /** The first row with a larger id, or null. Searched from the end: almost every message belongs there. */
  #firstAfter(id: number): HTMLElement | null {
    let found: HTMLElement | null = null;
    let row = this.#list.lastElementChild as HTMLElement | null;
    while (row) {
      const other = row.dataset.id;
      if (other === "start" || Number(other) < id) break;
      if (other !== undefined) found = row;
      row = row.previousElementSibling as HTMLElement | null;
    }
    return found;
  }
}

/** Why something was not sent. A browser's own text about a failed request doesn't help a reader. */
function inWords({ name, message }: Error): string {
  if (name === "TypeError") return "the server did not answer.";
  if (name === "TimeoutError") return "no answer came in time. It may still have arrived.";
  return message;
}

customElements.define("chat-room", ChatRoom);

/** The page's <chat-room>. */
export const room = document.querySelector("chat-room") as ChatRoom;
