// Tests of the state as a page has it: shown without waiting, confirmed or corrected later, and never sent back.
import { expect, test } from "vitest";
import { SharedState } from "./shared-state.ts";

const room = { track: 0, playing: false, position: 0, at: 1_000, revision: 4 };

function pageWith(state = room) {
  const sent: object[] = [];
  const shared = new SharedState((message) => sent.push(message));
  shared.welcome(state, true);
  return { shared, sent };
}

test("a press is shown without waiting, sent with the revision that was seen, and confirmed later", () => {
  const { shared, sent } = pageWith();
  shared.press({ type: "play" }, 2_000);
  expect(shared.state).toMatchObject({ playing: true, at: 2_000 });
  expect(sent).toEqual([{ type: "play", revision: 4 }]);
  shared.changed({ ...room, playing: true, at: 2_080, revision: 5 }, true, 2_160);
  expect(shared.state).toMatchObject({ playing: true, at: 2_080, revision: 5 });
  expect(shared.waiting).toBeUndefined();
  expect(sent).toHaveLength(1);
});

test("a state from the server is never sent back", () => {
  const { shared, sent } = pageWith();
  shared.changed({ ...room, playing: true, revision: 5 }, false, 0);
  shared.changed({ ...room, track: 1, revision: 6 }, true, 0); // by us, before a reconnect
  shared.refused(0, { ...room, track: 2, revision: 7 });
  expect(shared.state?.track).toBe(2);
  expect(sent).toEqual([]);
});

test("a press that follows an unanswered one is sent after the answer, against the new revision", () => {
  const { shared, sent } = pageWith();
  shared.press({ type: "play" }, 2_000);
  shared.press({ type: "next" }, 2_010);
  for (const position of [300, 400, 500]) shared.press({ type: "seek", position }, 2_020);
  expect(shared.state).toMatchObject({ playing: true, track: 1, position: 500 });
  expect(sent).toHaveLength(1);
  shared.changed({ ...room, playing: true, revision: 5 }, true, 2_100);
  expect(sent.at(-1)).toEqual({ type: "next", revision: 5 });
  expect(shared.state).toMatchObject({ playing: true, track: 1, position: 500 });
  shared.changed({ ...room, playing: true, track: 1, revision: 6 }, true, 2_200);
  // A moving slider sends many positions, and only the last one counts.
  expect(sent.at(-1)).toEqual({ type: "seek", position: 500, revision: 6 });
  expect(sent).toHaveLength(3);
});

test("when somebody was first, theirs is shown, and ours is forgotten", () => {
  const { shared, sent } = pageWith();
  shared.press({ type: "play" }, 2_000);
  shared.press({ type: "next" }, 2_010);
  const theirs = { ...room, track: 2, revision: 5 };
  shared.changed(theirs, false, 2_050);
  expect(shared.state).toEqual(theirs);
  shared.refused(2_100, theirs);
  expect(shared.state).toEqual(theirs);
  expect(sent).toEqual([{ type: "play", revision: 4 }]);
});

test("a press after seeing the others' change is sent after the refusal", () => {
  const { shared, sent } = pageWith();
  shared.press({ type: "play" }, 2_000);
  shared.changed({ ...room, track: 2, revision: 5 }, false, 2_050);
  shared.press({ type: "pause" }, 2_060);
  shared.refused(2_100, { ...room, track: 2, revision: 5 });
  expect(sent.at(-1)).toEqual({ type: "pause", revision: 5 });
});

test("after a reconnect a press that had no answer is sent again, unless it was obeyed or the server is another one", () => {
  const { shared, sent } = pageWith();
  shared.press({ type: "play" }, 2_000);
  shared.welcome(room, true);
  expect(sent).toEqual([
    { type: "play", revision: 4 },
    { type: "play", revision: 4 },
  ]);
  expect(shared.state?.playing).toBe(true);
  shared.welcome({ ...room, playing: true, revision: 5 }, true);
  expect([sent.length, shared.waiting]).toEqual([2, undefined]);
  shared.press({ type: "pause" }, 3_000);
  shared.welcome({ ...room, revision: 5 }, false);
  expect([sent.length, shared.waiting]).toEqual([3, undefined]);
});

test("a vote is sent again after a reconnect, unless its track is over or the server is another one", () => {
  const { shared, sent } = pageWith();
  shared.vote();
  shared.welcome(room, true);
  expect(sent).toEqual([
    { type: "vote", track: 0 },
    { type: "vote", track: 0 },
  ]);
  shared.welcome(room, false);
  shared.changed({ ...room, track: 1, revision: 5 }, false, 0);
  shared.welcome({ ...room, revision: 6 }, true);
  expect(sent).toHaveLength(2);
});
