// Exercise 13, Adapt: a quick reader gets every quote, a slow one only the latest of each symbol, until it has caught up.
import {
  cannotTell,
  check,
  eventually,
  expectForgotten,
  expectThat,
  longCheck,
} from "../../shared/machinery/checks/checks.ts";
import { Client } from "../../shared/machinery/checks/client.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";
import { expectQuiet } from "../../shared/machinery/checks/time.ts";
import { symbols } from "./market.ts";

type Quote = { type: string; id: number; symbol: string; bids?: object[] };
const kB = 1024;

/**
 * Somebody who has joined. The client reads everything and acknowledges nothing: with `"by":"read"`, that makes it a
 * slow reader, without waiting for the system's buffers to fill.
 */
class Reader {
  readonly client: Client;
  #join: object;

  private constructor(client: Client, join: object) {
    this.client = client;
    this.#join = join;
  }

  static async join(server: LessonServer, name: string, wishes: object = {}): Promise<Reader> {
    const client = await Client.connect(server, name);
    const join = { type: "join", name, care: "adapt", ...wishes };
    client.send(join);
    await client.receives("welcome");
    return new Reader(client, join);
  }

  /** The same reader, with other wishes. */
  async joinAgain(wishes: object): Promise<void> {
    this.wish(wishes);
    await this.client.isUpToDate();
  }

