// Exercise 1, "Nothing new" in fewer words: an unchanged answer is 304, by its ETag (RFC 9110 §8.8.3, §13.1.2).
import { check, expectThat } from "../../shared/machinery/checks/checks.ts";
import { postMessage, request } from "../../shared/machinery/checks/client.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";

const path = "/messages?after=0";
const again = (server: LessonServer, etag: string) =>
  request(server, path, { headers: { "If-None-Match": etag } });

async function etagOf(server: LessonServer): Promise<string> {
  const etag = (await request(server, path)).headers.get("ETag");
  expectThat(etag !== null, `an ETag header in the answer to GET ${path}`, "there was none");
  return etag;
}

export const checks = [
  check("an answer carries an ETag", "Hint 1", async (server) => {
    const etag = await etagOf(server);
    expectThat(/^(W\/)?"[^"]*"$/.test(etag), 'an ETag in double quotes, ETag: "…"', `ETag: ${etag}`);
  }),

  check("asked with the ETag it gave, and nothing new, the server answers 304", "Hint 2", async (server) => {
    await postMessage(server, "Hello");
    const etag = await etagOf(server);
    const answer = await again(server, etag);
    expectThat(
      answer.status === 304,
      `status 304 for a poll with If-None-Match: ${etag}`,
      `status ${answer.status}, with ${(await answer.arrayBuffer()).byteLength} bytes`,
    );
  }),

  check("once somebody has spoken, the same question gets 200 and the message", "Hint 2", async (server) => {
    const etag = await etagOf(server);
    await postMessage(server, "Hello");
    const answer = await again(server, etag);
    expectThat(
      answer.status === 200,
      "status 200 after somebody spoke, whatever If-None-Match says of before",
      `status ${answer.status}: the message would never arrive`,
    );
    const { messages } = await answer.json();
    expectThat(
      messages?.[0]?.text === "Hello",
      "the message in the answer",
      `messages: ${JSON.stringify(messages)}`,
    );
  }),

  check("whoever asks without an ETag gets 200, nothing new or not", "Hint 2", async (server) => {
    const answer = await request(server, path);
    expectThat(
      answer.status === 200,
      "status 200 for a poll without If-None-Match: it holds no answer that it could use again",
      `status ${answer.status}`,
    );
  }),

  check("after a restart, an old ETag is not taken for a new one", "Hint 3", async (server) => {
    await postMessage(server, "before the restart");
    const restarted = await server.startAnother();
    await postMessage(restarted, "after the restart");
    const answer = await again(restarted, await etagOf(server));
    expectThat(
      answer.status === 200,
      "status 200 from a server that was restarted, though it too holds one message",
      `status ${answer.status}: both logs gave the same ETag`,
    );
  }),

  check("a browser may keep the answer, if it asks before using it again", "Hint 3", async (server) => {
    const control = (await request(server, path)).headers.get("Cache-Control") ?? "";
    expectThat(
      /no-cache|max-age=0/.test(control) && !/no-store/.test(control),
      "Cache-Control: no-cache, or no browser will ever send If-None-Match by itself",
      `Cache-Control: ${control}`,
    );
  }),
];
