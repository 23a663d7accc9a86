// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The real-time web workshop's authors
//
// Outbox, the server's half: what each page has sent so far, so that a message sent again is recognized.
//
// It promises: a message is new once, however often it arrives and over whichever connection. A connection speaks for
// one page and no other. When a page connects again, its older connection is ended, because that one may be half-open.
// Memory is bounded: pages that are connected are always remembered, and of the others the last `keep`.
// It doesn't: outlive the process. After a restart, what was received but never acknowledged is new again. For several
// servers, or for a guarantee that outlasts a restart, store each page's count together with its message.
// A page's name is a secret between page and server: anyone who knows it can speak for the page.
// Its other half is outbox-client.ts. Tested in outbox.test.ts beside it, with hostile clients in lesson 7, and for half
// an hour with 500 pages, in its soak test.

/** One page, as far as the server has received it. */
export class Page<Socket> {
  readonly name: string;
  /** The count of the last message received. A page counts up and sends in order, so one number is enough. */
  last: number;
  socket: Socket;

  constructor(name: string, last: number, socket: Socket) {
    this.name = name;
    this.last = last;
    this.socket = socket;
  }

  /** The id of the last message received: acknowledges it and all before. Undefined: there was none. */
  get lastId(): string | undefined {
    return this.last === 0 ? undefined : `${this.name}-${this.last}`;
  }

  /** Takes an id like "k3f9-12": is it new, or received before? Undefined: it isn't an id of this page. */
  receive(id: string): "new" | "double" | undefined {
    const count = Number(id.slice(this.name.length + 1));
    if (id !== `${this.name}-${count}` || !Number.isSafeInteger(count) || count < 1) return;
    if (count <= this.last) return "double";
    this.last = count;
    return "new";
  }
}

export class Pages<Socket extends { terminate(): void }> {
  readonly #keep: number;
  #connected = new Map<string, Page<Socket>>();
  /** The counts of pages without a connection, in the order in which they left. */
  #away = new Map<string, number>();

  /** Remembers `keep` pages that are away; the one that left first is forgotten first. */
  constructor(keep = 100_000) {
    this.#keep = keep;
  }

  /** The page called `name` is connected through `socket` from now on. Its older socket, if there is one, is ended. */
  resume(name: string, socket: Socket): Page<Socket> {
    const page = this.#connected.get(name) ?? new Page(name, this.#away.get(name) ?? 0, socket);
    const older = page.socket;
    page.socket = socket;
    this.#away.delete(name);
    this.#connected.set(name, page);
    // terminate, not close: over a network that fell silent, a closing handshake never ends.
    if (older !== socket) older.terminate();
    return page;
  }

  /** This connection of the page has closed. Nothing changes when the page has a newer one. */
  leave(page: Page<Socket>, socket: Socket): void {
    if (page.socket !== socket) return;
    this.#connected.delete(page.name);
    if (page.last === 0) return;
    this.#away.set(page.name, page.last);
    const [first] = this.#away.keys();
    if (first !== undefined && this.#away.size > this.#keep) this.#away.delete(first);
  }
}
