// What lesson 6's server promises.
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { everySocketServer } from "../../shared/machinery/testing/every-server.ts";
import {
  Client,
  heavyText,
  type LessonServer,
  type Received,
  rawWebSocket,
  startServer,
  until,
} from "../../shared/machinery/testing/lesson.ts";
import { startCountingTurns } from "../../shared/machinery/testing/turns.ts";

everySocketServer("06-resume", async (client) => {
  client.send({ type: "resume", after: 0 });
  await client.receives("replay");
});

// One server for all tests, with nobody connected when a test begins. It doesn't ping.
let server: LessonServer;
beforeAll(async () => {
  server = await startServer("06-resume", { PING_EVERY_MS: "3600000" });
});

const clients: Client[] = [];
async function open(port = server.port): Promise<Client> {
  const client = await Client.open(port);
  clients.push(client);
  return client;
}
afterEach(async () => {
  for (const { socket } of clients) socket.terminate();
  clients.length = 0;
  await until(() => (server.output().match(/(\d+) connected\n(?!.*connected)/s)?.[1] ?? "0") === "0");
});

/** Opens a connection and sends `resume`. */
async function resume(fields: object = { after: 0 }, port = server.port): Promise<Client> {
  const client = await open(port);
  client.send({ type: "resume", ...fields });
  await client.receives("replay");
  return client;
}

/** All messages that it received, replayed or live, in that order. */
const messagesOf = ({ received }: Client): Received[] =>
  received.flatMap((one) => (one.type === "replay" ? one.messages : one.type === "message" ? [one] : []));
const ids = (client: Client) => messagesOf(client).map(({ id }) => id);
const replays = ({ received }: Client) => received.filter(({ type }) => type === "replay");
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, n) => first + n);
const hello = { type: "say", from: "Ada", text: "Hello" };

let said = 0;
/** Says something new. Resolves with the message when it has come back: live, or as the end of a long replay. */
async function says(client: Client, what: string): Promise<Received> {
  const text = `${what} ${++said}`;
  client.send({ ...hello, text });
  const find = () => messagesOf(client).find((message) => message.text === text);
  await until(find);
  return find() as Received;
}

/** Says that many messages, and waits until all have come back. */
async function talk(client: Client, count: number) {
  for (let n = 1; n <= count; n++) client.send({ ...hello, text: `${n}` });
  const before = ids(client).length;
  await until(() => ids(client).length >= before + count);
}

// The first test: nobody has said anything yet.
test("sends no reset while the log still has everything that the page missed", async () => {
  const first = await resume();
  const [{ log }] = replays(first);
  const again = await resume({ after: 0, log });
  expect(replays(again)).toMatchObject([{ reset: false, messages: [] }]);
  await talk(first, 900);
  const old = await resume({ after: 1, log });
  await until(() => ids(old).length === 899);
  expect(replays(old).some(({ reset }) => reset)).toBe(false);
  expect(replays(old).map(({ messages }) => messages.length)).toEqual([...Array(17).fill(50), 49]);
});

test("a client that resumes gets what came after its cursor, and then what is said live", async () => {
  const ada = await resume();
  const [{ log }] = replays(ada);
  const { id } = await says(ada, "one");
  await talk(ada, 3);
  const grace = await resume({ after: id + 1, log });
  expect(replays(grace)).toMatchObject([{ reset: false }]);
  await talk(ada, 2);
  await until(() => ids(grace).length >= 4);
  expect(ids(grace)).toEqual(upTo(id + 5, id + 2));
});

test("loses nothing and repeats nothing between replay and live, while somebody goes on talking", async () => {
  const early = await resume();
  await says(early, "here");
  await talk(early, 500);
  const ada = await resume();
  let talking = true;
  const talked = (async () => {
    // At this speed it takes more than two seconds to say more than one client may.
    for (; talking; await new Promise((resolve) => setTimeout(resolve, 5)))
      for (let n = 0; n < 5; n++) ada.send(hello);
  })();
  const others = await Promise.all(Array.from({ length: 20 }, () => resume()));
  await until(() => others.every((other) => other.received.some(({ type }) => type === "message")));
  talking = false;
  await talked;
  ada.send({ ...hello, text: "the last" });
  const { id: last } = await ada.receives("message", ({ text }) => text === "the last");
  for (const other of [ada, ...others]) {
    await until(() => ids(other).at(-1) === last);
    expect(ids(other)).toEqual(upTo(last));
  }
});

