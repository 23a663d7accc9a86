// Exercise 1, "Nothing new" in fewer words: an unchanged answer is a 304, by its ETag (RFC 9110 §8.8.3, §13.1.2).
import { once } from "node:events";
import { request as open } from "node:http";
import {
  CheckFailed,
  cannotTell,
  check,
  eventually,
  expectThat,
  inBackground,
  pause,
} from "../../shared/machinery/checks/checks.ts";
import { postAll, postMessage, request } from "../../shared/machinery/checks/client.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";
import { expectQuiet, within } from "../../shared/machinery/checks/time.ts";

const path = "/messages?after=0";
const get = `GET ${path}`;

const askAgain = (server: LessonServer, etag: string, to = path) =>
  request(server, to, { headers: { "If-None-Match": etag } });

/** Asks without If-None-Match, and returns the ETag of the answer. */
async function etagOf(server: LessonServer): Promise<string> {
  const answer = await request(server, path);
  return readEtag(answer, `the answer to ${get}`);
}

function readEtag(answer: Response, what: string): string {
  const etag = answer.headers.get("ETag");
  expectThat(etag !== null, `an ETag header in ${what}`, `status ${answer.status}, without an ETag header`);
  return etag;
}

const bytesOf = async (answer: Response) => (await answer.arrayBuffer()).byteLength;

const mayBeKept = (answer: Response) => {
  const control = answer.headers.get("Cache-Control") ?? "";
  return /no-cache|max-age=0/i.test(control) && !/no-store/i.test(control);
};

const cacheControl = (answer: Response) =>
  answer.headers.has("Cache-Control")
    ? `it had Cache-Control: ${answer.headers.get("Cache-Control")}`
    : "it had no Cache-Control header";

