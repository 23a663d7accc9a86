// Tests of lesson 11's server: one state, in the server's order, and the time.
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
import { ownClock, sample } from "./clock.ts";
import { tracks } from "./state.ts";

const enter = async (client: Client) => {
  client.send({ type: "join", name: "Guest" });
  await client.receives("welcome");
};

everySocketServer("11-jukebox", enter, {
  say: (text) => ({ type: "join", name: text }),
  type: "here",
  // A name that another client still has is marked: "Guest (2)".
  has: ({ people }, text) =>
    people.some(({ name = "" }: { name?: string }) => name.replace(/ \(\d+\)$/, "") === text),
});

let server: LessonServer;
beforeAll(async () => {
  server = await startServer("11-jukebox");
});

/** A client that has joined, with its welcome. */
async function join(name: string, port = server.port) {
  const client = await Client.open(port);
  client.send({ type: "join", name });
  const welcome = await client.receives("welcome");
  return { client, id: welcome.id as number, welcome };
}

/** Sends a command against the present revision, and resolves with the state that it makes. */
async function press({ client }: { client: Client }, type: string, more = {}): Promise<Received> {
  const { revision } = client.received.findLast((one) => "revision" in one);
  client.send({ type, revision, ...more });
  return client.receives("state", (state) => state.revision === revision + 1);
}

const leave = (...all: { client: Client }[]) => {
  for (const { client } of all) client.socket.close();
};

test("a press changes the state for everybody, and says who pressed", async () => {
  const [ada, grace] = [await join("Ada"), await join("Grace")];
  const before = ownClock();
  const state = await press(ada, "play");
  const revision = ada.welcome.revision + 1;
  expect(state).toEqual({
    type: "state",
    track: ada.welcome.track,
    playing: true,
    position: ada.welcome.position,
    at: expect.any(Number),
    revision,
    by: { id: ada.id, name: "Ada", pressed: "play" },
  });
  expect(Math.abs(state.at - before)).toBeLessThan(2_000);
  expect(await grace.client.receives("state")).toEqual(state);
  // A position and its time: nothing is sent while the music plays.
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(grace.client.received.filter(({ type }) => type === "state")).toHaveLength(1);
  leave(ada, grace);
});

test("pause keeps the position that playing has reached, and seek and next set it", async () => {
  const ada = await join("Ada");
  const sought = await press(ada, "seek", { position: 1_234.5 });
  expect(sought.position).toBe(1_234.5);
  const played = await press(ada, "play");
  const paused = await press(ada, "pause");
  expect(paused.playing).toBe(false);
  expect(paused.position - played.position).toBeCloseTo(paused.at - played.at, 3);
  const next = await press(ada, "next");
  expect(next).toMatchObject({ track: (paused.track + 1) % tracks.length, position: 0, playing: false });
  leave(ada);
});

test("of two commands against the same revision the first one is obeyed, and the second answered with the state", async () => {
  const [ada, grace] = [await join("Ada"), await join("Grace")];
  const { revision } = ada.welcome;
  ada.client.send({ type: "seek", position: 1_000, revision });
  const obeyed = await grace.client.receives("state");
  grace.client.send({ type: "seek", position: 2_000, revision });
  const stale = await grace.client.receives("stale");
  expect(stale).toEqual({ ...obeyed, type: "stale" });
  // Nobody else learns of it, and nothing has changed.
  const after = await press(ada, "next");
  expect(after.revision).toBe(revision + 2);
  expect(ada.client.received.some(({ type }) => type === "stale")).toBe(false);
  leave(ada, grace);
});

test("a command that is sent twice is obeyed once, and one from the future not at all", async () => {
  const ada = await join("Ada");
  const { revision, track } = ada.welcome;
  for (let n = 0; n < 2; n++) ada.client.send({ type: "next", revision });
  const stale = await ada.client.receives("stale");
  expect(stale).toMatchObject({ revision: revision + 1, track: (track + 1) % tracks.length });
  ada.client.send({ type: "next", revision: revision + 2 });
  await until(() => ada.client.received.filter(({ type }) => type === "stale").length === 2);
  leave(ada);
});

test("somebody who comes late gets the state with its moment, so that they hear the same bar", async () => {
  const ada = await join("Leslie"); // a name of her own: those of earlier tests may still be taken
  const state = await press(ada, "play");
  const late = await join("Late");
  const { type: _, ...rest } = state;
  expect(late.welcome).toMatchObject(rest);
  expect(late.welcome.people).toContainEqual({ id: ada.id, name: "Leslie" });
  leave(ada, late);
});

