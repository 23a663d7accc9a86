// What lesson 7's server promises. Promises that lesson 6's server makes as well are tested there.
import { describe, expect, test } from "vitest";
import { everySocketServer } from "../../shared/machinery/testing/every-server.ts";
import { Client, type Received, startServer, until } from "../../shared/machinery/testing/lesson.ts";

everySocketServer("07-outbox", async (client) => {
  client.send({ type: "resume", after: 0 });
  await client.receives("replay");
});

/** Opens a connection and sends `resume`, as the page called `page` unless there is no name. */
async function resume(port: number, page?: string, after = 0): Promise<Client> {
  const client = await Client.open(port);
  client.send({ type: "resume", after, page });
  await client.receives("replay");
  return client;
}

/** The texts of all messages that it received, replayed or live, in that order. */
const texts = ({ received }: Client) =>
  received.flatMap((one) =>
    one.type === "replay"
      ? one.messages.map(({ text }: Received) => text)
      : one.type === "message"
        ? [one.text]
        : [],
  );
const acks = ({ received }: Client) => received.filter(({ type }) => type === "ack");
const hello = { type: "say", from: "Ada", text: "Hello" };

let started: ReturnType<typeof startServer> | undefined;
/** One server for all tests. Each uses pages of its own. */
async function server() {
  started ??= startServer("07-outbox");
  return (await started).port;
}

// The first test: nobody has said anything yet.
test("a message that is sent twice is shown once, and acknowledged each time", async () => {
  const port = await server();
  const ada = await resume(port, "a1");
  ada.send({ ...hello, id: "a1-1", text: "1" });
  ada.send({ ...hello, id: "a1-1", text: "1" });
  ada.send({ ...hello, id: "a1-2", text: "2" });
  await ada.receives("ack", ({ id }) => id === "a1-2");
  // The exercise gathers acknowledgements: our solution needs one.
  if (!process.env.SOLUTIONS)
    expect(acks(ada)).toEqual([
      { type: "ack", id: "a1-1", double: false },
      { type: "ack", id: "a1-1", double: true },
      { type: "ack", id: "a1-2", double: false },
    ]);
  // Over another connection, where the acknowledgement was lost with the first one.
  const again = await resume(port, "a1");
  again.send({ ...hello, id: "a1-2", text: "2" });
  expect(await again.receives("ack", ({ double }) => double)).toMatchObject({ id: "a1-2" });
  again.send({ ...hello, text: "the last" });
  await again.receives("message", ({ text }) => text === "the last");
  expect(texts(again)).toEqual(["1", "2", "the last"]);
});

test("the last acknowledgement is repeated before the replay", async () => {
  const port = await server();
  const ada = await resume(port, "repeated");
  ada.send({ ...hello, id: "repeated-1" });
  await ada.receives("ack");
  const again = await resume(port, "repeated");
  expect(again.received.slice(0, 2)).toMatchObject([
    { type: "ack", id: "repeated-1", double: false },
    { type: "replay" },
  ]);
});

test("a page that resumes on a new socket ends the one it left behind, again and again", async () => {
  const port = await server();
  const sockets = [await resume(port, "ghost")];
  for (let n = 1; n <= 3; n++) {
    sockets.push(await resume(port, "ghost"));
    expect(await sockets[n - 1]?.closed).toMatchObject({ code: 1006 });
  }
  sockets[3]?.send({ ...hello, id: "ghost-1", text: "It is me" });
  await sockets[3]?.receives("message", ({ text }) => text === "It is me");
});

describe("a connection speaks for one page:", () => {
  const foreign = /^id: not of the page/;

  test("an id of another page is refused, and that page is not disturbed", async () => {
    const port = await server();
    const [ada, mallory] = [await resume(port, "victim"), await resume(port, "mallory")];
    ada.send({ ...hello, id: "victim-1", text: "honest" });
    await ada.receives("ack");
    mallory.send({ ...hello, id: "victim-2", text: "stolen" });
    expect(await mallory.receives("refused")).toMatchObject({
      id: "victim-2",
      reason: expect.stringMatching(foreign),
    });
    ada.send({ ...hello, id: "victim-2", text: "honest, too" });
    expect(await ada.receives("ack", ({ id }) => id === "victim-2")).toMatchObject({ double: false });
    expect(texts(ada)).not.toContain("stolen");
  });

  test("without a page's name no id is accepted, before resume and after it", async () => {
    const port = await server();
    const early = await Client.open(port);
    early.send({ ...hello, id: "early-1" });
    expect((await early.receives("refused")).reason).toMatch(foreign);
    const nameless = await resume(port);
    nameless.send({ ...hello, id: "nameless-1" });
    expect((await nameless.receives("refused")).reason).toMatch(foreign);
  });

  test("ten thousand and one ids from one socket make the server forget nobody", async () => {
    const port = await server();
    const honest = await resume(port, "honest");
    honest.send({ ...hello, id: "honest-1", text: "said once" });
    await honest.receives("ack");
    honest.socket.close();
    const hostile = await resume(port, "hostile");
    for (let n = 1; n <= 10_001; n++) hostile.send({ ...hello, id: `k${n}-1` });
    expect(await hostile.closed).toMatchObject({ code: 1008 });
    const again = await resume(port, "honest");
    again.send({ ...hello, id: "honest-1", text: "said once" });
    expect(await again.receives("ack", ({ double }) => double)).toMatchObject({ id: "honest-1" });
    expect(texts(again).filter((text) => text === "said once")).toHaveLength(1);
  });
});

test.each([
  [{ ...hello, id: "12" }, /^id: must be the page's name and a count/],
  [{ ...hello, id: "a1-0" }, /^id: must be/],
  [{ ...hello, id: "a1-1e3" }, /^id: must be/],
  [{ ...hello, id: 12 }, /^id: must be/],
  [{ type: "resume", after: 0, page: "a-1" }, /^page: must be 1 to 40/],
])("%j is refused in words", async (message, reason) => {
  const client = await Client.open(await server());
  client.send(message);
  expect((await client.receives("refused")).reason).toMatch(reason);
});

test("a refusal says which message it means", async () => {
  const client = await Client.open(await server());
  client.send({ ...hello, id: "a1-1", text: " " });
  expect(await client.receives("refused")).toMatchObject({
    id: "a1-1",
    reason: expect.stringMatching(/blank/),
  });
});

test("a client that never resumes is told what to send", async () => {
  const client = await Client.open(await server());
  expect((await client.receives("refused")).reason).toMatch(/"type":"resume"/);
});

test("a client without a page's name may speak, but gets no acknowledgement", async () => {
  const client = await resume(await server());
  client.send({ ...hello, text: "no id" });
  await client.receives("message", ({ text }) => text === "no id");
  expect(acks(client)).toEqual([]);
  await until(() => client.socket.readyState === 1);
});
