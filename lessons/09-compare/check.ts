// Exercise 9, Bursts: five messages together, then a longer pause. The average stays what the slider says.
import type { Message } from "../../shared/both/message.ts";
import {
  CheckFailed,
  check,
  eventually,
  expectThat,
  longCheck,
  pause,
} from "../../shared/machinery/checks/checks.ts";
import { request } from "../../shared/machinery/checks/client.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";
import { withDoubt, within } from "../../shared/machinery/checks/time.ts";
import type { Lane } from "./settings.ts";
import { numberIn } from "./text.ts";

/** Opens lanes, as the lesson's page does. Their lessons run until the connection ends. */
async function openLanes({ url }: LessonServer, ...lanes: Lane[]): Promise<Record<Lane, LessonServer>> {
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
    "GET /lanes to say where the lessons are",
    () => `it said ${text.slice(0, 200)}`,
    patienceMs,
  );
  const ports: [string, number][] = Object.entries(JSON.parse(line).ports);
  return Object.fromEntries(
    ports.map(([lane, port]) => [lane, { port, url: `http://127.0.0.1:${port}` }]),
  ) as Record<Lane, LessonServer>;
}

async function slide(server: LessonServer, settings: { perSecond: number; size?: number }) {
  const response = await request(server, "/settings", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ size: 100, everyMs: 1_000, clients: 1, ...settings }),
  });
  expectThat(response.status === 200, "200 as the answer to POST /settings", `status ${response.status}`);
}

const logOf = async (lesson: LessonServer): Promise<Message[]> =>
  (await (await request(lesson, "/messages?after=0")).json()).messages;

/** Sets the first slider, and resolves with lesson 1's log when it has `count` messages. */
async function published(server: LessonServer, perSecond: number, count: number) {
  const { polling } = await openLanes(server, "polling");
  await slide(server, { perSecond });
  let log: Message[] = [];
  await eventually(
    async () => {
      log = await logOf(polling);
      return log.length >= count;
    },
    `${count} messages in lesson 1 within a few seconds, at ${perSecond} a second`,
    () => `there are ${log.length}`,
    4_000 + (4_000 * count) / perSecond,
  );
  return { polling, log };
}

/** Milliseconds from each message to the next. */
const gapsOf = (log: Message[]) => log.slice(1).map(({ at }, n) => at - (log[n]?.at ?? 0));

export const checks = [
  check("messages come in groups of five", "Hint 1", async (server) => {
    const { polling } = await published(server, 30, 1);
    let gaps: number[] = [];
    const sum = (some: number[]) => some.reduce((total, ms) => total + ms, 0);
    const expected = "messages 1 to 5 together in lesson 1, then a pause, then 6 to 10 together, and so on";
    const happened = () => `the gaps between messages were ${gaps.slice(0, 15).join(", ")} ms`;
    // Several groups are compared: on a busy computer, two groups may arrive together.
    await eventually(
      async () => {
        const log = await logOf(polling);
        for (let from = 0; from <= 20 && from + 21 <= log.length; from += 5) {
          gaps = gapsOf(log.slice(from, from + 21));
          // Every fifth gap is a pause. Without groups, the other four take about 80 % of the time.
          if (sum(gaps.filter((_, n) => n % 5 !== 4)) < 0.35 * sum(gaps)) return true;
        }
        if (log.length > 40) throw await withDoubt(new CheckFailed(expected, happened()));
      },
      expected,
      happened,
      5_000,
    );
  }),

  check("the average stays what the slider says", "Hint 2", async (server) => {
    const { log } = await published(server, 30, 50);
    const seconds = ((log.at(-1)?.at ?? 0) - (log[0]?.at ?? 0)) / 1_000;
    const perSecond = (log.length - 5) / seconds;
    // From each group to the next it takes up to 333 ms, or up to 67 ms with the pause of one message. A busy computer may
    // make one of these times much longer, and the average too low. It seldom does that twice.
    const [, secondLongest = 0] = gapsOf(log.filter((_, n) => n % 5 === 0)).sort((a, b) => b - a);
    if (perSecond > 13 && perSecond < 67 && secondLongest > 100) return;
    throw await withDoubt(
      new CheckFailed(
        "about 30 messages a second when the slider says 30",
        `${Math.round(perSecond)} a second: ${log.length} in ${seconds.toFixed(1)} s. From one group to the next it took at most ${secondLongest} ms, except for one`,
      ),
    );
  }),

  longCheck("moving the slider five times doesn't make it faster", "Hint 3", async (server) => {
    const { polling } = await published(server, 20, 1);
    for (const perSecond of [22, 24, 26, 28, 30]) {
      await slide(server, { perSecond });
      await pause(60);
    }
    const before = await logOf(polling);
    await pause(900);
    const log = await logOf(polling);
    const more = log.length - before.length;
    // On a busy computer the pause takes longer.
    const seconds = Math.max(0.9, ((log.at(-1)?.at ?? 0) - (before.at(-1)?.at ?? 0)) / 1_000);
    if (more <= 75 * seconds) return;
    const expected = `about ${Math.round(30 * seconds)} messages in ${seconds.toFixed(1)} s, at 30 a second`;
    throw await withDoubt(new CheckFailed(expected, `there were ${more}`));
  }),

  check(
    "a slider that is moved during a long pause takes effect within a second",
    "Hint 3",
    async (server) => {
      const { polling } = await openLanes(server, "polling");
      let log: Message[] = [];
      // Checked twice, because a long pause may end by chance.
      for (let round = 1; round <= 2; round++) {
        await slide(server, { perSecond: 0.1 });
        await pause(300);
        const before = (await logOf(polling)).length;
        await slide(server, { perSecond: 100, size: 200 });
        await eventually(
          async () => {
            log = await logOf(polling);
            return log.length >= before + 20;
          },
          "20 messages within a second, after the slider went from 0.1 to 100 a second",
          () => `there were ${log.length - before}`,
          1_300,
        );
      }
      const bytes = JSON.stringify(log.at(-1)).length;
      expectThat(bytes === 200, "messages of 200 bytes, as the slider says", `the last one has ${bytes}`);
    },
  ),

  check("each of the five is a message of its own, and every lesson gets it", "Hint 1", async (server) => {
    const lessons = await openLanes(server, "polling", "long-polling");
    await slide(server, { perSecond: 50 });
    let logs: Message[][] = [];
    await eventually(
      async () => {
        logs = [await logOf(lessons.polling), await logOf(lessons["long-polling"])];
        return logs.every(({ length }) => length >= 20);
      },
      "20 messages in lessons 1 and 2 within a few seconds, at 50 a second",
      () => `there are ${logs.map(({ length }) => length).join(" and ")}`,
    );
    for (const [index, log] of logs.entries()) {
      const numbers = log.slice(0, 20).map(({ text }) => numberIn(text));
      const expected = numbers.map((_, n) => n + 1);
      expectThat(
        `${numbers}` === `${expected}`,
        `the messages numbered ${expected.join(" ")} in lesson ${index + 1}`,
        `they are numbered ${numbers.join(" ")}`,
      );
    }
  }),
];
