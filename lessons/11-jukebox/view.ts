// The jukebox as the reader sees and hears it: beat, waveform, buttons, sound, who pressed last, and the numbers.
import { number, readable, signed } from "../../shared/page/numbers.ts";
import type { Clock } from "./clock.ts";
import { driftOf } from "./drift.ts";
import type { Room } from "./messages.ts";
import { Player } from "./player.ts";
import { type Command, type Press, type State, trackOf, tracks } from "./state.ts";
import { onsettings, settings } from "./switches.ts";
import { Waveform } from "./waveform.ts";

type Handlers = {
  press(press: Press): void;
  joinIn(): void;
  vote(): void;
};
/** In milliseconds: the position that the room has, and the one that this page follows. */
type Positions = { room: number; target: number };

const element = <Kind extends HTMLElement>(selector: string) => document.querySelector(selector) as Kind;
const words = { play: "Play", pause: "Pause", next: "Next", seek: "new position" };
const did = (type: Press["type"]) => (type === "seek" ? "moved the slider" : `pressed ${words[type]}`);

export class View {
  /** Undefined until the reader joins in: browsers don't let a page make a sound before a click. */
  player: Player | undefined;
  readonly #box = element(".jukebox");
  readonly #beat = element(".beat");
  readonly #name = element(".track");
  readonly #place = element(".place");
  readonly #play = element<HTMLButtonElement>("#play");
  readonly #slider = element<HTMLInputElement>("#position");
  readonly #pressed = element(".pressed");
  readonly #refused = element(".refused");
  readonly #waveBox = element(".wave");
  readonly #wave = new Waveform(element<HTMLCanvasElement>(".wave canvas"));
  #sliding = false;
  #stale = 0;
  #numbersAt = 0;
  #drift: number | undefined;

  /** Buttons and slider fire these events for the reader only. Nothing that a script sets comes back as a press. */
  constructor({ press, joinIn, vote }: Handlers) {
    this.#play.addEventListener("click", () =>
      press({ type: this.#play.textContent === "Play" ? "play" : "pause" }),
    );
    element("#next").addEventListener("click", () => press({ type: "next" }));
    this.#slider.addEventListener("input", () => {
      this.#sliding = true;
    });
    this.#slider.addEventListener("change", () => {
      this.#sliding = false;
      press({ type: "seek", position: Number(this.#slider.value) });
    });
    // Moved and put back to where it was: then no change follows.
    for (const end of ["pointerup", "pointercancel", "keyup"])
      this.#slider.addEventListener(end, () =>
        setTimeout(() => {
          this.#sliding = false;
        }),
      );
    element("#vote").addEventListener("click", vote);
    const joinButton = element<HTMLButtonElement>("#join");
    joinButton.addEventListener("click", () => {
      this.player = new Player();
      this.player.muted = settings.muted;
      joinIn();
      joinButton.hidden = true;
      this.#play.focus();
    });
    for (const button of document.querySelectorAll<HTMLButtonElement>("[data-knock]"))
      button.addEventListener("click", () => this.player?.knock(Number(button.dataset.knock)));
    onsettings(() => {
      if (this.player) this.player.muted = settings.muted;
    });
  }

  /** The reader has pressed something. */
  pressed(type: Press["type"]): void {
    this.#refused.textContent = "";
    this.#say(`You ${did(type)}. Waiting for the server.`, true);
  }

  /** The state has come from the server. */
  changed({ by, revision }: Room, me: number, isSame = true): void {
    number("revision", revision);
    const who = by?.id === me ? "You" : by?.name;
    if (!isSame) this.#say("The server has restarted, and has forgotten what was playing.");
    else if (revision === 0) this.#say("Nobody has pressed anything yet.");
    else if (by) this.#say(`${who} ${did(by.pressed)}. Confirmed: revision ${revision}.`);
    else this.#say(`Enough votes for the next track. Revision ${revision}.`);
  }

  /** Our press was refused, because somebody was first. */
  stale(ours: Command | undefined, { by, revision }: Room): void {
    number("stale", ++this.#stale);
    number("revision", revision);
    const first = by?.name ?? "Somebody";
    if (ours)
      this.#say(
        `${first} was first. Your ${words[ours.type]} was for revision ${ours.revision}, and the room is at ${revision}.`,
      );
  }

  votes({ votes, needed }: { votes: number; needed: number }): void {
    number("votes", `${votes} of ${needed}`);
  }

  refused(reason: string): void {
    this.#refused.textContent = `Not accepted: ${reason}`;
  }

  draw(state: State, { room, target }: Positions, clock: Clock): void {
    const track = trackOf(state);
    const heard = this.player?.isAwake() ? this.player.heardMs(track) : undefined;
    const shown = heard ?? target;
    const beatMs = track.lengthMs / track.beats;
    const beat = Math.floor(shown / beatMs);
    write(this.#beat, String((beat % 4) + 1));
    // From 1 on the beat to 0: twice a second at most, so it never flashes.
    this.#beat.style.setProperty("--pulse", state.playing ? (1 - (shown % beatMs) / beatMs).toFixed(3) : "0");
    write(this.#name, `${state.track + 1} of ${tracks.length}: ${track.name}`);
    write(this.#place, `bar ${Math.floor(beat / 4) + 1}, ${seconds(shown)} of ${seconds(track.lengthMs)}`);
    write(this.#play, state.playing ? "Pause" : "Play");
    // Only what has changed: the browser draws a slider again that is written. Its steps are 100 ms.
    const [max, value] = [String(track.lengthMs), String(100 * Math.round(shown / 100))];
    if (this.#slider.max !== max) this.#slider.max = max;
    if (!this.#sliding && this.#slider.value !== value) this.#slider.value = value;
    this.#wave.show(track);
    this.#waveBox.style.setProperty("--share", (shown / track.lengthMs).toFixed(4));
    this.#drift = heard === undefined ? undefined : driftOf(heard, room, track.lengthMs);
    // For tests: what is heard at which moment of a clock that all windows share.
    this.#box.dataset.heard = heard === undefined ? "" : heard.toFixed(1);
    this.#box.dataset.at = String(Date.now());
    this.#numbers(clock);
  }

  /** Four times a second: faster changes would be unreadable. */
  #numbers(clock: Clock) {
    if (performance.now() - this.#numbersAt < 250) return;
    this.#numbersAt = performance.now();
    this.#slider.ariaValueText = seconds(Number(this.#slider.value));
    const { offsetMs, uncertaintyMs } = clock.best ?? {};
    number("offset", offsetMs === undefined ? "–" : signed(offsetMs));
    number("uncertainty", uncertaintyMs === undefined ? "–" : `± ${readable(uncertaintyMs)} ms`);
    number("drift", this.#drift === undefined ? "–" : signed(this.#drift));
    number("rate", this.#drift === undefined ? "–" : `${(100 * (this.player?.rate ?? 1)).toFixed(1)}%`);
    number("jumps", this.player?.jumps ?? 0);
  }

  #say(text: string, waiting = false) {
    write(this.#pressed, text);
    this.#pressed.classList.toggle("waiting", waiting);
  }
}

/** Writes only what has changed, since a screen reader would read it again. */
function write(place: HTMLElement, text: string) {
  if (place.textContent !== text) place.textContent = text;
}

/** 3215 → "3.2 s". Never "-0.0 s", a moment before the beginning. */
const seconds = (ms: number) => `${(Math.round(ms / 100) / 10 || 0).toFixed(1)} s`;