  wish(wishes: object): void {
    this.#join = { ...this.#join, ...wishes };
    this.client.send(this.#join);
  }

  get quotes(): Quote[] {
    return this.client.received.filter(({ type }) => type === "quote");
  }

  #counted = { messages: 0, bytes: 0 };

  /** Bytes of all messages, as the server counts them. */
  get bytes(): number {
    const { received } = this.client;
    for (; this.#counted.messages < received.length; this.#counted.messages++) {
      const message = received[this.#counted.messages];
      if (message.type !== "beat" && message.type !== "refused")
        this.#counted.bytes += Buffer.byteLength(JSON.stringify(message));
    }
    return this.#counted.bytes;
  }

  /** Says that it has read everything, except for the last bytes. */
  acknowledge(except = 0): void {
    this.client.send({ type: "read", bytes: this.bytes - except });
  }

  /** The number of the last quote that has come. */
  get lastId(): number {
    return this.quotes.at(-1)?.id ?? 0;
  }

  /** Does `join`, which the server announces to everybody, and waits for the first quote after that. */
  quoteAfterJoin(join: () => void): Promise<Quote> {
    const { received } = this.client;
    const from = received.length;
    join();
    return eventually(
      () => {
        const announced = received.findIndex(({ type }, n) => n >= from && type === "here");
        return announced >= 0 && received.slice(announced).find(({ type }) => type === "quote");
      },
      `${this.client.name} to receive a quote after somebody has joined again`,
      () => this.client.describe(),
      2_000,
    );
  }

  /** Waits until `count` quotes have come since `from`. `why`: the reason, for the message when they don't. */
  async more(count: number, from = this.quotes.length, why = ""): Promise<Quote[]> {
    await eventually(
      () => this.quotes.length >= from + count,
      `${this.client.name} to receive ${count} more quotes${why}`,
      () => {
        const refused = this.client.received.find(({ type }) => type === "refused");
        return `${this.quotes.length - from} came${refused ? `, and ${JSON.stringify(refused)}` : ""}`;
      },
      3_000,
    );
    return this.quotes.slice(from);
  }
}

/** A reader that acknowledges nothing, and somebody who gets everything meanwhile. */
async function slowAndWitness(server: LessonServer) {
  const slow = await Reader.join(server, "Grace", { by: "read" });
  const witness = await Reader.join(server, "Ada", { care: "keep" });
  await witness.more(100);
  await slow.client.isUpToDate();
  return { slow, witness };
}

function expectWhole(quotes: Quote[], who: string, why: string) {
  const at = quotes.findIndex(({ id }, n) => n > 0 && id !== (quotes[n - 1]?.id ?? 0) + 1);
  expectThat(
    at < 0,
    `${who} to receive every quote. ${why}`,
    `quote ${quotes[at - 1]?.id} was followed by quote ${quotes[at]?.id}`,
  );
}

/** @throws {CheckFailed} when far more was sent than a slow reader may leave unread */
function expectSlow({ client, bytes }: Reader, why: string) {
  expectThat(
    bytes < 80 * kB,
    `at most about 64 KiB to ${client.name}. ${why}`,
    `${Math.round(bytes / kB)} KiB were sent`,
  );
}

export const checks = [
  longCheck("a reader that leaves more than 64 KiB unread gets nothing more", "Hint 1", async (server) => {
    const alan = await Reader.join(server, "Alan", { by: "buffered" });
    const canHoldBack = await server.holdBack(alan.client.port);
    const { slow, witness } = await slowAndWitness(server);
    expectSlow(slow, "She has acknowledged nothing, and her join says that acknowledgements count");
    // Without a debugger the rest can't be checked: some computers don't allow one.
    if (!canHoldBack) return expectQuiet();
    const { lastId } = witness;
    await server.holdBack(alan.client.port, "again");
    await alan.client.isUpToDate();
    // He has got what came before he was held back, then 64 KiB, and the latest of each symbol when he read again.
    const sent = alan.quotes.filter(({ id }) => id <= lastId);
    const all = lastId - (sent[0]?.id ?? 0) + 1;
    expectThat(
      sent.length < all - 10,
      "at most about 64 KiB to Alan, which are 56 quotes. He had stopped reading, and his join says that bufferedAmount counts",
      `${sent.length} of ${all} quotes were sent to him`,
    );
  }),

  check("a reader that keeps up gets every quote", "Hint 1", async (server) => {
    const quick = await Reader.join(server, "Ada", { by: "buffered" });
    expectWhole(await quick.more(100), "Ada", "She leaves nothing unread");
  }),

  check(
    "the first 64 KiB come without gaps: until then a reader counts as quick",
    "Hint 1",
    async (server) => {
      const { slow } = await slowAndWitness(server);
      const first = slow.quotes.slice(0, 45);
      expectThat(
        first.length === 45,
        "at least 45 quotes to Grace, which are less than 64 KiB",
        `${first.length} came`,
      );
      expectWhole(first, "Grace", "She had less than 64 KiB unread");
    },
  ),

  check(
    "when a slow reader reads again, it gets the latest quote of each symbol",
    "Hint 2",
    async (server) => {
      const { slow, witness } = await slowAndWitness(server);
      await witness.client.isUpToDate();
      const latest = new Map(witness.quotes.map(({ symbol, id }) => [symbol, id]));
      const before = slow.quotes.length;
      slow.acknowledge(4 * kB); // there is room for all of them
      const next = (await slow.more(symbols.length, before)).slice(0, symbols.length);
      const missing = symbols.filter((symbol) => !next.some((quote) => quote.symbol === symbol));
      expectThat(
        missing.length === 0,
        "the next eight quotes to be one of each symbol",
        `missing: ${missing.join(", ")}. She received ${next.map(({ symbol }) => symbol).join(", ")}`,
      );
      const old = next.find(({ symbol, id }) => id < (latest.get(symbol) ?? 0));
      expectThat(
        old === undefined,
        "the latest quote of each symbol to Grace, when she reads again",
        `she received quote ${old?.id} of ${old?.symbol}, and Ada already had ${latest.get(old?.symbol ?? "")}`,
      );
      const brief = next.find(({ bids }) => !bids);
      expectThat(
        brief === undefined,
        'each quote with "bids" and "asks", as before',
        `she received ${JSON.stringify(brief)}`,
      );
    },
  ),

  longCheck("the quote that makes a reader slow isn't lost", "Hint 2", async (server) => {
    const grace = await Reader.join(server, "Grace", { by: "buffered" });
    const ada = await Reader.join(server, "Ada", { care: "keep" });
    await grace.more(57, 0); // more than 64 KiB, and she acknowledges nothing
    const from = ada.quotes[0]?.id ?? 0;
    let proofs = 0;
    for (let n = 1; n <= 60 && proofs < 2; n++) {
      // Now what she hasn't acknowledged counts, for a quote or two. Then nothing is unread anymore.
      const decisive = await ada.quoteAfterJoin(() => grace.wish({ by: "read" }));
      await ada.quoteAfterJoin(() => grace.wish({ by: "buffered" }));
      await grace.client.isUpToDate();
      const received = new Set(grace.quotes.map(({ id }) => id));
      const newest = Math.max(...received);
      await eventually(
        () => ada.lastId >= newest,
        `Ada, who has asked for "keep", to receive quote ${newest}`,
        () => `the last one that came was ${ada.lastId}`,
      );
      const all = ada.quotes.filter(({ id }) => id >= from && id <= newest);
      const isReplaced = ({ id, symbol }: Quote) =>
        all.some((newer) => newer.symbol === symbol && newer.id > id);
      // This one made her slow. If it were lost, a newer one of the same symbol would hide that.
      if (!isReplaced(decisive)) proofs++;
      // Only a newer quote of the same symbol may replace one that waits.
      const lost = all.find((quote) => !received.has(quote.id) && !isReplaced(quote));
      expectThat(
        lost === undefined,
        `Grace to receive quote ${lost?.id}: nothing is unread, and there is no newer quote of ${lost?.symbol}`,
        `she received quote ${newest}, and never ${lost?.id}. The quote that makes a reader slow must wait, too, and the reader stays slow until nothing waits`,
      );
    }
    if (proofs === 0) await cannotTell();
  }),

  longCheck("no quote comes after a newer one of the same symbol", "Hint 2", async (server) => {
    const { slow, witness } = await slowAndWitness(server);
    const rounds = 2;
    let missed = 0;
    for (let n = 0; n < rounds; n++) {
      // There is room for some of the quotes that wait, but not for all, so it hasn't caught up.
      slow.acknowledge(12 * kB);
      const [before, until, lastBefore] = [slow.bytes, witness.quotes.length + 60, witness.lastId];
      const isQuickTooEarly = () => slow.bytes > before + 52 * kB;
      await eventually(
        // A server that treats it as quick again sends 52 KiB, in about 44 quotes, and then nothing. After that, newer
        // quotes soon replace the waiting ones.
        () => (isQuickTooEarly() && witness.lastId > slow.lastId) || witness.quotes.length >= until,
        "Ada to receive 60 more quotes",
        () => `${witness.quotes.length - until + 60} came`,
        3_000,
      );
      // On a busy computer, Ada's quotes may be read before those of the slow one.
      if (!isQuickTooEarly()) await slow.client.isUpToDate();
      const [wasQuick, quotes, { lastId }] = [isQuickTooEarly(), slow.quotes.length, slow];
      slow.acknowledge();
      await slow.client.isUpToDate();
      // What waited comes too late if its symbol was sent since. On a busy computer, newer quotes may have replaced it all.
      const sent = new Set(slow.quotes.map(({ id }) => id));
      const overtaken = symbols.filter((symbol) => {
        const waited = witness.quotes.findLast((one) => one.symbol === symbol && one.id <= lastBefore);
        const wasSentSince = slow.quotes.some((one) => one.symbol === symbol && one.id > lastBefore);
        return waited && !sent.has(waited.id) && wasSentSince;
      });
      const isReplaced = (symbol: string) =>
        witness.quotes.some((one) => one.symbol === symbol && one.id > lastId);
      if (wasQuick && overtaken.length > 0 && overtaken.every(isReplaced)) missed++;
      await slow.more(10, quotes);
      if (n < rounds - 1) await witness.more(60);
      await slow.client.isUpToDate();
    }
    const newest = new Map<string, number>();
    for (const { symbol, id } of slow.quotes) {
      const before = newest.get(symbol) ?? 0;
      expectThat(
        id > before,
        "each quote to be newer than those of its symbol that came before",
        `quote ${id} of ${symbol} came after quote ${before}`,
      );
      newest.set(symbol, id);
    }
    if (missed === rounds) await cannotTell();
  }),

  longCheck(
    "a reader that has caught up gets every quote again, until it is slow again",
    "Hint 3",
    async (server) => {
      const { slow, witness } = await slowAndWitness(server);
      // There is room for all that waits. After that she has caught up, though some of it is unread.
      const before = slow.quotes.length;
      slow.acknowledge(4 * kB);
      const caughtUp = await slow.more(
        symbols.length + 20,
        before,
        ". Nothing waits for her, so she has caught up, though a few KiB are unread",
      );
      expectWhole(caughtUp.slice(symbols.length), "Grace", "She had caught up");
      // Nothing is unread anymore, whatever it acknowledges.
      await slow.joinAgain({ by: "buffered" });
      await slow.more(10);
      const read = slow.quotes.length;
      slow.acknowledge();
      // From now on it acknowledges nothing again. The server announces the join: that is where its bytes count again.
      await slow.joinAgain({ by: "read" });
      const { received } = slow.client;
      const join = received.findLastIndex(({ type }) => type === "here");
      const from = received.slice(0, join).filter(({ type }) => type === "quote").length;
      // This computer was so busy that many came in between.
      if (from - read > 15) await cannotTell();
      await witness.more(80);
      await slow.client.isUpToDate();
      const again = slow.quotes.slice(from, from + 35);
      expectThat(
        again.length === 35,
        "Grace to receive the next 64 KiB without gaps, since she had read everything",
        `she received only ${again.length} quotes`,
      );
      expectWhole(again, "Grace", "She had caught up, and then had less than 64 KiB unread");
    },
  ),

  longCheck("each reader is slow or quick by itself", "Hint 1", async (server) => {
    const { slow, witness } = await slowAndWitness(server);
    expectSlow(slow, "She has acknowledged nothing");
    const quick = await Reader.join(server, "Alan", { by: "read" });
    await witness.more(80);
    await quick.client.isUpToDate();
    const first = quick.quotes.slice(0, 45);
    expectThat(
      first.length === 45,
      "at least 45 quotes to Alan, who joined when Grace was slow",
      `${first.length} came`,
    );
    expectWhole(first, "Alan", "He has less than 64 KiB unread. Only Grace is slow");
  }),

  longCheck("a slow reader that leaves is forgotten", "Hint 3", async (server) => {
    const witness = await Reader.join(server, "Ada", { care: "keep" });
    await expectForgotten(
      server,
      async (n) => {
        const visitor = await Reader.join(server, `Visitor ${n}`, { by: "read" });
        // About 80 KiB: 64 are enough to make it slow.
        await witness.more(70);
        await visitor.client.leaves();
      },
      "the server to forget readers that were slow, and left",
      "Remove a reader from every Set and Map when it closes. A WeakSet does that by itself",
      // The log keeps prices, whoever reads them. And Node keeps a parser for each of 40 handshakes at the same time.
      { growsAnyway: ["Object", "objects in arrays", "HTTPParser", "Array"], atOnce: 40 },
    );
  }),

  longCheck("the other five choices work as before", "Exercise", async (server) => {
    // The lesson's own variable: 1 MiB would take four seconds here.
    const hasty = await server.startAnother({ PER_SECOND: "1000" });
    const leaver = await Reader.join(hasty, "Radia", { care: "disconnect", by: "read" });
    const latest = await Reader.join(server, "Edsger", { care: "latest", by: "read" });
    const keeper = await Reader.join(server, "Hedy", { care: "keep", by: "read" });
    const dropper = await Reader.join(server, "Tim", { care: "oldest", by: "read" });
    const saver = await Reader.join(server, "Leslie", { care: "less", by: "read" });
    const changing = await Reader.join(server, "Grace", { by: "read" });
    const joined = keeper.quotes.length;
    await keeper.more(120, 0, '. She has asked for "keep"');
    await keeper.more(80, joined, '. She has asked for "keep"'); // by then, Grace is slow as well
    expectWhole(keeper.quotes, "Hedy", 'She has asked for "keep"');
    await latest.client.isUpToDate();
    expectSlow(latest, 'He has asked for "latest", and has acknowledged nothing');
    await saver.client.isUpToDate();
    expectThat(
      saver.quotes.length < 30 && !saver.quotes.some(({ bids }) => bids),
      'a few quotes without "bids" to Leslie, who has asked for "less": 4 a second',
      `${saver.quotes.length} came, the last one ${saver.quotes.at(-1)?.bids ? "with" : "without"} "bids"`,
    );
    await changing.joinAgain({ care: "keep" });
    const kept = await changing.more(
      10,
      changing.quotes.length,
      '. She was slow, and has then asked for "keep"',
    );
    expectWhole(kept, "Grace", 'She was slow, and has then asked for "keep"');
    await dropper.client.isUpToDate();
    const before = dropper.quotes.length;
    dropper.acknowledge();
    const next = (await dropper.more(10, before, '. He has asked for "oldest"')).slice(0, 10);
    expectWhole(next, "Tim", 'He has asked for "oldest", and the last hundred waited for him');
    await eventually(
      () => leaver.client.closed,
      'the server to disconnect Radia, who has asked for "disconnect" and leaves more than 1 MiB unread',
      () => `${Math.round(leaver.bytes / kB)} KiB were sent, and she is still connected`,
      3_000,
    );
  }),
];
