// Exercise 9, Bursts: five messages together, then a longer pause. The average stays what the slider says.
import type { Message } from "../../shared/both/message.ts";
import {
  CheckFailed,
  cannotTell,
  check,
  eventually,
  expectThat,
  fasterCheck,
  longCheck,
  pause,
} from "../../shared/machinery/checks/checks.ts";
import { Client, request } from "../../shared/machinery/checks/client.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";
import { within } from "../../shared/machinery/checks/time.ts";
import type { Lane } from "./settings.ts";
import { numberIn } from "./text.ts";

type Opened = Record<Lane, LessonServer> & { published: number };

/** Opens lanes, as the lesson's page does. Their lessons run until the connection ends. `published`: messages so far. */
async function openLanes({ url }: LessonServer, ...lanes: Lane[]): Promise<Opened> {
  // Each lane is a process of its own, which has to start first.
  const patienceMs = 6_000;
  const late = () => new CheckFailed("an answer to GET /lanes", "none came");
  const response = await within(patienceMs, fetch(`${url}/lanes?only=${lanes}`), late);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const line = await eventually(
    async () => {
      text += (await reader?.read())?.value ?? "";
      return text.match(/^event: lanes\ndata: (.+)\n/m)?.[1];
    },
    "GET /lanes to send the ports of the lessons",
    () => `it sent ${text.slice(0, 200)}`,
    patienceMs,
  );
  const { ports, published } = JSON.parse(line);
  const lessons = Object.entries(ports).map(([lane, port]) => [
    lane,
    { port, url: `http://127.0.0.1:${port}` },
  ]);
  return { ...Object.fromEntries(lessons), published };
}

async function slide(server: LessonServer, settings: { perSecond: number; size?: number }) {
  const response = await request(server, "/settings", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ size: 100, everyMs: 1_000, clients: 1, ...settings }),
  });
  expectThat(response.status === 200, "200 as the answer to POST /settings", `status ${response.status}`);
}

/** Opens lesson 7, and returns what it has received so far. It grows. */
async function openWebSocketLane(server: LessonServer): Promise<() => Message[]> {
  const { websocket } = await openLanes(server, "websocket");
  return readWebSocketLane(websocket);
}

/** Messages in this lane come in one piece, however slow the computer is: the other lanes take them as requests. */
async function readWebSocketLane(lesson: LessonServer): Promise<() => Message[]> {
  const reader = await Client.connect(lesson, "The reader in lesson 7");
  reader.send({ type: "resume", after: 0 });
  await reader.receives("replay");
  return () =>
    reader.received.flatMap((message) =>
      message.type === "message" ? [message] : message.type === "replay" ? message.messages : [],
    );
}

/** Resolves with the messages when there are `count`. */
async function arrive(messages: () => Message[], count: number, perSecond: number) {
  await eventually(
    () => messages().length >= count,
    `${count} messages in lesson 7 within a few seconds, at ${perSecond} a second`,
    () => `there are ${messages().length}`,
    4_000 + (4_000 * count) / perSecond,
  );
  return messages();
}

/** Milliseconds from each message to the next. */
const gapsOf = (log: Pick<Message, "at">[]) => log.slice(1).map(({ at }, n) => at - (log[n]?.at ?? 0));

/** Whether messages come in groups of five: most groups within 30 ms, pauses between most of them, and no groups of ten. */
export function isInGroups(log: Pick<Message, "at">[]): boolean {
  const most = (all: boolean[]) => all.filter(Boolean).length >= 0.7 * all.length;
  const areTogether = (size: number, withinMs: number, from = 0) => {
    const together = [];
    for (let n = from; n + size <= log.length; n += size)
      together.push((log[n + size - 1]?.at ?? 0) - (log[n]?.at ?? 0) <= withinMs);
    return most(together);
  };
  // A computer that halts for a moment makes pauses, too. Between the halves of a group of ten it seldom halts for long.
  const isPause = gapsOf(log)
    .filter((_, n) => n % 5 === 4)
    .map((ms) => ms > 5);
  return areTogether(5, 30) && most(isPause) && !areTogether(10, 20) && !areTogether(10, 20, 5);
}

/** Whether the pauses between groups of five differ. Four fifths of random pauses are hardly ever within 8 ms. */
export function haveRandomPauses(log: Pick<Message, "at">[]): boolean {
  const starts = log.filter((_, n) => n % 5 === 0).map(({ at }) => at);
  const pauses = starts
    .slice(1)
    .map((at, n) => at - (starts[n] ?? 0))
    .sort((a, b) => a - b);
  const most = Math.ceil(0.8 * pauses.length);
  return pauses.slice(most - 1).every((longest, n) => longest - (pauses[n] ?? 0) > 8);
}

/** Calls `look`, which measures pauses. Late timers make every pause long, so a pass proves nothing while they are late. */
async function whileTimersAreOnTime(look: () => Promise<void>): Promise<void> {
  const began = performance.now();
  let [timers, over] = [0, false];
  const measuring = (async () => {
    for (; !over; timers++) await pause(20);
    return (performance.now() - began) / timers - 20;
  })();
  try {
    await look();
  } finally {
    over = true;
  }
  if ((await measuring) > 10) await cannotTell();
}

