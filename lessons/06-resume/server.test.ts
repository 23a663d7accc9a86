// Promises of lesson 6's server.
import { expect, test } from "vitest";
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

/** Opens a connection that says where it stands. */
async function resume(port: number, fields: object = { after: 0 }): Promise<Client> {
  const client = await Client.open(port);
  client.send({ type: "resume", ...fields });
  await client.hears("replay");
  return client;
}

/** The ids of all messages it got, replayed or live, as they came. */
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

test("who comes back gets what came after its cursor, and then what is said live", async () => {
  const { port } = await startServer("06-resume");
  const ada = await resume(port);
  await talk(ada, 5);
  const grace = await resume(port, { after: 3, log: ada.heard.find(({ type }) => type === "replay").log });
  expect(grace.heard.find(({ type }) => type === "replay")).toMatchObject({ reset: false });
  await talk(ada, 2);
  await until(() => ids(grace).length >= 4);
  expect(ids(grace)).toEqual([4, 5, 6, 7]);
});

test("no hole and no double where replay and live meet, while somebody talks all the time", async () => {
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

test("what is said twice under one id is shown once, and acknowledged each time", async () => {
  const { port } = await startServer("06-resume");
  const ada = await resume(port, { after: 0, page: "a1" });
  ada.send({ ...hello, id: "a1-1" });
  ada.send({ ...hello, id: "a1-1" });
  ada.send({ ...hello, id: "a1-2" });
  await ada.hears("ack", ({ id }) => id === "a1-2");
  expect(ada.heard.filter(({ type }) => type === "ack")).toEqual([
    { type: "ack", id: "a1-1", double: false },
    { type: "ack", id: "a1-1", double: true },
    { type: "ack", id: "a1-2", double: false },
  ]);
  await until(() => ids(ada).length === 2);
  // Over another connection, where the acknowledgement was lost with the first one.
  const again = await resume(port, { after: 0, page: "a1" });
  again.send({ ...hello, id: "a1-2" });
  expect(await again.hears("ack", ({ double }) => double)).toMatchObject({ id: "a1-2" });
  again.send({ ...hello, text: "the last" });
  await again.hears("message", ({ text }) => text === "the last");
  expect(ids(again)).toEqual([1, 2, 3]);
});

test("the last acknowledgement is said again before the replay", async () => {
  const { port } = await startServer("06-resume");
  const ada = await resume(port, { after: 0, page: "a1" });
  ada.send({ ...hello, id: "a1-1" });
  await ada.hears("ack");
  const again = await resume(port, { after: 0, page: "a1" });
  const told = again.heard.map(({ type }) => type).filter((type) => type === "ack" || type === "replay");
  expect(told).toEqual(["ack", "replay"]);
});

test("a page that comes back replaces the socket it left behind, and keeps its name", async () => {
  const { port } = await startServer("06-resume");
  const grace = await resume(port);
  const ghost = await resume(port, { after: 0, page: "a1" });
  ghost.send({ ...hello, id: "a1-1" });
  await grace.hears("presence", ({ here }) => here === 2);
  const ada = await resume(port, { after: 0, page: "a1" });
  ada.send({ ...hello, id: "a1-2", text: "It is me" });
  expect((await grace.hears("message", ({ text }) => text === "It is me")).from).toBe("Ada");
  await ghost.closed;
  await until(() => grace.heard.filter(({ type }) => type === "presence").at(-1).here === 2);
  expect(ada.socket.readyState).toBe(1);
  // And so does the next one: the ghost's end did not make the server forget who is Ada now.
  await resume(port, { after: 0, page: "a1" });
  await ada.closed;
});

test("before anything arrived, and after a long silence, to resume is no reset", async () => {
  const { port } = await startServer("06-resume");
  const first = await resume(port);
  const { log } = first.heard.find(({ type }) => type === "replay");
  const again = await resume(port, { after: 0, log });
  expect(again.heard.find(({ type }) => type === "replay")).toMatchObject({ reset: false, messages: [] });
  await talk(first, 900);
  const old = await resume(port, { after: 1, log });
  await until(() => ids(old).length === 899);
  expect(old.heard.some(({ reset }) => reset)).toBe(false);
});

test("a gap larger than the history is a declared reset, and so is a server that began anew", async () => {
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

test("a second resume on one connection is refused", async () => {
  const { port } = await startServer("06-resume");
  const ada = await resume(port);
  ada.send({ type: "resume", after: 0 });
  expect((await ada.hears("refused")).reason).toMatch(/^resume: once/);
});

test.each([
  [{ type: "resume" }, /^after: missing/],
  [{ type: "resume", after: -1 }, /^after: must be a whole number/],
  [{ type: "resume", after: 1.5 }, /^after: must be a whole number/],
  [{ type: "resume", after: 2 ** 53 }, /^after: must be a whole number/],
  [{ type: "resume", after: "41" }, /^after: must be a whole number/],
  [{ type: "resume", after: 0, log: "../.." }, /^log: must be 1 to 40/],
  [{ type: "resume", after: 0, page: "x".repeat(41) }, /^page: must be 1 to 40/],
  [{ ...hello, id: "12" }, /^id: must be the page's name and a count/],
  [{ ...hello, id: "a1-1e3" }, /^id: must be/],
  [{ ...hello, id: 12 }, /^id: must be/],
])("%j is refused in words", async (message, reason) => {
  const { port } = await server();
  const client = await Client.open(port);
  client.send(message);
  expect((await client.hears("refused")).reason).toMatch(reason);
  client.socket.close();
});

let started: ReturnType<typeof startServer> | undefined;
function server() {
  started ??= startServer("06-resume");
  return started;
}

test("a refusal says which message it means", async () => {
  const client = await Client.open((await server()).port);
  client.send({ type: "say", id: "a1-1", from: "Ada", text: " " });
  expect(await client.hears("refused")).toMatchObject({ id: "a1-1", reason: expect.stringMatching(/blank/) });
});

test("a page that stops reading is ended, and presence falls", async () => {
  const { port } = await startServer("06-resume");
  const slow = await rawWebSocket(port);
  slow.pause();
  const resuming = Buffer.from('{"type":"resume","after":0}');
  slow.write(Buffer.concat([Buffer.from([0x81, 0x80 | resuming.length, 0, 0, 0, 0]), resuming]));
  const ada = await resume(port);
  await ada.hears("presence", ({ here }) => here === 2);
  const text = "👩‍👩‍👧‍👦".repeat(500);
  for (let n = 0; n < 1_500; n++) {
    ada.send({ ...hello, text });
    if (n % 50 === 49) await until(() => ids(ada).length === n + 1);
  }
  await ada.hears("presence", ({ here }) => here === 1);
  slow.destroy();
});
