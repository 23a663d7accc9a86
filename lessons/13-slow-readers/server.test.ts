// Tests of lesson 13's server: what a slow reader costs, what each answer does, and that nobody else waits for it.
import { once } from "node:events";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { atEnd } from "../../shared/machinery/testing/clean-up.ts";
import { everySocketServer } from "../../shared/machinery/testing/every-server.ts";
import {
  Client,
  type LessonServer,
  type Received,
  rawWebSocket,
  startServer,
  until,
} from "../../shared/machinery/testing/lesson.ts";
import { runNode } from "../../shared/machinery/testing/process.ts";
import { everyQuote, symbols } from "./market.ts";
import { Reader } from "./reader.ts";
import { Readers } from "./readers.ts";

// Of 200 quotes a second nobody needs more than a few here.
const few = { type: "join", care: "less" };

everySocketServer(
  "13-slow-readers",
  async (client) => {
    client.send({ ...few, name: "Guest" });
    await client.receives("welcome");
  },
  {
    say: (text) => ({ ...few, name: text }),
    type: "here",
    // A name that another client still has is marked: "Guest (2)".
    has: ({ name = "" }, text) => name.replace(/ \(\d+\)$/, "") === text,
  },
);

let server: LessonServer;
/** The same market with ten times as many quotes, so that buffers fill ten times as fast. */
let fast: LessonServer;
beforeAll(async () => {
  server = await startServer("13-slow-readers");
  fast = await startServer("13-slow-readers", { PER_SECOND: "2000" });
});

type Quote = { id: number; symbol: string; price: number; at: number; bids?: object[]; asks?: object[] };

/** A reader that reads everything, and acknowledges what it has read when it is told to. */
class Guest {
  readonly client: Client;
  bytes = 0;
  /** Whether it acknowledges each message. */
  isReading = true;

