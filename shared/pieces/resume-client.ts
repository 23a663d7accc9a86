// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The real-time web workshop's authors
//
// Resume, the page's half: remembers what this page has seen last, so that a new connection starts there.
//
// It promises: each message is handed on once and in order, whatever the server repeats. Messages that the server no
// longer has are reported once, as a gap.
// It doesn't: open connections (see stay-connected.ts), or remember anything when the page is reloaded. A page that has
// just been loaded gets everything that the server has.
// Its other half is resume-server.ts. Tested while connections were reset, frozen and paused: resume.test.ts beside it,
// and in lesson 7.

export type Resuming<Message> = {
  /** A message, each one once. `replayed`: it was said while this page was away. */
  onmessage(message: Message, replayed: boolean): void;
  /** Messages are missing here: the server has forgotten them, or has restarted with an empty log. */
  ongap(why: "forgotten" | "restarted"): void;
  /** A message that had been here before. It was dropped. */
  ondouble?(): void;
};

export class Resume<Message extends { id: number }> {
  #after = 0;
  #log: string | undefined;
  readonly #handlers: Resuming<Message>;

  constructor(handlers: Resuming<Message>) {
    this.#handlers = handlers;
  }

  /** Send this first on every new connection, before anything else. */
  get cursor(): { after: number; log: string | undefined } {
    return { after: this.#after, log: this.#log };
  }

  /** The server's answer to the cursor, or one piece of it. */
  replay({ log, reset, messages }: { log: string; reset: boolean; messages: Message[] }): void {
    const why = log === this.#log ? "forgotten" : "restarted";
    this.#log = log;
    if (reset) {
      this.#after = 0;
      this.#handlers.ongap(why);
    }
    for (const message of messages) this.#take(message, true);
  }

  /** A message that was said just now. */
  message(message: Message): void {
    this.#take(message, false);
  }

  #take(message: Message, replayed: boolean) {
    if (message.id <= this.#after) return this.#handlers.ondouble?.();
    this.#after = message.id;
    this.#handlers.onmessage(message, replayed);
  }
}
