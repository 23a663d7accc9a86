// Exercise 7, Fewer acknowledgements: the server sends one for everything that a page has sent in the last 50 ms.
import {
  cannotTell,
  check,
  eventually,
  expectForgotten,
  expectNoSilence,
  expectSoon,
  expectThat,
  longCheck,
  pause,
  slowerCheck,
} from "../../shared/machinery/checks/checks.ts";
import { Client } from "../../shared/machinery/checks/client.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";

/** Somebody who connects and resumes as `page`. */
async function comes(server: LessonServer, name: string, page: string): Promise<Client> {
  const person = await Client.connect(server, name);
  person.send({ type: "resume", after: 0, page });
  await person.receives("replay");
  return person;
}

/** Says the messages `first` to `last` of a page, one right after the other. */
function say(person: Client, page: string, first: number, last = first) {
  for (let n = first; n <= last; n++)
    person.send({ type: "say", id: `${page}-${n}`, from: person.name, text: `${n} of ${page}` });
}

const acks = (person: Client): string[] =>
  person.received.filter(({ type }) => type === "ack").map(({ id }) => String(id));

/** The highest count that was acknowledged. A page sends in order, so it covers all messages before. */
const covered = (person: Client) => Math.max(0, ...acks(person).map((id) => Number(id.split("-")[1])));

/** The times of the messages that somebody has received, by the server's clock. */
const timesOf = (person: Client): number[] =>
  person.received.filter(({ type }) => type === "message").map(({ at }) => at);

/** The times of the messages that a page sent, in one list for each acknowledgement. */
function timesByAck(person: Client): number[][] {
  const times = timesOf(person);
  const ends = acks(person).map((id) => Number(id.split("-")[1]));
  return ends.map((end, n) => times.slice(ends[n - 1] ?? 0, end)).filter(({ length }) => length > 0);
}

const list = (person: Client) =>
  acks(person).length > 0
    ? `the last ones that ${person.name} received were ${acks(person).slice(-4).join(", ")}`
    : "none came";

const isCovered = (person: Client, page: string, count: number, what: string) =>
  eventually(
    () => covered(person) >= count,
    `an acknowledgement of ${page}-${count} ${what}`,
    () => list(person),
  );

