// Exercise 8, Who is here: an event named presence tells every page how many streams are open. It has no id.
import {
  CheckFailed,
  cannotTell,
  check,
  eventually,
  expectForgotten,
  expectThat,
  fasterCheck,
  longCheck,
  pause,
  slowerCheck,
} from "../../shared/machinery/checks/checks.ts";
import { postAll, postMessage, request } from "../../shared/machinery/checks/client.ts";
import { EventStream } from "../../shared/machinery/checks/event-stream.ts";
import { expectQuiet } from "../../shared/machinery/checks/time.ts";

const last = (stream: EventStream) => stream.named("presence").at(-1)?.data;

/** What this stream has received about presence, in words. */
function describe(stream: EventStream): string {
  const data = last(stream);
  if (data !== undefined && Number(data) < 1)
    return `the last one had the data ${data}, while this stream is open: something is subtracted too early or too often, or added too late`;
  if (data !== undefined) return `the last one had the data ${data}`;
  if (/^event: ?presence$/m.test(stream.unfinished))
    return `no empty line came after ${JSON.stringify(stream.unfinished)}, so the event never ended`;
  const named = stream.events.find(({ name }) => /presence/i.test(name));
  return named
    ? `no event of that name came, but one named "${named.name}"`
    : "no event of that name came, or it had no data";
}

const receives = (stream: EventStream, count: number, when: string) =>
  eventually(
    () => last(stream) === String(count),
    `an event "presence" with the data ${count} ${when}`,
    () => describe(stream),
  );

const receivesMessages = (stream: EventStream, count: number) =>
  eventually(
    () => stream.ids.length >= count,
    `a stream to receive ${count === 1 ? "the message" : `the ${count} messages`} that Ada sent`,
    () => `${stream.ids.length} came`,
  );