test("the time is answered with four timestamps, also before joining", async () => {
  const client = await Client.open(server.port);
  const t1 = ownClock();
  client.send({ type: "time", t1 });
  const answer = await client.receives("time");
  const t4 = ownClock();
  expect(answer).toEqual({ type: "time", t1, t2: expect.any(Number), t3: expect.any(Number) });
  expect(answer.t3).toBeGreaterThanOrEqual(answer.t2);
  const { offsetMs, uncertaintyMs } = sample(t1, answer.t2, answer.t3, t4);
  // One computer, so one clock. Each process has read it once, when it started, to the millisecond.
  expect(Math.abs(offsetMs)).toBeLessThan(uncertaintyMs + 50);
  client.socket.close();
});

test("everybody learns who comes, leaves or takes another name, and nobody learns a page's own name", async () => {
  const hedy = await join("Hedy");
  const other = await Client.open(server.port);
  other.send({ type: "join", name: "HEDY ", page: "k3f9a1" });
  const { id } = await other.receives("welcome");
  const receives = (name?: string) =>
    hedy.client.receives("here", ({ people }) =>
      people.some((one: { id: number; name?: string }) => one.id === id && one.name === name),
    );
  await receives("HEDY (2)");
  other.send({ type: "join", name: "Radia", page: "k3f9a1" });
  await receives("Radia");
  const late = await join("Late");
  other.socket.terminate();
  await receives(undefined);
  expect(JSON.stringify([...hedy.client.received, ...late.client.received])).not.toContain("k3f9a1");
  leave(hedy, late);
});

describe("bad input:", () => {
  test.each([
    [{ type: "play" }, /^revision: is missing/],
    [{ type: "play", revision: "1" }, /^revision: must be a whole number, 0 or more/],
    [{ type: "pause", revision: -1 }, /^revision: must be/],
    [{ type: "next", revision: 0.5 }, /^revision: must be/],
    [{ type: "next", revision: 1e300 }, /^revision: must be/],
    // The server decides when, and where the music is.
    [{ type: "play", revision: 0, at: 5 }, /^at: unknown field/],
    [{ type: "play", revision: 0, position: 5 }, /^position: unknown field/],
    [{ type: "seek", revision: 0 }, /^position: is missing/],
    [
      { type: "seek", revision: 0, position: -1 },
      /^position: must be a number of milliseconds from 0 to 12000/,
    ],
    [{ type: "seek", revision: 0, position: 12_001 }, /^position: must be/],
    [{ type: "seek", revision: 0, position: null }, /^position: must be/],
    ['{"type":"seek","revision":0,"position":1e999}', /^position: must be/],
    [{ type: "time" }, /^t1: is missing/],
    ['{"type":"time","t1":-1e999}', /^t1: must be a number of milliseconds/],
    [{ type: "join", name: "Ada", page: "no spaces" }, /^page: must be 1 to 40 letters/],
    [{ type: "join", name: " " }, /^name: is blank/],
    [{ type: "join", name: "Server" }, /^name: is reserved/],
    [{ type: "vote", track: 3 }, /^track: must be a whole number from 0 to 2/],
    [{ type: "state", revision: 0 }, /^type: must be one of join, time, play, pause, next, seek, vote, beat/],
  ])("%j is refused in words, changes nothing, and the connection stays", async (message, reason) => {
    const ada = await join("Ada");
    ada.client.send(message);
    expect((await ada.client.receives("refused")).reason).toMatch(reason);
    expect((await press(ada, "pause")).revision).toBe(ada.welcome.revision + 1);
    leave(ada);
  });

  test("a client that hasn't joined is asked to, and plays nothing", async () => {
    const stranger = await Client.open(server.port);
    stranger.send({ type: "next", revision: 0 });
    expect((await stranger.receives("refused")).reason).toMatch(/^type: must be one of join, time, beat/);
    stranger.socket.close();
  });

  test("a flood of commands is closed with 1008, and others are answered meanwhile", async () => {
    const [ada, flood] = [await join("Ada"), await join("Mallory")];
    const revision = ada.welcome.revision;
    for (let n = 0; n < 4_000; n++) flood.client.send({ type: "pause", revision: revision + n });
    ada.client.send({ type: "time", t1: 1 });
    await ada.client.receives("time");
    expect(await flood.client.closed).toMatchObject({ code: 1008 });
    leave(ada);
  });
});

test("a client that has fallen silent is terminated, and is no longer here", async () => {
  const { port } = await startServer("11-jukebox", { PING_EVERY_MS: "300", GRACE_MS: "2000" });
  const ada = await join("Ada", port);
  const silent = await rawWebSocket(port);
  const text = '{"type":"join","name":"Grace"}';
  // Masked with a key of zeros.
  silent.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]));
  silent.resume();
  const receives = (check: (one: { name?: string }) => boolean) =>
    ada.client.receives("here", ({ people }) => people.some(check));
  await receives(({ name }) => name === "Grace");
  await receives(({ name }) => !name);
  expect(ada.client.socket.readyState).toBe(1);
  silent.destroy();
});
