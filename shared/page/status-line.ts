// The state of a connection in one line, and a word when another lesson is running than this page's.
import { describeOtherLesson } from "./running-lesson.ts";

/** What the state looks like: a filled dot, an empty ring, a cross. The words come from the lesson. */
export type State = "connecting" | "open" | "reconnecting" | "closed";
type Status = { state: State; text: string; ticking: string };

export class StatusLine {
  readonly #place: HTMLElement;
  #checkAgain: ReturnType<typeof setTimeout> | undefined;
  #shown: Status | undefined;
  /** Whether a connection has ended, or an attempt has failed. */
  #hasEnded = false;
  /** In words, while another lesson is running than this page's. Undefined while we don't know. */
  #otherLesson: string | undefined;

  /** `place`: a `<p class="status" role="status">`. */
  constructor(place: HTMLElement) {
    this.#place = place;
  }

  /** The connection's state in words. `ticking` changes every second and is not read out each time. */
  status(state: State, text: string, ticking = ""): void {
    const before = this.#shown?.state;
    this.#shown = { state, text, ticking };
    // The launcher's word at the start. A request when an attempt has failed and when a connection is open again: another
    // lesson may be running by then.
    const hasFailed = state === "reconnecting" || (state === "closed" && before === "connecting");
    const isBack = state === "open" && this.#hasEnded;
    if (before === undefined) void this.#checkLesson(true);
    else if (state !== before && (hasFailed || isBack)) void this.#checkLesson(false);
    if (state === "reconnecting" || state === "closed") this.#hasEnded = true;
    this.#show();
  }

  /** Asks the server which lesson it is, since its answers look like those of another one. */
  checkLesson(): void {
    if (!this.#otherLesson) void this.#checkLesson(false);
  }

  async #checkLesson(launched: boolean) {
    this.#otherLesson = (await describeOtherLesson({ launched })) ?? this.#otherLesson;
    this.#show();
    // A page that asks once a second may not notice that a server was replaced by another one.
    clearTimeout(this.#checkAgain);
    if (this.#otherLesson) this.#checkAgain = setTimeout(() => this.#checkLesson(false), 2_000);
  }

  #show() {
    const wrong: Status = { state: "closed", text: this.#otherLesson ?? "", ticking: "" };
    const { state, text, ticking } = this.#otherLesson ? wrong : (this.#shown as Status);
    if (this.#place.dataset.state !== state) this.#place.dataset.state = state;
    if (this.#place.firstChild?.textContent !== text) {
      const rest = document.createElement("span");
      rest.className = "ticking";
      rest.setAttribute("aria-hidden", "true");
      this.#place.replaceChildren(document.createTextNode(text), rest);
    }
    const rest = this.#place.lastElementChild as HTMLElement;
    rest.textContent = ticking && ` ${ticking}`;
  }
}
