// Exercise 12, Invitations: a member gets an invitation, and a guest comes in with it, once, without a login.
import { randomUUID } from "node:crypto";
import { WebSocket } from "ws";
import {
  cannotTell,
  check,
  eventually,
  expectForgotten,
  expectThat,
  expectWithin,
  fasterCheck,
  pause,
  withCommas,
} from "../../shared/machinery/checks/checks.ts";
import { request } from "../../shared/machinery/checks/client.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";
import { expectQuiet } from "../../shared/machinery/checks/time.ts";
import { cookieName, newSession, sign } from "./sessions.ts";

// The servers that are checked get the same secret, so nobody has to log in first.
process.env.SESSION_SECRET ??= randomUUID();

type Headers = Record<string, string>;
type Message = { type: string; name?: string; from?: string; text?: string; until?: number };

/** What a browser that is logged in sends along. */
function logIn(name: string, role: "member" | "reader" = "member", seconds = 600): Headers {
  return { Cookie: `${cookieName}=${sign(newSession({ name, role }, seconds))}` };
}

/** The answer to POST /invitation. Without a `body`, it asks for a minute. */
function ask(server: LessonServer, headers: Headers, body: object = { seconds: 60 }): Promise<Response> {
  const json = { ...headers, "Content-Type": "application/json" };
  return request(server, "/invitation", { method: "POST", headers: json, body: JSON.stringify(body) });
}

async function invite(server: LessonServer, headers = logIn("Ada"), seconds = 60): Promise<string> {
  const response = await ask(server, headers, { seconds });
  const text = await response.text();
  expectThat(
    response.status === 201,
    "201 as the answer to POST /invitation from a member",
    `status ${response.status}: ${text.slice(0, 200)}`,
  );
  const { invitation } = parse(text) as { invitation?: unknown };
  expectThat(
    typeof invitation === "string",
    'an answer like {"invitation":"k3f9…"}',
    `the answer was ${text.slice(0, 200)}`,
  );
  return invitation as string;
}

/** Somebody at the door of the room. */
class Guest {
  readonly received: Message[] = [];
  /** "4401, log in": how it was closed. "status 403": there was no socket. */
  ended: string | undefined;
  readonly #socket: WebSocket;

  constructor({ port }: LessonServer, query: string, headers: Headers = {}, door = "/room") {
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}${door}${query}`, { headers });
    this.#socket.on("error", () => {});
    this.#socket.on("message", (data) => this.received.push(parse(data.toString())));
    this.#socket.on("unexpected-response", (_request, { statusCode }) => {
      this.ended = `status ${statusCode}`;
      this.#socket.terminate();
    });
    this.#socket.on("close", (code, reason) => {
      this.ended ??= `${code}, ${reason}`;
    });
  }

  get #welcome() {
    return this.received.find(({ type }) => type === "welcome");
  }

  /** The door's answer, in words. */
  get outcome(): string {
    return this.#welcome ? `was let in as ${this.#welcome.name}` : `was refused with ${this.ended}`;
  }

  /** Waits for the answer of the door. */
  async knock(): Promise<this> {
    await eventually(
      () => this.#welcome || this.ended,
      "an answer to a handshake at /room, or a close frame",
      () => "none came",
      2_500,
    );
    return this;
  }

