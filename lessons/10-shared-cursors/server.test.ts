// Tests of lesson 10's server: positions are state, ripples are events, and bad bytes cost one connection.
import { beforeAll, describe, expect, test } from "vitest";
import { everySocketServer } from "../../shared/machinery/testing/every-server.ts";
import {
  Client,
  type LessonServer,
  type Received,
  rawWebSocket,
  startServer,
  until,
} from "../../shared/machinery/testing/lesson.ts";
import type { Presence } from "./messages.ts";
import { fromBytes, type Position } from "./positions.ts";

const enter = async (client: Client, wishes = {}) => {
  client.send({ type: "join", name: "Guest", ...wishes });
  await client.receives("welcome");
};

everySocketServer("10-shared-cursors", enter, {
  say: (text) => ({ type: "join", name: text }),
  type: "here",
  // A name that another client still has is marked: "Guest (2)".
  has: ({ people }, text) => people.some(({ name = "" }) => name.replace(/ \(\d+\)$/, "") === text),
});

let server: LessonServer;
beforeAll(async () => {
  // Without beats of its own: a client that asks for one knows that the server has taken all that it sent before.
  server = await startServer("10-shared-cursors", { PING_EVERY_MS: "3600000" });
});

/** A client that has joined, and its id. */
async function join(name: string, wishes: { together?: boolean; binary?: boolean } = {}, port = server.port) {
  const client = await Client.open(port);
  await enter(client, { name, ...wishes });
  const { id } = await client.receives("welcome");
  return { client, id: id as number };
}

const move = ({ client }: { client: Client }, x: number, y = 0) => client.send({ type: "move", x, y });
const bytesOf = (x: number, y: number) => Buffer.from([x >> 8, x & 255, y >> 8, y & 255]);

/** A short text as a client sends it, masked with a key of zeros. */
const textFrame = (text: string) =>
  Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);

/** Every position of somebody's pointer that a client has received, in any way. */
const positionsOf = (id: number, { client }: { client: Client }): Position[] =>
  client.received
    .flatMap((one: Received) => (Buffer.isBuffer(one) ? fromBuffer(one) : (one.pointers ?? [])))
    .filter((position: Position) => position.id === id);
const fromBuffer = (bytes: Buffer) => fromBytes(new Uint8Array(bytes).buffer);
const isGone = (id: number) => (presence: Presence) => presence.id === id && !presence.name;
const frames = ({ client }: { client: Client }) =>
  client.received.filter((one) => Buffer.isBuffer(one) || one.type === "moved");
const arrives = (id: number, x: number, at: { client: Client }) =>
  until(() => positionsOf(id, at).some((position) => position.x === x));
/** How many frames are few: `count`, or more where this computer has needed longer than twenty a second would take. */
function atMost(count: number) {
  const began = performance.now();
  return () => Math.max(count, (performance.now() - began) / 50 + 5);
}
const leave = (...all: { client: Client }[]) => {
  for (const { client } of all) client.socket.close();
};

test("a position reaches everybody in the way that each of them has asked for", async () => {
  const ada = await join("Ada", { binary: true });
  const [json, binary] = [await join("Grace"), await join("Alan", { binary: true, together: false })];
  move(ada, 513, 65_535);
  ada.client.socket.send(bytesOf(514, 1));
  for (const each of [ada, json, binary]) await arrives(ada.id, 514, each);
  expect(json.client.received.some((one) => Buffer.isBuffer(one))).toBe(false);
  const [bytes] = frames(binary) as Buffer[];
  const id = [0, 0, ada.id >> 8, ada.id & 255];
  expect([...(bytes ?? [])]).toEqual([...id, 2, 1, 255, 255]);
  leave(ada, json, binary);
});

test("a pointer that moves within a frame is sent once, at its last place, unless a page asks for each position", async () => {
  const [ada, grace] = [await join("Ada"), await join("Grace")];
  const each = await join("Alan", { together: false });
  const most = atMost(40);
  for (let x = 1; x <= 300; x++) {
    move(ada, x);
    move(grace, 10_000 + x);
  }
  await arrives(grace.id, 10_300, ada);
  await arrives(ada.id, 300, ada);
  expect(positionsOf(ada.id, each).map(({ x }) => x)).toEqual(Array.from({ length: 300 }, (_, n) => n + 1));
  expect(frames(each)).toHaveLength(600);
  expect(frames(ada).length).toBeLessThan(most());
  const last = frames(ada).at(-1) as { pointers: Position[] };
  expect(new Set(last.pointers.map(({ id }) => id)).size).toBe(last.pointers.length);
  leave(ada, grace, each);
});