export const checks = [
  check("twenty messages in a row get at most three acknowledgements", "Hint 1", async (server) => {
    const ada = await comes(server, "Ada", "ada1");
    say(ada, "ada1", 1, 20);
    await isCovered(ada, "ada1", 20, "after ada1-1 to ada1-20 were sent");
    await pause(150);
    await ada.isUpToDate();
    const count = acks(ada).length;
    // On a busy computer they may not arrive together.
    const times = timesOf(ada);
    const allowed = 3 + Math.floor(((times.at(-1) ?? 0) - (times[0] ?? 0)) / 50);
    if (allowed > 10) await cannotTell();
    expectThat(
      count <= allowed,
      `at most ${allowed} acknowledgements for ada1-1 to ada1-20, sent together`,
      `${count} came`,
    );
  }),

  check("the last acknowledgement covers all twenty messages", "Hint 1", async (server) => {
    const ada = await comes(server, "Ada", "ada1");
    say(ada, "ada1", 1, 20);
    await isCovered(ada, "ada1", 20, "after ada1-1 to ada1-20 were sent");
  }),

  check("everyone still receives each of the twenty once", "Hint 1", async (server) => {
    const [ada, grace] = [await comes(server, "Ada", "ada1"), await comes(server, "Grace", "grace1")];
    say(ada, "ada1", 1, 20);
    await grace.receivesText("20 of ada1");
    const texts = grace.received.filter(({ type }) => type === "message").map(({ text }) => text);
    const expected = Array.from({ length: 20 }, (_, n) => `${n + 1} of ada1`);
    expectThat(
      JSON.stringify(texts) === JSON.stringify(expected),
      "Grace to receive 1 to 20, in order",
      `she received ${texts.length}: ${texts.join(", ")}`,
    );
  }),

  check("only the acknowledgement waits, not the message", "Exercise", async (server) => {
    const ada = await comes(server, "Ada", "ada1");
    // Several times: on a busy computer, a beat may reach the server long after the message.
    for (let n = 1; n <= 5; n++) {
      say(ada, "ada1", n);
      // The server answers a beat immediately. The message came before it, so it must be here, too.
      await ada.isUpToDate();
      expectThat(
        ada.hasReceived(`${n} of ada1`),
        "a message to be sent to everyone as soon as it arrives: before the answer to a beat that Ada sent after it",
        "the answer to the beat came first",
      );
    }
  }),

  slowerCheck("a message on its own is acknowledged within about 50 ms", "Hint 2", async (server) => {
    const ada = await comes(server, "Ada", "ada1");
    // The first message doesn't count: a timer that runs only once is enough for it.
    say(ada, "ada1", 1);
    await isCovered(ada, "ada1", 1, "after it was sent on its own");
    await expectSoon(
      400, // the timers are slower here, so 50 ms take 200
      async (n) => {
        await pause(300);
        return async () => {
          say(ada, "ada1", n + 1);
          await isCovered(ada, "ada1", n + 1, "after it was sent on its own");
        };
      },
      () => ada.isUpToDate(),
      "the acknowledgement about 50 ms after a message that is sent on its own",
      (bestMs) => `it came after ${bestMs} ms, with timers that were four times as slow`,
    );
  }),

  longCheck("a page that keeps talking gets acknowledgements before it stops", "Hint 2", async (server) => {
    const ada = await comes(server, "Ada", "ada1");
    for (let n = 1; n <= 100; n++) {
      say(ada, "ada1", n);
      await pause(10);
    }
    await isCovered(ada, "ada1", 100, "after ada1-1 to ada1-100 were sent, one every 10 ms");
    await expectNoSilence(
      400,
      10,
      timesByAck(ada),
      "an acknowledgement every 50 ms, while Ada says a hundred things, one every 10 ms",
      (longestMs) => `one of them came after ${longestMs} ms. The server waited for a moment of silence`,
    );
  }),

  check(
    "a page that talks more slowly also gets acknowledgements before it stops",
    "Hint 2",
    async (server) => {
      const ada = await comes(server, "Ada", "ada1");
      for (let n = 1; n < 20; n++) {
        say(ada, "ada1", n);
        await pause(30);
      }
      await isCovered(ada, "ada1", 19, "after ada1-1 to ada1-19 were sent, one every 30 ms");
      await expectNoSilence(
        300,
        30,
        timesByAck(ada),
        "an acknowledgement within 300 ms, while Ada says one thing every 30 ms",
        (longestMs) => `one of them came after ${longestMs} ms. The server waited for a moment of silence`,
      );
    },
  ),

  check("a message that is sent again is acknowledged again", "Exercise", async (server) => {
    const ada = await comes(server, "Ada", "ada1");
    say(ada, "ada1", 1);
    await isCovered(ada, "ada1", 1, "after it was sent");
    const before = acks(ada).length;
    say(ada, "ada1", 1);
    await eventually(
      () => acks(ada).length > before,
      "a second acknowledgement when ada1-1 is sent a second time, because the first may have been lost",
      () => "none came",
    );
    // Its acknowledgement when it resumes doesn't count.
    const again = await comes(server, "Ada", "ada1");
    const atFirst = acks(again).length;
    say(again, "ada1", 1);
    await eventually(
      () => acks(again).slice(atFirst).includes("ada1-1"),
      "an acknowledgement of ada1-1 when it is sent a second time on a new connection",
      () => {
        const ack = again.received.findLast(({ type }) => type === "ack");
        return acks(again).length > atFirst ? `this one came: ${JSON.stringify(ack)}` : "none came";
      },
    );
  }),

  check(
    "twenty messages that are sent again get at most three acknowledgements, too",
    "Exercise",
    async (server) => {
      const ada = await comes(server, "Ada", "ada1");
      say(ada, "ada1", 1, 20);
      await isCovered(ada, "ada1", 20, "after ada1-1 to ada1-20 were sent");
      await pause(100);
      const before = acks(ada).length;
      const began = performance.now();
      say(ada, "ada1", 1, 20);
      await ada.isUpToDate();
      const tookMs = performance.now() - began;
      await eventually(
        () => acks(ada).length > before,
        "an acknowledgement after ada1-1 to ada1-20 were sent a second time",
        () => "none came",
      );
      await pause(100);
      const count = acks(ada).length - before;
      // On a busy computer they may not arrive together.
      const allowed = 3 + Math.floor(tookMs / 50);
      if (allowed > 10) await cannotTell();
      expectThat(
        count <= allowed,
        `at most ${allowed} acknowledgements for ada1-1 to ada1-20, which Ada sent a second time, as a page that reconnects does`,
        `${count} came`,
      );
    },
  ),

  check("an acknowledgement says that one of the messages was a duplicate", "Hint 3", async (server) => {
    const ada = await comes(server, "Ada", "ada1");
    say(ada, "ada1", 1);
    say(ada, "ada1", 1);
    await eventually(
      () => ada.received.some(({ type, double }) => type === "ack" && double),
      'an acknowledgement with "double":true when ada1-1 is sent twice in a row',
      () => {
        const ack = ada.received.findLast(({ type }) => type === "ack");
        return ack ? `the last one was ${JSON.stringify(ack)}` : "none came";
      },
    );
    say(ada, "ada1", 2);
    const next = await ada.receives(
      "ack",
      ({ id }) => id === "ada1-2",
      "receive an acknowledgement of ada1-2",
    );
    expectThat(
      !next.double,
      'an acknowledgement of ada1-2 with "double":false, because it was sent once',
      JSON.stringify(next),
    );
    const getsDouble = async (what: string) => {
      const before = acks(ada).length;
      const since = () => ada.received.filter(({ type }) => type === "ack").slice(before);
      await eventually(
        () => since().some(({ double }) => double),
        `an acknowledgement with "double":true ${what}`,
        () => (since().length > 0 ? `the last one was ${JSON.stringify(since().at(-1))}` : "none came"),
      );
    };
    const alone = getsDouble("when ada1-2 is sent again, and nothing else");
    say(ada, "ada1", 2);
    await alone;
    const withNext = getsDouble("when ada1-2 is sent again, and right after it ada1-3, which is new");
    say(ada, "ada1", 2, 3);
    await withNext;
  }),

  check("an acknowledgement never goes back to an earlier message", "Hint 3", async (server) => {
    const ada = await comes(server, "Ada", "ada1");
    say(ada, "ada1", 1, 5);
    say(ada, "ada1", 1, 2);
    await isCovered(ada, "ada1", 5, "after 1 to 5 were sent, and then 1 and 2 again");
  }),

  check("each page gets its own acknowledgements", "Hint 2", async (server) => {
    const [ada, grace] = [await comes(server, "Ada", "ada1"), await comes(server, "Grace", "grace1")];
    const alan = await Client.connect(server, "Alan");
    alan.send({ type: "resume", after: 0 });
    await alan.receives("replay");
    alan.say("I am not a page, and have no ids");
    alan.send({ type: "say", id: "alan1-1", from: "Alan", text: "This is refused" });
    say(ada, "ada1", 1, 3);
    say(grace, "grace1", 1, 2);
    await isCovered(ada, "ada1", 3, "for Ada");
    await isCovered(grace, "grace1", 2, "for Grace");
    await pause(100);
    for (const [person, page] of [
      [ada, "ada1"],
      [grace, "grace1"],
    ] as const)
      expectThat(
        acks(person).every((id) => id.startsWith(`${page}-`)),
        `${person.name} to receive acknowledgements of ${page} only`,
        list(person),
      );
    await grace.receivesText("I am not a page, and have no ids");
    expectThat(
      acks(alan).length === 0,
      "no acknowledgement for Alan, whose connection resumed as no page: his first message has no id, and his second one is refused",
      `${acks(alan).length} came`,
    );
  }),

  slowerCheck("a duplicate from one page doesn't count for another", "Hint 2", async (server) => {
    const [ada, grace] = [await comes(server, "Ada", "ada1"), await comes(server, "Grace", "grace1")];
    say(ada, "ada1", 1);
    await isCovered(ada, "ada1", 1, "after it was sent");
    let tried = 0;
    for (let n = 1; n <= 10 && tried < 3; n++) {
      const began = performance.now();
      say(grace, "grace1", n);
      await grace.receivesText(`${n} of grace1`);
      say(ada, "ada1", 1);
      await ada.isUpToDate();
      // On a busy computer, Grace's acknowledgement may have been sent before. A server that waits sends it after 200 ms.
      if (covered(grace) < n || performance.now() - began < 180) tried++;
      const { double } = await grace.receives(
        "ack",
        ({ id }) => id === `grace1-${n}`,
        `receive an acknowledgement of grace1-${n}`,
      );
      expectThat(
        !double,
        `an acknowledgement of grace1-${n} with "double":false for Grace, while Ada sends ada1-1 a second time`,
        'it says "double":true. Each connection needs a variable of its own for that',
      );
    }
    if (tried === 0) await cannotTell();
  }),

  check("when a page connects again, its acknowledgements follow it", "Hint 2", async (server) => {
    let tried = 0;
    for (let n = 1; n <= 10 && tried < 3; n++) {
      const page = `ada${n}`;
      const older = await comes(server, "Ada", page);
      const newer = await Client.connect(server, "Ada");
      say(older, page, 1);
      const { at } = await older.receives("message", ({ text }) => text === `1 of ${page}`);
      newer.send({ type: "resume", after: 0, page });
      say(newer, page, 2);
      const next = await newer.receives("message", ({ text }) => text === `2 of ${page}`);
      await eventually(
        () => covered(newer) >= 2,
        `an acknowledgement of ${page}-2 on the page's new connection, opened right after ${page}-1 was sent on its old one`,
        () => `${list(newer)}. The timer that was running belonged to the old connection`,
      );
      // On a busy computer, the timer may have run out before.
      if (next.at - at < 45) tried++;
    }
    if (tried === 0) await cannotTell();
  }),

  check("a page that leaves right after saying something does no harm", "Hint 3", async (server) => {
    const grace = await comes(server, "Grace", "grace1");
    // Three times: on a busy computer, an acknowledgement may be sent before its page has left.
    for (const page of ["ada1", "ada2", "ada3"]) {
      const ada = await comes(server, "Ada", page);
      say(ada, page, 1);
      await ada.leaves();
    }
    // Grace's acknowledgement is due later than Ada's: by then the server has tried to send those.
    say(grace, "grace1", 1);
    await isCovered(grace, "grace1", 1, "for Grace, after Ada has left");
    const again = await comes(server, "Ada", "ada1");
    await isCovered(again, "ada1", 1, "when Ada's page resumes");
  }),

  longCheck("when a page leaves, its timers end", "Hint 2", async (server) => {
    const ada = await comes(server, "Ada", "ada1");
    let said = 0;
    await expectForgotten(
      server,
      async (n) => {
        // Ten pages that come again and again: the server keeps what each has sent.
        const page = `visitor${n % 10}`;
        const visitor = await comes(server, "Visitor", page);
        say(visitor, page, 1 + Math.floor(n / 10));
        await visitor.isUpToDate();
        await visitor.leaves();
      },
      "the server to forget connections that were closed",
      "Is there a timer for each connection? It must end when the connection closes",
      {
        // The log keeps what was said.
        mayBeKept: async () => {
          say(ada, "ada1", ++said);
          await ada.isUpToDate();
        },
      },
    );
  }),
];