  /** Waits, and expects to be in. Returns the name. */
  async enters(why: string): Promise<string> {
    await this.knock();
    expectThat(this.#welcome !== undefined, `${why} to be let in`, `it ${this.outcome}`);
    return this.#welcome.name ?? "";
  }

  /** Waits, and expects to be closed with 4401. */
  async isRefused(why: string): Promise<void> {
    await this.knock();
    expectThat(
      !this.#welcome && (this.ended ?? "").startsWith("4401"),
      `${why} to be closed with 4401`,
      /^status/.test(this.ended ?? "")
        ? `the handshake was refused with ${this.ended}. Open the socket, and then close it: a page can't read that status`
        : `it ${this.outcome}`,
    );
    this.leave();
  }

  /** Sends a message as soon as the socket is open. */
  sendFirst(message: object): void {
    this.#socket.once("open", () => this.send(message));
  }

  send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  leave(): void {
    this.#socket.close();
  }
}

const at = (server: LessonServer, invitation: string, headers: Headers = {}) =>
  new Guest(server, `?invitation=${invitation}`, headers);

/** How many characters of these words are different: all but those with which all of them begin and end. */
function differingIn([first = "", ...others]: string[]): number {
  let [start, end] = [0, 0];
  while (start < first.length && others.every((word) => word[start] === first[start])) start++;
  while (end < first.length - start && others.every((word) => word.at(-1 - end) === first.at(-1 - end)))
    end++;
  return first.length - start - end;
}

export const checks = [
  check("a member gets an invitation that nobody can guess", "Hint 1", async (server) => {
    const ada = logIn("Ada");
    const all = [await invite(server, ada), await invite(server, ada), await invite(server, ada)];
    expectThat(
      new Set(all).size === 3,
      "three words for three invitations",
      `the words were ${all.join(", ")}`,
    );
    const number = all.find((word) => /^(0\.\d+|\d{1,17})$/.test(word));
    expectThat(
      number === undefined,
      "words that nobody can guess, such as those of secretWord()",
      `one was ${number}. Numbers from Math.random() or from a clock can be guessed`,
    );
    const short = all.find((word) => word.length < 16);
    expectThat(short === undefined, "words of 16 characters or more", `one was ${short}`);
    expectThat(
      differingIn(all) >= 16,
      "words of which 16 characters or more differ from one to the next",
      `the words were ${all.join(", ")}. Somebody who has one of them can guess the others`,
    );
    for (const n of [0, 2])
      await at(server, all[n] ?? "").enters(`a guest with number ${n + 1} of Ada's three invitations`);
    // Without a debugger the rest can't be checked: some computers don't allow one.
    if (!(await server.stopClock()) || !(await server.repeatRandom())) return expectQuiet();
    const one = await invite(server, ada);
    await server.repeatRandom();
    const other = await invite(server, ada);
    expectThat(
      differingIn([one, other]) >= 16,
      "words that nobody can work out from the time and from Math.random(). secretWord() makes such words",
      `one was ${one}. When Math.random() returned the same numbers again, in the same millisecond, the next one was ${other === one ? "the same" : other}`,
    );
  }),

  check("a guest comes in with an invitation, without a login", "Hint 2", async (server) => {
    const guest = at(server, await invite(server));
    const name = await guest.enters("a guest with a new invitation");
    expectThat(name === "Guest of Ada", 'the name "Guest of Ada" in welcome', `it was ${name}`);
    const { until = 0 } = guest.received[0] ?? {};
    expectThat(
      until > Date.now() + 120_000 && until < Date.now() + 700_000,
      '"until" in welcome to be that of Ada, about ten minutes from now. Only the invitation ends after a minute',
      `"until" is in ${Math.round((until - Date.now()) / 1_000)} s`,
    );
    const other = await at(server, await invite(server, logIn("Grace"))).enters(
      "a guest whom Grace has invited",
    );
    expectThat(
      other === "Guest of Grace",
      'the name "Guest of Grace" for a guest of Grace',
      `it was ${other}`,
    );
  }),

  check("a guest's messages carry the name Guest of Ada, too", "Hint 2", async (server) => {
    const guest = at(server, await invite(server));
    const ada = new Guest(server, "", logIn("Ada"));
    await guest.enters("a guest with a new invitation");
    await ada.enters("Ada, with her cookie,");
    guest.send({ type: "say", text: "Hello" });
    const said = await eventually(
      () => ada.received.find(({ type }) => type === "message"),
      "Ada to receive what her guest says",
      () => `none came. The last message to the guest was ${JSON.stringify(guest.received.at(-1))}`,
    );
    expectThat(
      said.from === "Guest of Ada",
      'the message to be from "Guest of Ada"',
      `it was from ${said.from}`,
    );
  }),

  check("an invitation works once", "Hint 2", async (server) => {
    const word = await invite(server);
    const guest = at(server, word);
    await guest.enters("a guest with a new invitation");
    await at(server, word).isRefused("a second guest with the same invitation");
    guest.leave();
    await eventually(
      () => guest.ended,
      "the server to answer the first guest's close frame",
      () => "the connection stays open",
    );
    await at(server, word).isRefused("a guest with an invitation whose guest has left again");
  }),

  check("of ten connections with one invitation, one gets in", "Hint 2", async (server) => {
    const word = await invite(server);
    const all = await Promise.all(Array.from({ length: 10 }, () => at(server, word).knock()));
    const inside = all.filter(({ outcome }) => outcome.startsWith("was let in")).length;
    expectThat(inside === 1, "one of ten connections, and no more, to be let in", `${inside} were`);
  }),

  check("an invitation that nobody has made is refused", "Hint 2", async (server) => {
    await invite(server);
    for (const word of ["made-up", "constructor", "__proto__", "toString", "undefined"])
      await at(server, word).isRefused(`a guest with the invitation "${word}"`);
  }),

  check("a made-up invitation is refused even with a cookie", "Hint 3", async (server) => {
    for (const word of ["made-up", ""])
      await at(server, word, logIn("Ada")).isRefused(`Ada, with her cookie and at /room?invitation=${word},`);
  }),

  check("inviting needs a login, and a reader may not invite", "Hint 1", async (server) => {
    await invite(server);
    for (const [who, headers, expected] of [
      ["a client without a cookie", {}, 401],
      ["a client whose cookie was made up", { Cookie: `${cookieName}=e30.x` }, 401],
      ["a reader", logIn("Radia", "reader"), 403],
    ] as const) {
      const { status } = await ask(server, headers);
      expectThat(
        status === expected,
        `${expected} as the answer to POST /invitation from ${who}`,
        `status ${status}`,
      );
    }
  }),

  check("a body without a time is refused", "Hint 1", async (server) => {
    await invite(server);
    for (const body of [{}, { seconds: 0 }, { seconds: "60" }, { seconds: 60, name: "Ada" }]) {
      const { status } = await ask(server, logIn("Ada"), body);
      expectThat(
        status === 422,
        `422 as the answer to POST /invitation with the body ${JSON.stringify(body)}`,
        `status ${status}`,
      );
    }
  }),

  check("an invitation lasts as long as the member asked for", "Hint 3", async (server) => {
    const ada = logIn("Ada");
    const [used, short, long] = [
      await invite(server, ada, 1),
      await invite(server, ada, 1),
      await invite(server, ada, 60),
    ];
    const began = performance.now();
    const answer = await ask(server, logIn("Grace", "member", 1));
    // This computer was so busy that her session was over before the server could answer.
    if (performance.now() - began > 900) await cannotTell();
    const orphan = (await answer.json()).invitation;
    const inside = at(server, used);
    await inside.enters("a guest who comes immediately, with an invitation for 1 second");
    await pause(1_200);
    await at(server, short).isRefused("a guest who comes 1.2 seconds later with an invitation for 1 second");
    await at(server, long).enters("a guest who comes 1.2 seconds later with an invitation for 60 seconds");
    await at(server, orphan).isRefused(
      "a guest of Grace, whose session has expired since she made the invitation for 60 seconds,",
    );
    // Now: on a busy computer, its close frame may come later than after 1.2 seconds.
    expectThat(
      inside.ended === undefined,
      "a guest who came in with an invitation for 1 second to stay: only the word expires",
      `after 1.2 seconds, it was closed with ${inside.ended}`,
    );
  }),

  check("a logout ends the invitations of that session", "Hint 3", async (server) => {
    const [ada, grace] = [logIn("Ada"), logIn("Grace")];
    const [hers, other] = [await invite(server, ada), await invite(server, grace)];
    await request(server, "/logout", { method: "POST", headers: ada });
    await at(server, hers).isRefused("a guest with the invitation of somebody who has logged out");
    await at(server, other).enters("a guest of Grace, who is still logged in,");
  }),

  check("a logout closes the guests of that session within a second", "Hint 3", async (server) => {
    const ada = logIn("Ada");
    const other = at(server, await invite(server, logIn("Grace")));
    await other.enters("a guest of Grace");
    const guest = at(server, await invite(server, ada));
    await guest.enters("a guest with a new invitation");
    const began = performance.now();
    await request(server, "/logout", { method: "POST", headers: ada });
    await eventually(
      () => guest.ended,
      "the server to close a guest's connection when Ada has logged out",
      () => "it stayed open",
      2_000,
    );
    const tookMs = performance.now() - began;
    const ended = guest.ended ?? "";
    expectThat(ended.startsWith("4401"), "the guest to be closed with 4401", `it was closed with ${ended}`);
    await expectWithin(
      1_500,
      tookMs,
      "the server to do so within a second",
      `it took ${withCommas(Math.round(tookMs))} ms`,
    );
    other.send({ type: "beat" });
    await eventually(
      () => other.ended || other.received.some(({ type }) => type === "beat"),
      "a guest of Grace to receive the answer to a beat",
      () => "none came",
    );
    expectThat(
      other.ended === undefined,
      "a guest of Grace, who is still logged in, to stay when Ada logs out",
      `it was closed with ${other.ended}`,
    );
  }),

  check("a foreign page can't come in, and uses up no invitation", "Hint 3", async (server) => {
    const word = await invite(server);
    const foreign = await at(server, word, { Origin: "https://evil.example" }).knock();
    expectThat(
      foreign.ended === "status 403",
      "a handshake with a foreign Origin to get 403",
      `it ${foreign.outcome}`,
    );
    for (const headers of [{ Origin: "https://evil.example" }, {}] as Headers[])
      await new Guest(server, `?invitation=${word}`, headers, "/naive").isRefused(
        "a guest at /naive, where nobody checks the Origin,",
      );
    await at(server, word).enters("the guest, after that,");
  }),

  check("tickets and cookies open the room as before", "Exercise", async (server) => {
    const ada = logIn("Ada");
    const newTicket = async () =>
      (await (await request(server, "/ticket", { method: "POST", headers: ada })).json()).ticket;
    const ticket = await newTicket();
    for (const [query, headers] of [
      ["", ada],
      [`?ticket=${ticket}`, {}],
    ] as const) {
      const name = await new Guest(server, query, headers).enters(`Ada, at /room${query && "?ticket=…"},`);
      expectThat(name === "Ada", "Ada to be let in under her own name", `she was let in as ${name}`);
    }
    // Whoever's cookie comes along, the ticket counts.
    const first = { type: "ticket", ticket: await newTicket() };
    const late = new Guest(server, "?ticket=", logIn("Grace"));
    late.sendFirst(first);
    const name = await late.enters("Ada, at /room?ticket= and with a ticket as her first message,");
    expectThat(name === "Ada", "the ticket to decide who she is, not a cookie", `she was let in as ${name}`);
    const word = await invite(server, ada);
    await new Guest(server, `?ticket=${word}`).isRefused("somebody with an invitation in place of a ticket");
    // A signed invitation is a session, too, and would open this door as often as anybody likes.
    await new Guest(server, `?token=${word}`, {}, "/naive").isRefused(
      "somebody with an invitation in place of a token, at /naive,",
    );
  }),

  fasterCheck("an invitation that was used or has expired is forgotten", "Hint 3", async (server) => {
    const ada = logIn("Ada");
    await expectForgotten(
      server,
      async () => {
        await invite(server, ada, 1); // nobody uses this one
        const guest = await at(server, await invite(server, ada, 1)).knock();
        guest.leave();
        await eventually(
          () => guest.ended,
          "the server to answer a guest's close frame",
          () => "the connection stays open",
        );
      },
      "the server to forget invitations that were used, or that have expired",
      "Remove them from your Map, including those that nobody uses",
      { untilForgotten: () => pause(250) },
    );
  }),
];

/** @returns always an object: a check may look at any field */
function parse(text: string): Message {
  try {
    const value = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {}
  return { type: "not a JSON object", text };
}