test("a gap larger than the history is a declared reset, and so is a restarted server", async () => {
  const { port } = await startServer("06-resume", { HISTORY: "100" });
  const ada = await resume({ after: 0 }, port);
  const [{ log }] = replays(ada);
  await talk(ada, 250);
  const late = await resume({ after: 100, log }, port);
  await until(() => ids(late).length === 100);
  expect(late.received.filter(({ reset }) => reset)).toHaveLength(1);
  expect(ids(late)).toEqual(upTo(250, 151));
  const stranger = await resume({ after: 240, log: "another" }, port);
  expect(replays(stranger)[0]).toMatchObject({ reset: true });
});

test("a client that reads slowly gets its replay piece by piece, however long it is", async () => {
  const ada = await resume();
  const { id: after } = await says(ada, "here");
  for (let n = 0; n < 300; n++) ada.send({ ...hello, text: heavyText });
  const { id: last } = await says(ada, "that was long");
  const slow = await open();
  slow.send({ type: "resume", after });
  slow.socket.pause();
  await new Promise((resolve) => setTimeout(resolve, 300));
  // More than 3 MB, three times what a live client may leave unread.
  slow.socket.resume();
  await until(() => ids(slow).at(-1) === last);
  const { id: live } = await says(ada, "and now live");
  await until(() => ids(slow).at(-1) === live);
  expect(ids(slow)).toEqual(upTo(live, after + 1));
  // Of such long messages, a piece has only a few.
  expect(Math.max(...replays(slow).map(({ messages }) => messages.length))).toBeLessThan(10);
});

test("everybody else gets a turn before each piece of a replay, though the network takes it immediately", async () => {
  const [{ port }, turnsOfLongWrites] = await startCountingTurns("06-resume");
  await talk(await resume({ after: 0 }, port), 250);
  const late = await resume({ after: 0 }, port);
  await until(() => ids(late).length === 250 && turnsOfLongWrites().length === 5);
  expect(new Set(turnsOfLongWrites()).size).toBe(5);
});

test("a page that stops reading is disconnected, long before the heartbeat notices", async () => {
  const ada = await resume();
  const { id } = await says(ada, "the last so far");
  const from = server.output().length;
  const slow = await rawWebSocket(server.port);
  slow.pause();
  const resuming = Buffer.from(JSON.stringify({ type: "resume", after: id }));
  slow.write(Buffer.concat([Buffer.from([0x81, 0x80 | resuming.length, 0, 0, 0, 0]), resuming]));
  const isDisconnected = () => /2 connected\n1 connected/.test(server.output().slice(from));
  for (let round = 1; round <= 30 && !isDisconnected(); round++) {
    for (let n = 0; n < 50; n++) ada.send({ ...hello, text: heavyText });
    await says(ada, `round ${round}`);
  }
  await until(isDisconnected, 10_000);
  slow.destroy();
});

describe("a message", () => {
  test("to resume a second time on one connection is refused", async () => {
    const ada = await resume();
    ada.send({ type: "resume", after: 0 });
    expect((await ada.receives("refused")).reason).toMatch(/^resume: once/);
  });

  test("is missing: a client that never resumes is told what to send, and others are not", async () => {
    const ada = await resume();
    const stranger = await open();
    expect((await stranger.receives("refused")).reason).toBe('Send {"type":"resume","after":0} first.');
    stranger.send({ type: "resume", after: 0 });
    await stranger.receives("replay");
    expect(ada.received.some(({ type }) => type === "refused")).toBe(false);
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
    const client = await open();
    client.send(message);
    expect((await client.receives("refused")).reason).toMatch(reason);
  });
});