test("nothing is sent while nothing moves", async () => {
  const ada = await join("Ada");
  move(ada, 7);
  await arrives(ada.id, 7, ada);
  const before = ada.client.received.length;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(ada.client.received.length).toBe(before);
  leave(ada);
});

test("a pointer that has gone moves no more, even if it moved just before", async () => {
  const ada = await join("Ada");
  for (let n = 1; n <= 10; n++) {
    const guest = await join(`Guest ${n}`);
    move(guest, n);
    guest.client.socket.close();
    await ada.client.receives("here", ({ people }) => people.some(isGone(guest.id)));
  }
  move(ada, 11);
  await arrives(ada.id, 11, ada);
  const gone = ada.client.received.flatMap(({ type, people }) =>
    type === "here" ? people.filter(({ name }: Presence) => !name) : [],
  );
  for (const { id } of gone) {
    const left = ada.client.received.findIndex(({ people }) => people?.some(isGone(id)));
    const after = ada.client.received.slice(left).flatMap(({ pointers = [] }) => pointers);
    expect(after.filter((position: Position) => position.id === id)).toEqual([]);
  }
  leave(ada);
});

test("every ripple reaches everybody, its author included, once and in order", async () => {
  const [ada, grace] = [await join("Ada"), await join("Grace", { binary: true })];
  for (let n = 1; n <= 200; n++) ada.client.send({ type: "ripple", n, x: n, y: 0 });
  for (const { client } of [ada, grace]) {
    await client.receives("ripple", ({ n }) => n === 200);
    const ripples = client.received.filter(({ type }) => type === "ripple");
    expect(ripples.map(({ n }) => n)).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
    expect(ripples[0]).toEqual({ type: "ripple", n: 1, x: 1, y: 0, id: ada.id });
  }
  leave(ada, grace);
});

test("a newcomer learns who is here, and everybody learns who comes, leaves or takes another name", async () => {
  // A name of its own, since those of earlier tests may still be taken.
  const ada = await join("Hedy");
  const other = await join("HEDY ");
  const { people } = await other.client.receives("welcome");
  expect(people).toContainEqual({ id: ada.id, name: "Hedy" });
  const receives = (client: Client, person: object) =>
    client.receives("here", ({ people }) => people.some((one: object) => same(one, person)));
  const same = (one: object, other: object) => JSON.stringify(one) === JSON.stringify(other);
  await receives(ada.client, { id: other.id, name: "HEDY (2)" });
  other.client.send({ type: "join", name: "Grace" });
  await receives(ada.client, { id: other.id, name: "Grace" });
  // Crashed, without a close frame. Nobody pings here, so only the closed connection tells the server.
  other.client.socket.terminate();
  await receives(ada.client, { id: other.id });
  leave(ada);
});

test("fifty clients that come together cause only a few messages", async () => {
  const ada = await join("Ada");
  const most = atMost(25);
  const guests = await Promise.all(Array.from({ length: 50 }, () => join("Guest")));
  const known = () =>
    new Set(
      ada.client.received.filter(({ type }) => type === "here").flatMap(({ people }) => people.map(idOf)),
    );
  await until(() => guests.every(({ id }) => known().has(id)));
  expect(ada.client.received.filter(({ type }) => type === "here").length).toBeLessThan(most());
  leave(ada, ...guests);
});

test("a client that doesn't read gets fewer positions, not older ones, and stays", async () => {
  const slow = await rawWebSocket(server.port);
  slow.write(textFrame('{"type":"join","name":"Slow","together":false}'));
  const ada = await join("Ada");
  await until(() => ada.client.received.some((one) => JSON.stringify(one).includes('"Slow"')));
  slow.pause();
  // 61 bytes each: more than the 4 MB that Linux keeps for a reader that is late. Nobody else wants each of them.
  const [senders, times] = [42, 1_900];
  const others = await Promise.all(Array.from({ length: senders }, () => join("Guest", { binary: true })));
  for (const { client } of others) {
    for (let x = 0; x < times; x++) client.socket.send(bytesOf(30_000 + x, 0));
    client.send({ type: "beat" });
  }
  for (const { client } of others) await client.receives("beat");
  let received = "";
  slow.on("data", (bytes) => {
    received += bytes.toString("latin1");
  });
  slow.resume();
  // Only what moves from now on is certain to arrive.
  await until(() => {
    move(ada, 7);
    return received.includes(`"id":${ada.id},"x":7,`);
  });
  expect(received.split('"moved"').length).toBeLessThan(senders * times);
  slow.destroy();
  leave(ada, ...others);
});
const idOf = ({ id }: { id: number }) => id;

