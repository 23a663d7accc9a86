// Exercise 2, Twenty messages, a few answers: what is said in quick succession shares an answer.
import { expectThat, pause, promise, soon } from "../../shared/exercises/promise.ts";
import type { LessonServer } from "../../shared/exercises/server.ts";
import { ask, post } from "../../shared/exercises/talk.ts";

type Answer = { messages: { id: number }[] };

async function poll(server: LessonServer, after: number): Promise<Answer> {
  const answer = await ask(server, `/messages?after=${after}`);
  expectThat(answer.status === 200, "a poll to be answered with 200", `status ${answer.status}`);
  return answer.json();
}

async function waiting(server: LessonServer): Promise<number> {
  return (await (await ask(server, "/waiting")).json()).waiting;
}

/** Says `count` things, one each 15 ms, whether or not the last has arrived. */
async function talk(server: LessonServer, count: number): Promise<void> {
  const posts: Promise<void>[] = [];
  for (let n = 1; n <= count; n++) {
    posts.push(post(server, `${n} of ${count}`));
    await pause(15);
  }
  await Promise.all(posts);
}

/** Polls as the page does until `last` has come: how many answers it took, and the ids in them. */
async function readUpTo(server: LessonServer, last: number) {
  const ids: number[] = [];
  for (let answers = 0; ; ) {
    const { messages } = await poll(server, ids.at(-1) ?? 0);
    if (messages.length > 0) answers++;
    ids.push(...messages.map(({ id }) => id));
    if (ids.some((id) => id >= last)) return { answers, ids };
  }
}

const someoneWaits = (server: LessonServer, count = 1) =>
  soon(
    async () => (await waiting(server)) === count,
    `GET /waiting to tell of ${count} who wait`,
    () => "it told another number",
  );

export const promises = [
  promise("five messages said at once arrive in one answer", "Hint 1", async (server) => {
    const asked = poll(server, 0);
    await someoneWaits(server);
    // Five connections first, so that the messages leave together.
    await Promise.all(Array.from({ length: 5 }, () => waiting(server)));
    await Promise.all(Array.from({ length: 5 }, (_, n) => post(server, `${n + 1} of 5`)));
    const { messages } = await asked;
    expectThat(
      messages.length === 5,
      "five messages said at once to be in one answer",
      `the answer held ${messages.length} of them, the others cost another request`,
    );
  }),

  promise("a message on its own arrives within 300 ms all the same", "Hint 1", async (server) => {
    const asked = poll(server, 0);
    await someoneWaits(server);
    const began = performance.now();
    await post(server, "Is anybody there?");
    await asked;
    const took = Math.round(performance.now() - began);
    expectThat(took < 300, "the answer within 300 ms of the message", `it took ${took} ms`);
  }),

  promise("while somebody goes on talking, nobody is kept waiting", "Hint 2", async (server) => {
    const asked = poll(server, 0);
    await someoneWaits(server);
    const talking = talk(server, 80);
    const { messages } = await asked;
    await talking;
    expectThat(
      messages.length < 40,
      "an answer while the talk, a message every 15 ms, goes on",
      `it came after ${messages.length} messages, when there was a moment's silence`,
    );
  }),

  promise("everybody who waits is answered, and then nobody waits any more", "Hint 2", async (server) => {
    const asked = [poll(server, 0), poll(server, 0), poll(server, 0)];
    await someoneWaits(server, 3);
    await post(server, "to all three");
    for (const { messages } of await Promise.all(asked))
      expectThat(messages.length === 1, "the message in each of three answers", "one was empty");
    await soon(
      async () => (await waiting(server)) === 0,
      "GET /waiting to tell of nobody after that",
      () => "some still wait",
    );
  }),

  promise(
    "twenty messages, 15 ms apart, cost at most ten answers; none is lost or doubled",
    "Hint 3",
    async (server) => {
      const reading = readUpTo(server, 20);
      await someoneWaits(server);
      await talk(server, 20);
      const { answers, ids } = await reading;
      expectThat(
        ids.length === 20 && new Set(ids).size === 20,
        "each of twenty messages once",
        `the ids that came: ${ids.join(" ")}`,
      );
      expectThat(answers <= 10, "at most ten answers for twenty messages", `it took ${answers}`);
    },
  ),
];
