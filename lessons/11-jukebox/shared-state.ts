// The room's state as this page shows it: the server's last state, and the reader's own presses since then.
import type { Room } from "./messages.ts";
import { after, type Command, type Press, type State } from "./state.ts";

type Vote = { type: "vote"; track: number | undefined };

export class SharedState {
  readonly #send: (message: Command | Vote) => void;
  /** What the server said last. */
  #room: Room | undefined;
  /** What it will say, if it obeys. The page shows this without waiting. */
  #guess: State | undefined;
  /** What was pressed and sent, and has no answer yet. */
  #sent: Command | undefined;
  /** What was pressed after that. It can't be sent yet: its revision is the one that the answer will bring. */
  #held: Press[] = [];
  /** The track that the reader has voted to skip. */
  #voted: number | undefined;

  constructor(send: (message: Command | Vote) => void) {
    this.#send = send;
  }

  /** What to show and to play. Undefined: the server hasn't said anything yet. */
  get state(): State | undefined {
    return this.#guess ?? this.#room;
  }

  get waiting(): Command | undefined {
    return this.#sent;
  }

  /** The reader has pressed something, at `nowMs` of the server's clock. Only the reader calls this, never a message. */
  press(press: Press, nowMs: number): void {
    if (!this.#room) return;
    this.#guess = after(this.#guess ?? this.#room, press, nowMs);
    if (this.#sent) {
      if (press.type === "seek" && this.#held.at(-1)?.type === "seek") this.#held.pop();
      this.#held.push(press);
    } else {
      this.#sent = { ...press, revision: this.#room.revision };
      this.#send(this.#sent);
    }
  }

  /** The reader wants to skip this track. */
  vote(): void {
    this.#voted = this.state?.track;
    this.#send({ type: "vote", track: this.#voted });
  }

  /** A new state has come from the server. `ours`: because of what we pressed. It is shown, and never sent back. */
  changed(room: Room, ours: boolean, nowMs: number): void {
    this.#room = room;
    if (room.track !== this.#voted) this.#voted = undefined;
    if (ours && this.#sent?.revision === room.revision - 1) this.#answered(nowMs);
    else this.#forget(); // somebody was first: what we guessed won't come
  }

  /** The server has refused what we sent. Without `room` it has said why in another way. */
  refused(nowMs: number, room = this.#room): void {
    this.#room = room;
    this.#answered(nowMs);
  }

  /** Connected, for the first time or again. `isSame`: to the same run of the server. */
  welcome(room: Room, isSame: boolean): void {
    this.#room = room;
    // Safe to send again: if the server obeyed it before the connection broke, the revision in it is stale by now.
    if (this.#sent && isSame && this.#sent.revision === room.revision) this.#send(this.#sent);
    else {
      this.#sent = undefined;
      this.#forget();
    }
    if (isSame && this.#voted === room.track) this.vote(); // a vote leaves with its connection
  }

  #answered(nowMs: number) {
    const held = this.#held;
    this.#sent = undefined;
    this.#forget();
    for (const press of held) this.press(press, nowMs);
  }

  #forget() {
    this.#guess = undefined;
    this.#held = [];
  }
}