export const checks = [
  check("messages come in groups of five", "Hint 1", async (server) => {
    const messages = await openWebSocketLane(server);
    await slide(server, { perSecond: 50 });
    await whileTimersAreOnTime(async () => {
      // Three tries: on a busy computer, groups may arrive late and together. And random pauses may be short.
      for (const count of [25, 45, 65]) {
        const log = await arrive(messages, count, 50);
        // The first group may have waited until the connection was open.
        const later = log.slice(5, count);
        if (isInGroups(later)) return;
        // Messages that belong together arrive together now and then on any computer.
        if (!later.some(({ at }, n) => n >= 4 && at - (later[n - 4]?.at ?? 0) <= 30)) break;
      }
      const gaps = gapsOf(messages().slice(5, 21)).join(", ");
      throw new CheckFailed(
        "messages 1 to 5 together in lesson 7, then a pause, then 6 to 10 together, and so on",
        `the gaps between messages were ${gaps} ms`,
      );
    });
  }),

  check("the average stays what the slider says, and the pauses stay random", "Hint 2", async (server) => {
    const messages = await openWebSocketLane(server);
    await slide(server, { perSecond: 50 });
    await whileTimersAreOnTime(async () => {
      const log = [...(await arrive(messages, 45, 50))];
      const seconds = ((log.at(-1)?.at ?? 0) - (log[0]?.at ?? 0)) / 1_000;
      const perSecond = (log.length - 5) / seconds;
      // From each group to the next it takes up to 200 ms, or up to 40 ms with the pause of one message. A busy computer may
      // make one of these times much longer, and the average too low. It seldom does that twice. Eight random pauses may be
      // short: "moving the slider" counts more of them.
      const [, secondLongest = 0] = gapsOf(log.filter((_, n) => n % 5 === 0)).sort((a, b) => b - a);
      if (perSecond < 22 || perSecond > 160 || secondLongest < 60)
        throw new CheckFailed(
          "about 50 messages a second when the slider says 50",
          `${Math.round(perSecond)} a second: ${log.length} in ${seconds.toFixed(1)} s. Except for one, the times from one group to the next were at most ${secondLongest} ms`,
        );
      expectThat(
        haveRandomPauses(log),
        "random pauses, some short and some long",
        `most pauses were close to ${secondLongest} ms, so every poll would be late by the same amount`,
      );
    });
  }),

  // The publisher's timers are five times as fast: so many groups come in a short time that chance hardly matters.
  fasterCheck("moving the slider ten times doesn't speed up the messages", "Hint 3", async (server) => {
    const messages = await openWebSocketLane(server);
    await slide(server, { perSecond: 20 });
    await arrive(messages, 1, 20);
    for (let perSecond = 21; perSecond <= 30; perSecond++) {
      await slide(server, { perSecond });
      await pause(30);
    }
    let [more, seconds] = [0, 0];
    // The best of three tries counts: a publisher that was late catches up, and random pauses may be short.
    for (let n = 1; n <= 3; n++) {
      const before = messages();
      await pause(600);
      const log = messages();
      more = log.length - before.length;
      // On a busy computer the pause takes longer.
      seconds = 5 * Math.max(0.6, ((log.at(-1)?.at ?? 0) - (before.at(-1)?.at ?? 0)) / 1_000);
      if (more <= 45 * seconds) return;
    }
    throw new CheckFailed(
      `about ${Math.round(30 * seconds)} messages in ${seconds.toFixed(1)} s, at 30 a second, after the slider was moved`,
      `there were ${more}. Is there only one timer, and are the pauses long enough for five messages?`,
    );
  }),

  longCheck(
    "a slider that is moved during a long pause takes effect within a second",
    "Hint 3",
    async (server) => {
      const messages = await openWebSocketLane(server);
      // Checked twice, because a long pause may end by chance.
      for (let round = 1; round <= 2; round++) {
        await slide(server, { perSecond: 0.1 });
        // What was sent before may still be under way on a busy computer.
        let before = -1;
        for (let n = 0; n < 4 && messages().length > before; n++) {
          before = messages().length;
          await pause(300);
        }
        const more = messages().length - before;
        expectThat(
          more <= 10,
          "hardly any messages, one second after the slider was moved to 0.1 a second",
          `${more} came in 0.3 s. The pause must depend on perSecond`,
        );
        await slide(server, { perSecond: 100, size: 200 });
        await eventually(
          () => messages().length >= before + 20,
          "20 messages within a second, after the slider went from 0.1 to 100 a second",
          () => `there were ${messages().length - before}`,
          1_300,
        );
      }
      const { id, from, text, at } = messages().at(-1) as Message;
      const bytes = JSON.stringify({ id, from, text, at }).length;
      expectThat(bytes === 200, "messages of 200 bytes, as the slider says", `the last one has ${bytes}`);
    },
  ),

  check("each of the five is a message of its own, and every lesson gets it", "Hint 1", async (server) => {
    const { polling, websocket } = await openLanes(server, "polling", "websocket");
    const messages = await readWebSocketLane(websocket);
    await slide(server, { perSecond: 50 });
    await arrive(messages, 20, 50);
    let log: Message[] = [];
    await eventually(
      async () => {
        log = (await (await request(polling, "/messages?after=0")).json()).messages;
        return log.length >= 20;
      },
      "the same 20 messages in lesson 1",
      () => `there are ${log.length}`,
    );
    for (const [lesson, received] of [
      [1, log],
      [7, messages()],
    ] as const) {
      const numbers = received.slice(0, 20).map(({ text }) => numberIn(text));
      const expected = numbers.map((_, n) => n + 1);
      expectThat(
        `${numbers}` === `${expected}`,
        `the messages numbered ${expected.join(" ")} in lesson ${lesson}`,
        `they are numbered ${numbers.join(" ")}`,
      );
    }
    const { published } = await openLanes(server, "polling");
    expectThat(
      published >= 20,
      "`lanes.send(count)` to have reported at least 20 messages: the page's figures need that count",
      `the count was ${published}`,
    );
  }),
];