  private constructor(client: Client) {
    this.client = client;
    client.socket.on("message", (data: Buffer) => {
      if (/^{"type":"(beat|refused)"/.test(data.toString())) return;
      this.bytes += data.length;
      if (this.isReading) this.acknowledge();
    });
  }

  static async join(port: number, wishes: object = {}, isReading = true): Promise<Guest> {
    const guest = new Guest(await Client.open(port));
    guest.isReading = isReading;
    guest.client.send({ type: "join", name: "Guest", ...wishes });
    await guest.client.receives("welcome");
    return guest;
  }

  acknowledge() {
    this.client.send({ type: "read", bytes: this.bytes });
  }

  get quotes(): Quote[] {
    return this.client.received.flatMap((one: Received) =>
      one.type === "quote" ? [one] : one.type === "replay" ? one.messages : [],
    );
  }

  get ids(): number[] {
    return this.quotes.map(({ id }) => id);
  }

  /** Waits for that many more quotes. */
  async more(count: number): Promise<void> {
    const before = this.quotes.length;
    await until(() => this.quotes.length >= before + count);
  }

  /** When a beat comes back, all that was sent before it has arrived. */
  async settle(): Promise<void> {
    const beats = () => this.client.received.filter(({ type }) => type === "beat").length;
    const before = beats();
    this.client.send({ type: "beat" });
    await until(() => beats() > before);
  }

  leave() {
    this.client.socket.terminate();
  }
}

const isWhole = (ids: number[]) => ids.every((id, n) => n === 0 || id === (ids[n - 1] ?? 0) + 1);

/** What the server says of its readers. */
const report = async ({ url }: LessonServer) => (await fetch(`${url}/readers`)).json() as Promise<Received>;
const reportOn = async (server: LessonServer, name: string) =>
  (await report(server)).readers.find((reader: { name: string }) => reader.name === name);

/** A text as a client sends it, masked with a key of zeros. */
const frame = (text: string, first = 0x81) =>
  Buffer.concat([Buffer.from([first, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);

/** Somebody who joins and then reads nothing anymore. */
async function sleeper(port: number, name: string, care: string) {
  const socket = await rawWebSocket(port);
  socket.write(frame(JSON.stringify({ type: "join", name, care })));
  socket.pause();
  atEnd(() => socket.destroy());
  return socket;
}

describe("a reader that keeps up", () => {
  test.each(["keep", "disconnect", "oldest", "latest", "adapt"])(
    "gets quotes with order books: %s",
    async (care) => {
      const guest = await Guest.join(server.port, { care });
      await guest.more(100);
      if (care !== "latest") expect(isWhole(guest.ids)).toBe(true);
      for (const { price, bids, asks } of guest.quotes)
        expect([price > 0, bids?.length, asks?.length]).toEqual([true, 20, 20]);
      guest.leave();
    },
  );

  test("gets about 200 a second", async () => {
    const guest = await Guest.join(server.port);
    await guest.more(300);
    const [first, last] = [guest.quotes[0] as Quote, guest.quotes.at(-1) as Quote];
    const perSecond = (last.id - first.id) / ((last.at - first.at) / 1_000);
    expect(perSecond).toBeGreaterThan(100);
    expect(perSecond).toBeLessThan(250);
    guest.leave();
  });
});

describe("a slow reader", () => {
  test("for which everything is kept fills the system's buffers first, then the server; the others don't notice", async () => {
    const other = await Guest.join(fast.port, { care: "less" });
    /** The time that three quarters of forty answers need at most. */
    const answersMs = async () => {
      const answers: number[] = [];
      for (let n = 0; n < 40; n++) {
        const asked = performance.now();
        other.client.send({ type: "beat" });
        // Not with `once`: a quote and the beat may arrive together, and `once` would see only the first.
        await new Promise<void>((resolve) => {
          other.client.socket.on("message", function seek(data) {
            if (!/"beat"/.test(String(data))) return;
            other.client.socket.off("message", seek);
            resolve();
          });
        });
        answers.push(performance.now() - asked);
      }
      return answers.toSorted((one, other) => one - other)[30] as number;
    };
    // On a busy computer answers are late anyway.
    const alone = await answersMs();
    const sleeping = await sleeper(fast.port, "Hedy", "keep");
    await until(async () => (await reportOn(fast, "Hedy"))?.kept > 1_000_000);
    expect((await reportOn(fast, "Hedy")).onTheWay).toBeGreaterThan(0);
    expect(await answersMs()).toBeLessThan(alone + 250);
    expect((await reportOn(fast, "Hedy")).kept).toBeGreaterThan(1_000_000);
    other.leave();
    sleeping.destroy();
  });

  test("that leaves gets no time to read what it has left", async () => {
    const socket = await sleeper(fast.port, "Alan", "keep");
    await until(async () => (await reportOn(fast, "Alan"))?.kept > 100_000);
    socket.write(frame("\x03\xe8", 0x88));
    // The closing handshake would wait half a minute for it.
    await until(async () => !(await reportOn(fast, "Alan")), 10_000);
  });

  test("is disconnected above 1 MiB, by what the server still has", async () => {
    const { ended } = await report(fast);
    const socket = await sleeper(fast.port, "Radia", "disconnect");
    // `once` would reject: the server resets a connection whose bytes nobody reads.
    const closed = new Promise((resolve) => socket.on("close", resolve));
    await until(() => reportOn(fast, "Radia"));
    await until(async () => !(await reportOn(fast, "Radia")));
    expect((await report(fast)).ended).toBe(ended + 1);
    socket.resume();
    await closed;
  });

  test("is disconnected above 1 MiB that it hasn't acknowledged, and comes back without a gap", async () => {
    const guest = await Guest.join(fast.port, { care: "disconnect", by: "read" }, false);
    expect((await guest.client.closed).code).toBe(1006);
    expect(guest.bytes).toBeGreaterThan(900_000);
    const { log } = await guest.client.receives("welcome");
    const after = guest.ids.at(-1) ?? 0;
    const again = await Guest.join(fast.port, { care: "disconnect", by: "read", after, log });
    await again.client.receives("quote");
    await again.more(50);
    expect(again.ids[0]).toBe(after + 1);
    expect(isWhole(again.ids)).toBe(true);
    // The missed quotes come without the order books.
    const [replayed] = again.client.received.find(({ type }) => type === "replay").messages;
    expect(Object.keys(replayed).sort()).toEqual(["at", "id", "price", "symbol"]);
    again.leave();
  });

  test("gets a declared gap when it was away for longer than the log goes back", async () => {
    const guest = await Guest.join(fast.port, { care: "disconnect", after: 1, log: "another" });
    expect(await guest.client.receives("replay")).toMatchObject({ reset: true });
    guest.leave();
  });

  test("that drops the oldest gets the last hundred when it reads again", async () => {
    const guest = await Guest.join(server.port, { name: "Grace", care: "oldest", by: "read" }, false);
    await until(async () => (await reportOn(server, "Grace")).leftOut > 50);
    await guest.settle();
    const before = guest.ids;
    expect(isWhole(before)).toBe(true);
    expect(guest.bytes).toBeLessThan(20_000);
    guest.isReading = true;
    guest.acknowledge();
    await guest.more(150);
    const { leftOut } = await reportOn(server, "Grace");
    const gap = (guest.ids[before.length] ?? 0) - (before.at(-1) ?? 0) - 1;
    expect(gap).toBeGreaterThan(50);
    // On a busy computer it may have been slow again since then.
    expect(gap).toBeLessThanOrEqual(leftOut);
    const after = guest.ids.slice(before.length, before.length + 10);
    expect(isWhole(after)).toBe(true);
    guest.leave();
  });

  test("that gets only the latest has the newest quote of each symbol, once, when it reads again", async () => {
    const guest = await Guest.join(server.port, { name: "Tim", care: "latest", by: "read" }, false);
    await until(async () => (await reportOn(server, "Tim")).leftOut > 300);
    await guest.settle();
    expect(guest.bytes).toBeLessThan(20_000);
    const before = guest.quotes.length;
    const slow = Math.max(...guest.ids);
    const other = await Guest.join(server.port);
    await other.more(1);
    guest.acknowledge();
    await guest.more(symbols.length);
    const next = guest.quotes.slice(before, before + symbols.length);
    expect(next.map(({ symbol }) => symbol).toSorted()).toEqual(symbols);
    for (const { id } of next) expect(id).toBeGreaterThan(slow + 100);
    guest.leave();
    other.leave();
  });

  test.each(["oldest", "latest", "less"])("gets an event immediately, whatever waits: %s", async (care) => {
    const guest = await Guest.join(server.port, { care, by: "read" }, false);
    await until(async () => guest.bytes > (care === "less" ? 0 : 16_000));
    const other = await Guest.join(server.port, { ...few, name: `Barbara ${care}` });
    await guest.client.receives("here", ({ name }) => name === `Barbara ${care}`);
    other.leave();
    await guest.client.receives("here", ({ name, id }) => !name && id > 0);
    guest.leave();
  });
});

test("a reader that asks for less gets that many prices a second, each symbol in turn, without order books", async () => {
  const guest = await Guest.join(server.port, { care: "less", perSecond: 20 });
  await guest.more(41);
  const quotes = guest.quotes;
  const seconds = ((quotes.at(-1)?.at ?? 0) - (quotes[0]?.at ?? 0)) / 1_000;
  expect(seconds).toBeGreaterThan(1.5);
  expect(new Set(quotes.slice(-symbols.length * 2).map(({ symbol }) => symbol)).size).toBe(symbols.length);
  expect(quotes.every(({ bids }) => bids === undefined)).toBe(true);
  guest.leave();
});

test("unread bytes can be seen: in the server, and on the way", async () => {
  const guest = await Guest.join(server.port, { name: "Vint" }, false);
  await guest.more(100);
  expect(await reportOn(server, "Vint")).toMatchObject({ care: "keep", kept: 0, leftOut: 0 });
  expect((await reportOn(server, "Vint")).onTheWay).toBeGreaterThan(100_000);
  guest.isReading = true;
  guest.acknowledge();
  await until(async () => (await reportOn(server, "Vint")).onTheWay < 50_000);
  guest.leave();
});

describe("the heartbeat", () => {
  let eager: LessonServer;
  beforeAll(async () => {
    // A reader that says something every 50 ms is late by a second only if this computer is.
    eager = await startServer("13-slow-readers", { PING_EVERY_MS: "300", GRACE_MS: "1000" });
  });

  test("terminates a reader that has fallen silent", async () => {
    const socket = await rawWebSocket(eager.port);
    socket.write(frame(JSON.stringify({ ...few, name: "Silent" })));
    socket.resume();
    await once(socket, "close");
  });

  test("spares a reader that acknowledges, however late its pong is", async () => {
    const socket = await rawWebSocket(eager.port); // it answers no ping
    const acknowledgement = (bytes: number) => frame(`{"type":"read","bytes":${bytes}}`);
    socket.write(Buffer.concat([frame(JSON.stringify({ ...few, name: "Slow" })), acknowledgement(1)]));
    let pings = 0;
    socket.on("data", (bytes) => {
      if (bytes.includes(Buffer.from([0x89, 0]))) pings++;
    });
    const witness = await rawWebSocket(eager.port);
    let said = 1;
    const reading = setInterval(() => socket.write(acknowledgement(++said)), 50);
    witness.resume();
    await once(witness, "close");
    expect((await reportOn(eager, "Slow")).name).toBe("Slow");
    expect(pings).toBe(0);
    clearInterval(reading);
    socket.destroy();
  });
});

test("all readers together leave at most 32 MiB: then the slowest is disconnected, and nobody else", async () => {
  const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  atEnd(() => sockets.close());
  await once(sockets, "listening");
  const { port } = sockets.address() as { port: number };
  const readers = new Readers();
  const join = async (id: number) => {
    const accepted = once(sockets, "connection");
    const socket = await rawWebSocket(port);
    socket.pause();
    atEnd(() => socket.destroy());
    const [client, request] = await accepted;
    const reader = new Reader(client, request.socket, id);
    readers.add(reader);
    return { reader, closed: once(client, "close") };
  };
  const [one, other] = [await join(1), await join(2)];
  const chunk = Buffer.alloc(1024 * 1024);
  for (const { reader } of [one, other]) while (reader.kept < 14 * chunk.length) reader.send(chunk);
  readers.boundTogether();
  expect(readers.size).toBe(2);
  while (other.reader.kept < 19 * chunk.length) other.reader.send(chunk);
  readers.boundTogether();
  expect([...readers]).toEqual([one.reader]);
  expect(readers.report()).toMatchObject({ ended: 1, readers: [{ id: 1 }] });
  await other.closed;
  one.reader.end();
  await one.closed;
});

test("after a pause the stream makes up for a second of quotes, in several turns of the event loop", () => {
  vi.useFakeTimers({ toFake: ["setInterval"] });
  const clock = vi.spyOn(performance, "now").mockReturnValue(0);
  let taken = 0;
  everyQuote(() => taken++);
  clock.mockReturnValue(3_000);
  const afterEach = Array.from({ length: 12 }, () => {
    vi.advanceTimersToNextTimer();
    return taken;
  });
  vi.useRealTimers();
  clock.mockRestore();
  expect(afterEach[0]).toBe(20);
  expect(afterEach.at(-1)).toBe(200);
});

test("a limited number of readers may join, and another one when one of them has left", async () => {
  const { port } = await startServer("13-slow-readers", { MAX_READERS: "2" });
  const join = async () => {
    const client = await Client.open(port);
    client.send({ type: "join", name: "Radia", care: "less" });
    const isIn = client.receives("welcome").then(() => true);
    return { client, isIn: await Promise.race([isIn, client.closed.then(() => false)]) };
  };
  const [one, two, three] = [await join(), await join(), await join()];
  expect([one.isIn, two.isIn, three.isIn]).toEqual([true, true, false]);
  expect(await three.client.closed).toEqual({ code: 1013, reason: "2 readers are here already" });
  two.client.send({ type: "join", name: "Tim", care: "less" }); // changes its mind
  await one.client.receives("here", ({ name }) => name === "Tim");
  one.client.socket.close();
  await two.client.receives("here", ({ name }) => name === undefined);
  const four = await join();
  expect(four.isIn).toBe(true);
  for (const { client } of [two, four]) client.socket.terminate();
});

describe("bad input:", () => {
  test.each([
    [{ type: "join", name: "Ada", care: "constructor" }, /^care: must be keep, disconnect, .* or adapt/],
    [{ type: "join", name: "Ada", by: "me" }, /^by: must be buffered or read/],
    [{ type: "join", name: "Ada", perSecond: 0 }, /^perSecond: must be a whole number from 1 to 50/],
    [{ type: "join", name: "Ada", perSecond: 1e9 }, /^perSecond: must be/],
    [{ type: "join", name: "Ada", after: -1 }, /^after: must be a whole number, 0 or more/],
    [{ type: "join", name: "Ada", log: "../x" }, /^log: must be 1 to 40 letters and digits/],
    [{ type: "join", name: "Server" }, /^name: is reserved/],
    [{ type: "read" }, /^bytes: is missing/],
    [{ type: "read", bytes: 0.5 }, /^bytes: must be a whole number, 0 or more/],
    [{ type: "read", bytes: 1, id: 1 }, /^id: unknown field/],
    [{ type: "say", from: "Ada", text: "Hello" }, /^type: must be one of join, read, beat/],
  ])("%j is refused in words, and the connection stays", async (message, reason) => {
    const guest = await Guest.join(server.port, few);
    guest.client.send(message);
    expect((await guest.client.receives("refused")).reason).toMatch(reason);
    await guest.settle();
    guest.leave();
  });

  test("a client that hasn't joined is asked to, and gets nothing", async () => {
    const stranger = await Client.open(server.port);
    stranger.send({ type: "read", bytes: 1 });
    expect((await stranger.receives("refused")).reason).toMatch(/^type: must be one of join, beat/);
    expect(stranger.received.some(({ type }) => type === "quote")).toBe(false);
    stranger.socket.close();
  });

  test("5,000 acknowledgements together are accepted: a reader that catches up sends as many", async () => {
    const guest = await Guest.join(server.port, { name: "Radia", care: "less" }, false);
    for (let n = 1; n <= 5_000; n++) guest.client.send({ type: "read", bytes: n });
    await guest.settle();
    expect(guest.client.received.filter(({ type }) => type === "refused")).toEqual([]);
    guest.leave();
  });

  test("thousands of joins together are not", async () => {
    const guest = await Guest.join(server.port, { name: "Mallory", care: "less" }, false);
    for (let n = 1; n <= 5_000; n++) guest.client.send({ ...few, name: "Mallory" });
    const { reason } = await guest.client.receives("refused");
    expect(reason).toBe("Too many messages: send at most 200 a second.");
    guest.leave();
  });

  test("an acknowledgement of more than was sent counts as all of it, and none is taken back", async () => {
    const guest = await Guest.join(server.port, { name: "Leslie", care: "less" }, false);
    guest.client.send({ type: "read", bytes: 1e12 });
    guest.client.send({ type: "read", bytes: 0 });
    await guest.settle();
    const { onTheWay } = await reportOn(server, "Leslie");
    expect(onTheWay).toBeGreaterThanOrEqual(0);
    expect(onTheWay).toBeLessThan(1_000);
    guest.leave();
  });
});

test("a reader that is disconnected while its connection ends is closed, too", async () => {
  const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  atEnd(() => sockets.close());
  await once(sockets, "listening");
  const { port } = sockets.address() as { port: number };
  const [[client, { socket }], page] = await Promise.all([once(sockets, "connection"), rawWebSocket(port)]);
  const reader = new Reader(client, socket, 1);
  const closed = once(client, "close");
  socket.end();
  reader.end();
  await closed;
  page.destroy();
});

describe("what `send` tells:", () => {
  /** Each line that the program prints, by what stands before its colon. */
  const told = new Map<string, string>();
  beforeAll(async () => {
    const program = runNode(["lessons/13-slow-readers/what-send-tells.ts"]);
    expect(await program.ended).toBe(0);
    for (const line of program.output().split("\n")) {
      const [, what = "", result = ""] = line.match(/^(.+?): +(.*)$/) ?? [];
      told.set(what, result);
    }
  });

  test.each([
    ["send before open", /^caught: WebSocket is not open: readyState 0/],
    ["callback of a client that reads nothing", /^no error$/],
    ["bytes that the system has taken", /^\d+\.\d MB$/],
    ["await all callbacks", /^not after 1 s/],
    ["callbacks of what waited, after a reset", /ECONN|EPIPE|destroyed/],
    ["send after close, with a callback", /^WebSocket is not open: readyState [23]/],
    ["send after close, without one", /^nothing was thrown$/],
    ["send of something that isn't data", /^caught: The first argument must be/],
    ["send to somebody who has just gone", /^nothing was thrown$/],
  ])("%s", (what, result) => {
    expect(told.get(what)).toMatch(result);
  });
});