export const checks = [
  check("an answer carries an ETag", "Hint 1", async (server) => {
    const etag = await etagOf(server);
    expectThat(
      /^(W\/)?"[^"]*"$/.test(etag),
      `an ETag in double quotes, with no others inside, in the answer to ${get}: ETag: "…"`,
      `ETag: ${etag}`,
    );
  }),

  check("when nothing is new, a request with the last ETag gets 304", "Hint 2", async (server) => {
    await postMessage(server, "Hello");
    const etag = await etagOf(server);
    const answer = await askAgain(server, etag);
    expectThat(
      answer.status === 304,
      `status 304 for ${get}, asked twice, the second time with If-None-Match: ${etag}, and nothing said in between`,
      `status ${answer.status}, with ${await bytesOf(answer)} bytes`,
    );
    // Each takes up to two seconds. Of so many, one comes soon.
    const slow = await Promise.any(
      Array.from({ length: 10 }, () => inBackground(askAgain(server, etag, `${path}&slow`))),
    );
    expectThat(
      slow.status === 304,
      `status 304 for a slow answer, too: ${get}&slow with If-None-Match: ${etag}`,
      `status ${slow.status}`,
    );
  }),

  check("after a new message, the same request gets 200 and the message", "Hint 2", async (server) => {
    const etag = await etagOf(server);
    await postMessage(server, "Hello");
    const answer = await askAgain(server, etag);
    expectThat(
      answer.status === 200,
      `status 200 for ${get}, asked twice, with "Hello" said in between`,
      `status ${answer.status}: the message would never arrive`,
    );
    const { messages } = await answer.json();
    expectThat(
      messages?.[0]?.text === "Hello",
      `"Hello" in the second answer to ${get}`,
      `messages: ${JSON.stringify(messages)}`,
    );
    // People say "OK" more than once.
    const before = await etagOf(server);
    await postMessage(server, "Hello");
    const { status } = await askAgain(server, before);
    expectThat(
      status === 200,
      `status 200 for ${get}, asked twice, with a second "Hello" by the same person said in between`,
      `status ${status}: the text of the last message isn't enough for an ETag`,
    );
  }),

  check("the ETag changes when a message is in the log, and not earlier", "Hint 1", async (server) => {
    const { port } = server;
    const headers = { "Content-Type": "application/json" };
    const post = open({ host: "127.0.0.1", port, method: "POST", path: "/messages", headers });
    post.on("error", () => {});
    const answered = inBackground(once(post, "response"));
    // Its headers reach the server now, and its body later.
    post.flushHeaders();
    await pause(50);
    const etag = await etagOf(server);
    post.end(JSON.stringify({ from: "Ada", text: "Hello" }));
    await within(2_000, answered, () => new CheckFailed("an answer to POST /messages", "none came"));
    post.destroy();
    const { status } = await askAgain(server, etag);
    expectThat(
      status === 200,
      `status 200 for ${get}, asked twice: while "Hello" was still on its way to the server, and when it was in the log`,
      `status ${status}: "Hello" would never arrive. Both answers had the same ETag, since it changed before log.add was called`,
    );
  }),

  check("an answer holds what came after the cursor in its own request", "Exercise", async (server) => {
    for (const text of ["one", "two", "three"]) await postMessage(server, text);
    for (const [after, expected] of [
      [0, "one, two, three"],
      [2, "three"],
      [0, "one, two, three"],
    ] as const) {
      const answer = await request(server, `/messages?after=${after}`);
      expectThat(
        answer.status === 200,
        `status 200 for GET /messages?after=${after} without If-None-Match: this client has no earlier answer to use again`,
        `status ${answer.status}`,
      );
      const { messages = [] } = await answer.json();
      const texts = messages.map(({ text }: { text: string }) => text).join(", ");
      expectThat(
        texts === expected,
        `"${expected}" in the answer to GET /messages?after=${after}, after "one", "two" and "three" were said`,
        `it held "${texts}". If you keep an answer, keep one for each cursor`,
      );
    }
  }),

  check("a request without an ETag gets 200, even when nothing is new", "Hint 2", async (server) => {
    const answer = await request(server, path);
    expectThat(
      answer.status === 200,
      `status 200 for ${get} without If-None-Match: this client has no earlier answer to use again`,
      `status ${answer.status}`,
    );
  }),

  check("the ETag changes even when the log is full", "Hint 1", async (server) => {
    await postAll(server, new Array(1_000).fill("Hello"), 0, 20);
    const etag = await etagOf(server);
    await postMessage(server, "Hello");
    const answer = await askAgain(server, etag);
    expectThat(
      answer.status === 200,
      `status 200 for ${get}, asked twice, with message 1,001 said in between. The log keeps 1,000, so now it begins with message 2`,
      `status ${answer.status}: neither the number of messages in an answer nor their texts are enough for an ETag`,
    );
  }),

  check("the ETag changes even when two messages come in the same millisecond", "Hint 1", async (server) => {
    // Without a debugger this can't be checked: some computers don't allow one.
    if (!(await server.stopClock())) return expectQuiet();
    await postMessage(server, "Hello");
    const etag = await etagOf(server);
    await postMessage(server, "Hello again");
    const answer = await askAgain(server, etag);
    expectThat(
      answer.status === 200,
      `status 200 for ${get}, asked twice, with a message said in between, in the same millisecond as the one before`,
      `status ${answer.status}: the time of a message isn't enough for an ETag`,
    );
  }),

  check("the answer to one page doesn't depend on the requests of another", "Hint 2", async (server) => {
    const old = await etagOf(server);
    await postMessage(server, "Hello");
    // Ada's page has everything.
    const etag = await etagOf(server);
    const first = await askAgain(server, etag);
    // Grace's page has just been opened, Alan's has missed the message.
    const grace = await request(server, path);
    const alan = await askAgain(server, old);
    await askAgain(server, etag);
    for (const [name, sent, { status }] of [
      ["Grace", "no If-None-Match", grace],
      ["Alan", `If-None-Match: ${old}, from before the message,`, alan],
    ] as const)
      expectThat(
        status === 200,
        `status 200 for ${name}, who sends ${sent} right after Ada got a 304`,
        `status ${status}: compare with the ETag that this request sends, not with earlier requests`,
      );
    const ada = await askAgain(server, etag);
    expectThat(
      ada.status === 304,
      "status 304 for Ada again: nobody has said anything since she asked",
      first.status === 304
        ? `status ${ada.status}: Grace's and Alan's requests in between made the difference`
        : `status ${ada.status}, and it was ${first.status} before Grace and Alan asked`,
    );
  }),

  check("the ETag of a slow answer matches its content", "Hint 2", async (server) => {
    // Each answer takes up to two seconds. Among so many, some arrive soon.
    const slow = Array.from({ length: 30 }, () => inBackground(request(server, `${path}&slow`)));
    // Sent last: when this is answered, the server has received all of them.
    await request(server, path);
    await postMessage(server, "Hello");
    let posted = false;
    const early: string[] = [];
    let [late, over] = [0, 0];
    for (const asked of slow)
      void (async () => {
        const { headers, body } = await asked;
        const { messages = [] } = await new Response(body).json();
        // An earlier answer may have been made before the message was said. It proves nothing.
        if (!posted) return;
        if (messages.length === 0) early.push(headers.get("ETag") ?? "");
        else late++;
      })()
        .catch(() => {})
        .finally(() => over++);
    await pause(20);
    posted = true;
    const etags = await eventually(
      () => (early.length >= 3 || over === slow.length) && early,
      `answers to GET ${path}&slow`,
      () => "none came",
      2_500,
    );
    // This computer was so busy that all of them were answered before.
    if (etags.length + late === 0) await cannotTell();
    // Without an empty answer there is nothing to test: an answer that is made after the pause has every message.
    for (const etag of etags) {
      expectThat(etag !== "", `an ETag header in the answer to GET ${path}&slow`, "it had none");
      const again = await askAgain(server, etag);
      expectThat(
        again.status === 200,
        `status 200 for If-None-Match: ${etag}: the answer with this ETag lacks "Hello", which was said during its pause`,
        `status ${again.status}: "Hello" would never arrive. The ETag was made after the pause, the answer before it`,
      );
    }
  }),

  check("after a restart, an old ETag doesn't match the new log", "Hint 3", async (server) => {
    const restarted = await server.startAnother();
    for (const both of ["are empty", "hold one message, with the same text"]) {
      const answer = await askAgain(restarted, await etagOf(server));
      expectThat(
        answer.status === 200,
        `status 200 from a restarted server for the ETag from before. Both logs ${both}, but each answer names its own log`,
        `status ${answer.status}: both servers gave the same ETag`,
      );
      for (const each of [server, restarted]) await postMessage(each, "Hello");
    }
  }),

  check("a browser may keep the answer, and asks the server before each use", "Hint 3", async (server) => {
    const answer = await request(server, path);
    expectThat(
      mayBeKept(answer),
      "Cache-Control: no-cache in a 200. Otherwise no browser sends If-None-Match by itself",
      cacheControl(answer),
    );
  }),

  check("a 304 has the same headers as the 200", "Hint 3", async (server) => {
    const etag = await etagOf(server);
    const answer = await askAgain(server, etag);
    expectThat(
      answer.status === 304,
      `status 304 for ${get}, asked twice, and nothing said in between`,
      `status ${answer.status}`,
    );
    // RFC 9110 §15.4.5: a browser updates the headers of its stored answer from a 304.
    expectThat(
      mayBeKept(answer),
      "Cache-Control: no-cache in a 304 as well. Otherwise the browser drops its stored answer",
      `${cacheControl(answer)}. Set the headers before you decide between 304 and 200`,
    );
    expectThat(
      answer.headers.get("ETag") === etag,
      `ETag: ${etag} in the 304 as well`,
      answer.headers.has("ETag") ? `ETag: ${answer.headers.get("ETag")}` : "it had no ETag",
    );
  }),
];
