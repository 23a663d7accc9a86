// What lesson 6's server promises.
import { describe, expect, test } from "vitest";
import { everySocketServer } from "../../shared/machinery/testing/every-server.ts";
import {
  Client,
  type Heard,
  rawWebSocket,
  startServer,
  until,
} from "../../shared/machinery/testing/lesson.ts";

everySocketServer("06-resume", async (client) => {
  client.send({ type: "resume", after: 0 });
  await client.hears("replay");
});

/** Opens a connection and sends `resume`. */
async function resume(port: number, fields: object = { after: 0 }): Promise<Client> {
  const client = await Client.open(port);
  client.send({ type: "resume", ...fields });
  await client.hears("replay");
  return client;
}

/** The ids of all messages that it received, replayed or live, in that order. */
const ids = ({ heard }: Client) =>
  heard.flatMap((one) =>
    one.type === "replay" ? one.messages.map(({ id }: Heard) => id) : one.type === "message" ? [one.id] : [],
  );
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, n) => first + n);
const hello = { type: "say", from: "Ada", text: "Hello" };

async function talk(client: Client, count: number) {
  for (let n = 1; n <= count; n++) client.send({ ...hello, text: `${n}` });
  const before = ids(client).length;
  await until(() => ids(client).length >= before + count);
}

test("a client that resumes gets what came after its cursor, and then what is said live", async () => {
  const { port } = await startServer("06-resume");
  const ada = await resume(port);
  await talk(ada, 5);
  const grace = await resume(port, { after: 3, log: ada.heard.find(({ type }) => type === "replay").log });
  expect(grace.heard.find(({ type }) => type === "replay")).toMatchObject({ reset: false });
  await talk(ada, 2);
  await until(() => ids(grace).length >= 4);
  expect(ids(grace)).toEqual([4, 5, 6, 7]);
});

test("nothing is missing and nothing comes twice where replay and live meet, while somebody goes on talking", async () => {
  const { port } = await startServer("06-resume");
  const ada = await resume(port);
  await talk(ada, 500);
  let talking = true;
  const talked = (async () => {
    for (; talking; await new Promise((resolve) => setTimeout(resolve, 1)))
      for (let n = 0; n < 5; n++) ada.send(hello);
  })();
  const others = await Promise.all(Array.from({ length: 20 }, () => resume(port)));
  await until(() => others.every((other) => other.heard.some(({ type }) => type === "message")));
  talking = false;
  await talked;
  ada.send({ ...hello, text: "the last" });
  const { id: last } = await ada.hears("message", ({ text }) => text === "the last");
  for (const other of [ada, ...others]) {
    await until(() => ids(other).at(-1) === last);
    expect(ids(other)).toEqual(upTo(last));
  }
});

test("before anything arrived, and after a long silence, resuming is no reset", async () => {
  const { port } = await startServer("06-resume");
  const first = await resume(port);
  const { log } = first.heard.find(({ type }) => type === "replay");
  const again = await resume(port, { after: 0, log });
  expect(again.heard.find(({ type }) => type === "replay")).toMatchObject({ reset: false, messages: [] });
  await talk(first, 900);
  const old = await resume(port, { after: 1, log });
  await until(() => ids(old).length === 899);
  expect(old.heard.some(({ reset }) => reset)).toBe(false);
  expect(old.heard.filter(({ type }) => type === "replay").map(({ messages }) => messages.length)).toEqual([
    ...Array(17).fill(50),
    49,
  ]);
});

test("a gap larger than the history is a declared reset, and so is a restarted server", async () => {
  const { port } = await startServer("06-resume", { HISTORY: "100" });
  const ada = await resume(port);
  const { log } = ada.heard.find(({ type }) => type === "replay");
  await talk(ada, 250);
  const late = await resume(port, { after: 100, log });
  await until(() => ids(late).length === 100);
  expect(late.heard.filter(({ reset }) => reset)).toHaveLength(1);
  expect(ids(late)).toEqual(upTo(250, 151));
  const stranger = await resume(port, { after: 240, log: "another" });
  expect(stranger.heard.find(({ type }) => type === "replay")).toMatchObject({ reset: true });
});

test("a client that reads slowly gets its replay piece by piece, however long it is", async () => {
  const { port } = await startServer("06-resume");
  const ada = await resume(port);
  const text = "👩‍👩‍👧‍👦".repeat(500);
  for (let n = 0; n < 300; n++) ada.send({ ...hello, text });
  await until(() => ids(ada).length === 300);
  const slow = await Client.open(port);
  slow.send({ type: "resume", after: 0 });
  slow.socket.pause();
  await new Promise((resolve) => setTimeout(resolve, 300));
  // More than 3 MB, three times what a live client may leave unread.
  slow.socket.resume();
  await until(() => ids(slow).length === 300);
  await talk(ada, 1);
  await until(() => ids(slow).length === 301);
});

test("a page that stops reading is disconnected, long before the heartbeat notices", async () => {
  const server = await startServer("06-resume", { PING_EVERY_MS: "3600000" });
  const slow = await rawWebSocket(server.port);
  slow.pause();
  const resuming = Buffer.from('{"type":"resume","after":0}');
  slow.write(Buffer.concat([Buffer.from([0x81, 0x80 | resuming.length, 0, 0, 0, 0]), resuming]));
  const ada = await resume(server.port);
  await server.prints(/2 connected/);
  const text = "👩‍👩‍👧‍👦".repeat(500);
  const isDisconnected = () => /2 connected\n1 connected/.test(server.output());
  for (let n = 50; n <= 1_500 && !isDisconnected(); n += 50) {
    for (let i = 0; i < 50; i++) ada.send({ ...hello, text });
    await until(() => ids(ada).length === n);
  }
  await until(isDisconnected, 2_000);
  slow.destroy();
});

describe("a message", () => {
  let started: ReturnType<typeof startServer> | undefined;
  function server() {
    started ??= startServer("06-resume");
    return started;
  }

  test("to resume a second time on one connection is refused", async () => {
    const { port } = await server();
    const ada = await resume(port);
    ada.send({ type: "resume", after: 0 });
    expect((await ada.hears("refused")).reason).toMatch(/^resume: once/);
  });

  test("is missing: a client that never resumes is told what to send, and others are not", async () => {
    const { port } = await server();
    const ada = await resume(port);
    const stranger = await Client.open(port);
    expect((await stranger.hears("refused")).reason).toBe('Send {"type":"resume","after":0} first.');
    stranger.send({ type: "resume", after: 0 });
    await stranger.hears("replay");
    expect(ada.heard.some(({ type }) => type === "refused")).toBe(false);
  });

  test.each([
    [{ type: "resume" }, /^after: is missing/],
    [{ type: "resume", after: -1 }, /^after: must be a whole number/],
    [{ type: "resume", after: 1.5 }, /^after: must be a whole number/],
    [{ type: "resume", after: 2 ** 53 }, /^after: must be a whole number/],
    [{ type: "resume", after: "41" }, /^after: must be a whole number/],
    [{ type: "resume", after: 0, log: "../.." }, /^log: must be 1 to 40/],
    [{ type: "resume", after: 0, page: "x".repeat(41) }, /^page: must be 1 to 40/],
  ])("like %j is refused in words", async (message, reason) => {
    const { port } = await server();
    const client = await Client.open(port);
    client.send(message);
    expect((await client.hears("refused")).reason).toMatch(reason);
    client.socket.close();
  });
});