describe("bad input:", () => {
  test.each([[0], [3], [5], [8]])("a position of %i bytes is closed with 1003", async (length) => {
    const { client } = await join("Ada");
    client.socket.send(Buffer.alloc(length));
    expect(await client.closed).toEqual({ code: 1003, reason: "not a binary message of this server" });
  });

  const ripple = { type: "ripple", n: 1, x: 1, y: 1 };
  test.each([
    [{ type: "move", x: 65_536, y: 0 }, /^x: must be a whole number from 0 to 65535/],
    [{ type: "move", x: -1, y: 0 }, /^x: must be/],
    [{ type: "move", x: 0.5, y: 0 }, /^x: must be/],
    [{ type: "move", x: 1 }, /^y: is missing/],
    // A page speaks for its own pointer.
    [{ type: "move", id: 1, x: 1, y: 1 }, /^id: unknown field/],
    [{ ...ripple, id: 1 }, /^id: unknown field/],
    [{ ...ripple, n: 0 }, /^n: must be a whole number, 1 or more/],
    [{ ...ripple, n: 1e300 }, /^n: must be/],
    [{ type: "join", name: "Ada", binary: 1 }, /^binary: must be true or false/],
    [{ type: "join", name: " " }, /^name: is blank/],
    [{ type: "join", name: "Server" }, /^name: is reserved/],
    [{ type: "join", name: "x".repeat(41) }, /^name: is longer than 40/],
    [{ type: "look", left: 0, top: 0, right: 1 }, /^bottom: is missing/],
    [{ type: "say", from: "Ada", text: "Hello" }, /^type: must be one of join, move, ripple, look, beat/],
  ])("%j is refused in words, and the connection stays", async (message, reason) => {
    const ada = await join("Ada");
    ada.client.send(message);
    expect((await ada.client.receives("refused")).reason).toMatch(reason);
    move(ada, 1);
    await arrives(ada.id, 1, ada);
    leave(ada);
  });

  test("a client that hasn't joined is asked to, in text and in binary, and moves nothing", async () => {
    const [ada, stranger] = [await join("Ada"), await Client.open(server.port)];
    stranger.send({ type: "move", x: 1, y: 1 });
    stranger.socket.send(bytesOf(1, 1));
    await until(() => stranger.received.filter(({ type }) => type === "refused").length === 2);
    expect(stranger.received[0].reason).toMatch(/^type: must be one of join, beat/);
    move(ada, 5);
    await arrives(ada.id, 5, ada);
    expect(frames(ada).flatMap(({ pointers }) => pointers.map(idOf))).toEqual([ada.id]);
    leave(ada);
    stranger.socket.close();
  });

  test("a flood of positions is closed with 1008, and those of the others arrive meanwhile", async () => {
    const [ada, flood] = [await join("Ada"), await join("Mallory")];
    for (let n = 0; n < 4_000; n++) flood.client.socket.send(bytesOf(n, n));
    move(ada, 9);
    await arrives(ada.id, 9, ada);
    expect(await flood.client.closed).toMatchObject({ code: 1008 });
    leave(ada);
  });
});

test("a client that has fallen silent is terminated, and its pointer leaves the board", async () => {
  const { port } = await startServer("10-shared-cursors", { PING_EVERY_MS: "300", GRACE_MS: "2000" });
  const ada = await join("Ada", {}, port);
  const silent = await rawWebSocket(port);
  silent.write(textFrame('{"type":"join","name":"Grace"}'));
  silent.resume();
  await ada.client.receives("here", ({ people }) =>
    people.some((one: { name?: string }) => one.name === "Grace"),
  );
  await ada.client.receives("here", ({ people }) => people.some((one: { name?: string }) => !one.name));
  expect(ada.client.socket.readyState).toBe(1);
  silent.destroy();
});
