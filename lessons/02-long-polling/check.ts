// Exercise 2, Twenty messages, a few answers: what is said in quick succession shares an answer.
import { check, eventually, expectThat, inBackground, pause } from "../../shared/machinery/checks/checks.ts";
import { postMessage, request } from "../../shared/machinery/checks/client.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";

type Answer = { messages: { id: number; at: number }[] };

async function poll(server: LessonServer, after: number): Promise<Answer> {
  const answer = await request(server, `/messages?after=${after}`);
  expectThat(answer.status === 200, "a poll to be answered with 200", `status ${answer.status}`);
  return answer.json();
}

async function waiting(server: LessonServer): Promise<number> {
  return (await (await request(server, "/waiting")).json()).waiting;
}

/** Says `count` things, whether or not the last has arrived. */
async function talk(server: LessonServer, count: number, everyMs: number): Promise<void> {
  const posts: Promise<void>[] = [];
  for (let n = 1; n <= count; n++) {
    posts.push(inBackground(postMessage(server, `${n} of ${count}`)));
    await pause(everyMs);
  }
  await Promise.all(posts);
}

/** Polls as the page does until `last` has come, beginning after `first`. */
async function readUpTo(server: LessonServer, last: number, first = 0) {
  const ids: number[] = [];
  const answers: Answer[] = [];
  while ((ids.at(-1) ?? first) < last) {
    const answer = await poll(server, ids.at(-1) ?? first);
    ids.push(...answer.messages.map(({ id }) => id));
    if (answer.messages.length > 0) answers.push(answer);
  }
  return { answers, ids };
}

/** Milliseconds between the first and the last thing said, by the server's clock. */
const span = (messages: Answer["messages"]) => (messages.at(-1)?.at ?? 0) - (messages[0]?.at ?? 0);

const someoneWaits = (server: LessonServer, count = 1) =>
  eventually(
    async () => (await waiting(server)) === count,
    `GET /waiting to tell of ${count} who wait`,
    () => "it told another number",
  );

export const checks = [
  check("five messages said at once arrive in one answer", "Hint 1", async (server) => {
    let most = 0;
    // Three times, of which the best counts: on a busy computer "at once" may take longer than that.
    for (let first = 0; first < 15 && most < 5; first += 5) {
      const asked = inBackground(poll(server, first));
      await someoneWaits(server);
      // Five connections first, so that the messages leave together.
      await Promise.all(Array.from({ length: 5 }, () => waiting(server)));
      await Promise.all(Array.from({ length: 5 }, (_, n) => postMessage(server, `${n + 1} of 5`)));
      most = Math.max(most, (await asked).messages.length);
    }
    expectThat(
      most === 5,
      "five messages said at once to be in one answer",
      `the answer held ${most} of them, the others cost another request`,
    );
  }),

  check("a message on its own arrives within a second all the same", "Hint 1", async (server) => {
    const asked = inBackground(poll(server, 0));
    await someoneWaits(server);
    const began = performance.now();
    await postMessage(server, "Is anybody there?");
    await asked;
    const took = Math.round(performance.now() - began);
    expectThat(took < 1_000, "the answer within a second of the message", `it took ${took} ms`);
  }),

  check("while somebody goes on talking, nobody is kept waiting", "Hint 2", async (server) => {
    const reading = inBackground(readUpTo(server, 200));
    await someoneWaits(server);
    await talk(server, 200, 10);
    const longest = Math.max(...(await reading).answers.map(({ messages }) => span(messages)));
    expectThat(
      longest < 600,
      "answers while the talk, a message every 10 ms, goes on",
      `one answer held all that was said in ${longest} ms: it waited for a moment's silence`,
    );
  }),

  check("everybody who waits is answered, and then nobody waits any more", "Hint 2", async (server) => {
    const asked = inBackground(Promise.all([poll(server, 0), poll(server, 0), poll(server, 0)]));
    await someoneWaits(server, 3);
    await postMessage(server, "to all three");
    for (const { messages } of await asked)
      expectThat(messages.length === 1, "the message in each of three answers", "one was empty");
    await eventually(
      async () => (await waiting(server)) === 0,
      "GET /waiting to tell of nobody after that",
      () => "some still wait",
    );
  }),

  check("nobody gets an empty answer for a message already seen", "Hint 3", async (server) => {
    // Three times: on a busy computer Grace may come too late to be given an empty answer.
    for (const seen of [1, 3, 5]) {
      await postMessage(server, "Seen by Grace");
      // Grace has seen it, and asks again at once.
      const asked = inBackground(poll(server, seen));
      await pause(400);
      await postMessage(server, "New to Grace");
      const { messages } = await asked;
      expectThat(
        messages[0]?.id === seen + 1,
        `whoever has seen message ${seen}, and asks again at once, to get message ${seen + 1}`,
        "an answer came before that one, and was empty",
      );
    }
  }),

  check(
    "twenty messages, 15 ms apart, cost at most ten answers; none is lost or doubled",
    "Hint 3",
    async (server) => {
      let [best, allowed] = [20, 10];
      // Three times, of which the best counts: a busy computer does not keep to 15 ms.
      for (let first = 0; first < 60 && best > allowed; first += 20) {
        const reading = inBackground(readUpTo(server, first + 20, first));
        await someoneWaits(server);
        await talk(server, 20, 15);
        const { answers, ids } = await reading;
        expectThat(
          ids.length === 20 && new Set(ids).size === 20,
          "each of twenty messages once",
          `the ids that came: ${ids.join(" ")}`,
        );
        best = Math.min(best, answers.length);
        // Said more slowly than that, they cost more: an answer holds what is said in 50 ms.
        allowed = Math.max(10, span(answers.flatMap(({ messages }) => messages)) / 45);
      }
      expectThat(best <= allowed, "at most ten answers for twenty messages", `it took ${best}`);
    },
  ),
];
