// The state of a connection in one line, and a warning when the running lesson isn't this page's.
import { describeOtherLesson } from "./running-lesson.ts";

/** What the state looks like: a filled dot, an empty ring, a cross. The words come from the lesson. */
export type State = "connecting" | "open" | "reconnecting" | "closed";
type Status = { state: State; text: string; ticking: string };

export class StatusLine {
  readonly #place: HTMLElement;
  #checkAgain: ReturnType<typeof setTimeout> | undefined;
  #shown: Status | undefined;
  #text = "";
  /** Whether a connection has ended, or an attempt has failed. */
  #hasEnded = false;
  /** The warning, while the running lesson isn't this page's. Undefined while we don't know. */
  #otherLesson: string | undefined;

  /** `place`: a `<p class="status" role="status">`. */
  constructor(place: HTMLElement) {
    this.#place = place;
  }

  /** The connection's state in words. `ticking` changes every second and is not read out each time. */
  status(state: State, text: string, ticking = ""): void {
    const before = this.#shown?.state;
    this.#shown = { state, text, ticking };
    // At the start, the launcher has told the page. When an attempt has failed, or a connection is open again, the page
    // asks the server: another lesson may be running by then.
    const hasFailed = state === "reconnecting" || (state === "closed" && before === "connecting");
    const isBack = state === "open" && this.#hasEnded;
    if (before === undefined) void this.#checkLesson(true);
    else if (state !== before && (hasFailed || isBack)) void this.#checkLesson(false);
    if (state === "reconnecting" || state === "closed") this.#hasEnded = true;
    this.#show();
  }

  /** Asks the server which lesson it is, since two lessons' answers may look alike. */
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
    if (this.#place.childElementCount === 0 || this.#text !== text) {
      const rest = document.createElement("span");
      rest.className = "ticking";
      rest.setAttribute("aria-hidden", "true");
      this.#place.replaceChildren(...withCode(text), rest);
      this.#text = text;
    }
    const rest = this.#place.lastElementChild as HTMLElement;
    rest.textContent = ticking && ` ${ticking}`;
  }
}

/** What is between two backticks becomes code. */
function withCode(text: string): (string | HTMLElement)[] {
  return text.split("`").map((part, n) => {
    if (n % 2 === 0) return part;
    const code = document.createElement("code");
    code.textContent = part;
    return code;
  });
}
