// What resume-server.ts and resume-client.ts promise. Lessons 6 and 7 test the two through networks that fail.
import { describe, expect, test, vi } from "vitest";
import { countTurns } from "../machinery/testing/turns.ts";
import { Resume } from "./resume-client.ts";
import { ResumableLog, replay } from "./resume-server.ts";

type Said = { text: string };

function filled(count: number, keep = 1_000) {
  const log = new ResumableLog<Said>(keep);
  for (let n = 1; n <= count; n++) log.add({ text: `${n}` });
  return log;
}

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

describe("the log", () => {
  const ids = ({ messages }: { messages: { id: number }[] }) => messages.map(({ id }) => id);

  test("numbers messages from 1, and has what came after a cursor", () => {
    const log = filled(5);
    expect(log.after({ after: 3, log: log.name })).toEqual({
      reset: false,
      messages: [
        { id: 4, text: "4" },
        { id: 5, text: "5" },
      ],
    });
  });

  test("replaces an id that a message brings", () => {
    const log = new ResumableLog<Said & { id?: number }>(10);
    log.add({ text: "1" });
    expect(log.add({ id: 1_000, text: "2" })).toEqual({ id: 2, text: "2" });
    expect(ids(log.after({ after: 1, log: log.name }))).toEqual([2]);
  });

  test("declares no reset for somebody new, for somebody who has seen nothing yet, and for somebody up to date", () => {
    const log = filled(0);
    for (const cursor of [{ after: 0 }, { after: 0, log: log.name }])
      expect(log.after(cursor)).toEqual({ reset: false, messages: [] });
    log.add({ text: "1" });
    expect(log.after({ after: 1, log: log.name })).toEqual({ reset: false, messages: [] });
    expect(ids(log.after({ after: 0, log: log.name }))).toEqual([1]);
  });

  test.each([
    ["from another log", { after: 40, log: "another" }],
    ["from the future", { after: 51 }],
    ["from before the oldest message kept", { after: 39 }],
  ])("declares a reset for a cursor %s, and gives everything there is", (_what, cursor) => {
    const log = filled(50, 10);
    const { reset, messages } = log.after(cursor);
    expect([reset, ids({ messages })]).toEqual([true, upTo(50, 41)]);
  });

  test("gives somebody new everything that is left, without a reset", () => {
    const missed = filled(50, 10).after({ after: 0 });
    expect([missed.reset, ids(missed)]).toEqual([false, upTo(50, 41)]);
  });

  test("keeps that many messages and no more", () => {
    const log = filled(10_000, 100);
    expect(ids(log.after({ after: 0 }))).toEqual(upTo(10_000, 9_901));
  });
});

describe("a replay", () => {
  /** A client that notes what it is sent, and says when a piece has left. */
  function slowClient() {
    const pieces: { reset: boolean; messages: { id: number }[] }[] = [];
    let left: (error?: Error) => void = () => {};
    const send = (text: string, whenSent: typeof left) => {
      pieces.push(JSON.parse(text));
      left = whenSent;
    };
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    return { send, pieces, left: (error?: Error) => left(error), turn };
  }

  test("sends the next piece only when the one before has left, and goes live in the same turn as the last", async () => {
    const log = filled(120);
    const client = slowClient();
    let live = false;
    replay(client, log, { after: 0 }, () => {
      live = true;
    });
    expect(client.pieces.map(({ messages }) => messages.length)).toEqual([50]);
    client.left();
    await client.turn();
    // Said during the replay, so it is part of it.
    log.add({ text: "late" });
    expect([client.pieces.length, live]).toEqual([2, false]);
    client.left();
    await client.turn();
    expect([client.pieces.length, live]).toEqual([3, true]);
    expect(client.pieces.flatMap(({ messages }) => messages.map(({ id }) => id))).toEqual(upTo(121));
    client.left();
    await client.turn();
    expect(client.pieces).toHaveLength(3);
    expect(client.pieces[0]).toMatchObject({ type: "replay", log: log.name, reset: false });
  });

  test("gives everybody else a turn before each piece, though the network takes it immediately", async () => {
    const turn = countTurns();
    const turns: number[] = [];
    const send = (_text: string, whenSent: () => void) => {
      turns.push(turn());
      whenSent();
    };
    let live = false;
    replay({ send }, filled(250), { after: 0 }, () => {
      live = true;
    });
    await vi.waitUntil(() => live);
    expect(new Set(turns).size).toBe(5);
  });

  test("sends long messages in short pieces, and each of them, however long it is", async () => {
    const log = new ResumableLog<Said>(10);
    for (const length of [5_000, 5_000, 5_000, 5_000, 100_000, 1]) log.add({ text: "x".repeat(length) });
    const client = slowClient();
    let live = false;
    replay(client, log, { after: 0 }, () => {
      live = true;
    });
    for (; !live; await client.turn()) client.left();
    expect(client.pieces.map(({ messages }) => messages.map(({ id }) => id))).toEqual([
      [1, 2, 3, 4],
      [5],
      [6],
    ]);
  });

  test("ends when the connection does", async () => {
    const client = slowClient();
    replay(client, filled(120), { after: 0 }, () => expect.unreachable());
    client.left(new Error("closed"));
    await client.turn();
    expect(client.pieces).toHaveLength(1);
  });

  test("declares a gap when the log has moved on before the next piece", async () => {
    const log = filled(100, 100);
    const client = slowClient();
    replay(client, log, { after: 0 }, () => {});
    for (let n = 0; n < 200; n++) log.add({ text: "late" });
    client.left();
    await client.turn();
    expect(client.pieces.map(({ reset }) => reset)).toEqual([false, true]);
  });
});

describe("a page", () => {
  function page() {
    const seen: number[] = [];
    const told = { seen, replayed: 0, doubles: 0, gaps: [] as string[] };
    const resume = new Resume<{ id: number }>({
      onmessage({ id }, replayed) {
        seen.push(id);
        if (replayed) told.replayed++;
      },
      ongap: (why) => told.gaps.push(why),
      ondouble: () => told.doubles++,
    });
    return Object.assign(told, { resume });
  }
  const messages = (last: number, first = 1) => upTo(last, first).map((id) => ({ id }));

  test("hands each message on once, and its cursor never moves back", () => {
    const { resume, ...told } = page();
    const again = { log: "a", reset: false, messages: messages(2) };
    resume.replay(again);
    for (const id of [2, 1, 3]) resume.message({ id });
    resume.replay(again);
    expect(told.seen).toEqual([1, 2, 3]);
    expect(resume.cursor).toEqual({ after: 3, log: "a" });
  });

  test("counts what it drops, and what was replayed", () => {
    const one = page();
    one.resume.replay({ log: "a", reset: false, messages: messages(2) });
    one.resume.message({ id: 2 });
    expect([one.replayed, one.doubles]).toEqual([2, 1]);
  });

  test("reports a gap once, says why, and starts again with what there is", () => {
    const one = page();
    one.resume.replay({ log: "a", reset: false, messages: messages(3) });
    one.resume.replay({ log: "a", reset: true, messages: messages(20, 11) });
    one.resume.replay({ log: "b", reset: true, messages: messages(2) });
    expect(one.gaps).toEqual(["forgotten", "restarted"]);
    expect(one.seen).toEqual([...upTo(3), ...upTo(20, 11), ...upTo(2)]);
    expect(one.resume.cursor).toEqual({ after: 2, log: "b" });
  });
});