export const checks = [
  check("a page receives the number of open streams", "Hint 1", async (server) => {
    const ada = await EventStream.open(server);
    await receives(ada, 1, "on the only stream");
    const strange = ada.named("presence").find(({ data }) => data !== "1");
    expectThat(
      !strange,
      "only the data 1 on the only stream",
      `an event had the data ${strange?.data}. Add the stream to the Set first, and then count`,
    );
  }),

  check("when a stream opens, the other pages receive the new number too", "Hint 2", async (server) => {
    const ada = await EventStream.open(server);
    await receives(ada, 1, "on the only stream");
    const grace = await EventStream.open(server);
    await receives(ada, 2, "on the first stream after a second one was opened");
    await receives(grace, 2, "on the second stream");
  }),

  check("when a stream closes, the other pages receive the new number", "Hint 2", async (server) => {
    const [ada, grace] = [await EventStream.open(server), await EventStream.open(server)];
    await receives(ada, 2, "on the first of two streams");
    grace.close();
    await receives(ada, 1, "on the first stream after the second one was closed");
  }),

  longCheck(
    "a page with sixty messages to catch up on is counted, and receives the number",
    "Hint 2",
    async (server) => {
      // Three pieces: the second one is written when a connection breaks, and the third one never is.
      const long =
        ". This message is as long as two lines on the page, which are about a hundred characters.";
      await postAll(
        server,
        Array.from({ length: 60 }, (_, n) => `${n + 1} of 61${long}`),
      );
      const ada = await EventStream.open(server);
      await receivesMessages(ada, 60);
      await receives(ada, 1, "on a stream that began with sixty messages");
      const grace = await EventStream.openHeldBack(server);
      const alan = grace && (await EventStream.openHeldBack(server));
      // Without a debugger the rest can't be checked: some computers don't allow one.
      if (!alan) return expectQuiet();
      await pause(300); // a server that counts her too early sends the number meanwhile
      alan.breaks();
      await postMessage(server, "61 of 61");
      await grace.goOn();
      await receivesMessages(grace.stream, 61);
      const { ids } = grace.stream;
      const strange = ids.findIndex((id, n) => id !== n + 1);
      expectThat(
        strange < 0,
        "the messages 1 to 61 in order, on a stream that was slow while Ada sent number 61",
        `number ${ids[strange]} came after ${ids[strange - 1] ?? "nothing"}. Add a stream to the Set only when it has everything that it missed`,
      );
      await receives(
        grace.stream,
        2,
        "on a second stream that was slow to receive its sixty messages. A third one broke before it had received them",
      );
      await receives(ada, 2, "on the first stream after the second one had received its sixty messages");
    },
  ),

  check("presence isn't a message: no page shows it in its list", "Hint 1", async (server) => {
    const ada = await EventStream.open(server);
    await EventStream.open(server);
    await pause(150);
    await postMessage(server, "Hello");
    await receivesMessages(ada, 1);
    const strange = ada.named("message").find(({ data }) => !data.includes('"text"'));
    expectThat(
      !strange,
      "every event without a name to be a message",
      `two streams were opened, and one of these events had the data ${strange?.data}`,
    );
  }),

  check("presence doesn't move the cursor", "Hint 3", async (server) => {
    const ada = await EventStream.open(server);
    await receives(ada, 1, "on the only stream");
    await postMessage(server, "Hello");
    await receivesMessages(ada, 1);
    const before = ada.named("message")[0]?.id;
    await EventStream.open(server);
    await receives(ada, 2, "on the first stream after a second one was opened");
    expectThat(
      ada.lastEventId === before,
      `the last id to stay that of the message, ${before}`,
      `it was "${ada.lastEventId}", and the browser would send that when it reconnects`,
    );
  }),

  check(
    "messages keep their numbers, and a page that reconnects gets nothing else",
    "Hint 3",
    async (server) => {
      const ada = await EventStream.open(server);
      const start = ada.lastEventId;
      await postMessage(server, "one");
      for (const _ of [1, 2, 3]) {
        const passing = await EventStream.open(server);
        await pause(100);
        passing.close();
      }
      await pause(100);
      await postMessage(server, "two");
      const again = await EventStream.open(server, start);
      await receivesMessages(again, 2);
      expectThat(
        again.ids.join() === "1,2",
        "the messages 1 and 2, which Ada sent while other streams opened and closed",
        `the messages that came: ${again.ids.join(", ")}`,
      );
    },
  ),

  check("a HEAD request opens no stream, and isn't counted", "Hint 2", async (server) => {
    const ada = await EventStream.open(server);
    await receives(ada, 1, "on the only stream");
    for (const _ of [1, 2, 3]) await request(server, "/events", { method: "HEAD" });
    await pause(150);
    expectThat(last(ada) === "1", "the number to stay 1 after HEAD /events three times", describe(ada));
    await EventStream.open(server);
    await receives(ada, 2, "after HEAD /events three times and a second stream");
  }),

  // Its 1.1 seconds are 5.5 seconds for the server's timers.
  fasterCheck("while no stream opens or closes, nothing is sent", "Hint 2", async (server) => {
    const ada = await EventStream.open(server);
    await receives(ada, 1, "on the only stream");
    await pause(150);
    const before = ada.named("presence").length;
    await pause(1_100);
    const more = ada.named("presence").length - before;
    expectThat(
      more === 0,
      "no event about presence while the number stays the same",
      `${more} came within a few seconds`,
    );
  }),

  check("for fifty streams that open together, a few events are enough", "Hint 2", async (server) => {
    const ada = await EventStream.open(server);
    const began = performance.now();
    await Promise.all(Array.from({ length: 50 }, () => EventStream.open(server)));
    await receives(ada, 51, "after fifty more streams were opened");
    const tookMs = performance.now() - began;
    await pause(100); // for what is still on its way
    const times = ada.named("presence").length;
    // With an event every 50 ms, a busy computer may need more of them.
    if (times > 25 && tookMs > 1_000) await cannotTell();
    expectThat(times <= 25, "at most 25 events for fifty streams that open together", `${times} came`);
  }),

  slowerCheck("while streams keep opening, the pages still receive the number", "Hint 2", async (server) => {
    const ada = await EventStream.open(server);
    for (const _ of [1, 2]) await EventStream.open(server);
    const before = ada.named("presence").length;
    const came = () => ada.named("presence").length - before;
    // A server that waits for a quiet moment sends only when there is a long gap.
    let gaps = 0;
    // Two seconds are half a second for the server's timers.
    for (let [began, previous] = [performance.now(), performance.now()]; previous - began < 2_100; ) {
      await pause(40);
      await EventStream.open(server);
      const now = performance.now();
      if (now - previous > 120) gaps++;
      previous = now;
      if (came() > gaps + 1) return;
    }
    // Something came, perhaps only because this computer is busy.
    if (came() > gaps) return expectQuiet();
    if (came() > 0) await cannotTell();
    throw new CheckFailed(
      'an event "presence" within half a second, while more and more streams opened',
      "none came. The server waited too long, or for a moment in which nothing changes",
    );
  }),

  check("a page that opens when another one closes receives the number, too", "Hint 2", async (server) => {
    const ada = await EventStream.open(server);
    // Three times: the server may read the number just in between.
    for (let n = 1; n <= 3; n++) {
      const before = await EventStream.open(server);
      await receives(before, 2, "on the second of two streams");
      before.close();
      const after = await EventStream.open(server);
      await receives(
        after,
        2,
        "on a stream that opened when another one closed, so that there are two again",
      );
      after.close();
      await receives(ada, 1, "on the first stream after the others were closed");
    }
  }),

  check("a stream that was closed is forgotten", "Hint 2", async (server) => {
    await expectForgotten(
      server,
      async () => {
        const stream = await EventStream.open(server);
        await eventually(
          () => last(stream) !== undefined,
          'an event "presence" on a stream',
          () => describe(stream),
        );
        stream.close();
      },
      "the server to forget streams that were closed",
      "Remove a stream from every Set and Map when it closes, and end its timers",
    );
  }),
];
