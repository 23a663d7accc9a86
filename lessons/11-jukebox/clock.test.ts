// Tests of the parts that know about time: the estimate of a clock, the correction of a drift, the loop and its sound.
import { expect, test } from "vitest";
import { Clock, type Sample, sample } from "./clock.ts";
import { correction, driftOf, jumpMs } from "./drift.ts";
import { loudness, soundAt } from "./sound.ts";
import { after, inLoop, positionAt, type State, tracks } from "./state.ts";

/** A question at `atMs` of our clock over a network with these delays, to a clock that is `offsetMs` ahead of ours. */
const ask = (atMs: number, offsetMs: number, upMs: number, downMs: number) => {
  const t2 = atMs + upMs + offsetMs;
  const t3 = t2 + 7; // the server was busy
  return sample(atMs, t2, t3, t3 - offsetMs + downMs);
};
const clockWith = (...samples: Sample[]) => {
  const clock = new Clock();
  for (const each of samples) clock.add(each);
  return clock;
};

test("with the same delay both ways the estimate is exact, however long the server took", () => {
  expect(ask(1_000, 5_000, 100, 100)).toEqual({ offsetMs: 5_000, uncertaintyMs: 100, takenMs: 1_207 });
  expect(clockWith(ask(1_000, -5_000, 40, 40)).at(10_000)).toBe(5_000);
  expect(clockWith().at(10_000)).toBeUndefined();
});

test("with a one-way delay the estimate errs by half of the difference, and never by more than its uncertainty", () => {
  const { offsetMs, uncertaintyMs } = ask(0, 5_000, 500, 0);
  expect([offsetMs, uncertaintyMs]).toEqual([5_250, 250]);
  for (let n = 0; n < 500; n++) {
    const [up, down] = [Math.random() * 400, Math.random() * 400];
    const one = ask(0, 5_000, up, down);
    expect(one.offsetMs - 5_000).toBeCloseTo((up - down) / 2);
    expect(Math.abs(one.offsetMs - 5_000)).toBeLessThanOrEqual(one.uncertaintyMs);
  }
});

test("the best of eight is the one with the shortest round trip, and late ones don't replace it", () => {
  const clock = clockWith(ask(0, 5_000, 90, 20), ask(250, 5_000, 12, 10), ask(500, 5_000, 70, 30));
  expect(clock.best?.offsetMs).toBe(5_001);
  // Answers that a frozen network held back come late.
  for (let n = 1; n <= 20; n++) clock.add(ask(1_000, 5_000, 1_000 * n, 5));
  expect(clock.best?.offsetMs).toBe(5_001);
  clock.add(ask(30_000, 5_000, 6, 6));
  expect(clock.best?.offsetMs).toBe(5_000);
});

test("an answer about a clock becomes less certain every minute", () => {
  const clock = clockWith(ask(0, 5_000, 5, 5));
  clock.add(ask(10_000, 5_003, 8, 8));
  expect(clock.best?.offsetMs).toBe(5_000);
  clock.add(ask(60_000, 5_003, 8, 8));
  expect(clock.best?.offsetMs).toBe(5_003);
});

test("when a clock has jumped, earlier answers are forgotten", () => {
  const clock = clockWith(ask(0, 5_000, 5, 5), ask(250, 5_000, 5, 5));
  clock.add(ask(1_000, 65_000, 90, 90));
  expect(clock.best).toMatchObject({ offsetMs: 65_000, uncertaintyMs: 90 });
  // Set back between question and answer: that would look like an answer faster than light.
  clock.add(sample(5_000, 70_000, 70_000, 3_000));
  expect(clock.best?.offsetMs).toBe(65_000);
});

test("a small drift is corrected by the rate, a large one by a jump, and one that nobody hears not at all", () => {
  expect([0, 2.9, -2.9].map(correction)).toEqual([1, 1, 1]);
  expect(correction(15)).toBeCloseTo(0.99);
  expect(correction(-15)).toBeCloseTo(1.01);
  expect([jumpMs, -jumpMs].map(correction)).toEqual([0.98, 1.02]);
  expect([jumpMs + 1, -2_000].map(correction)).toEqual(["jump", "jump"]);
});

test("a drift of 60 ms is gone after five seconds", () => {
  let driftMs = 60;
  for (let n = 0; n < 20; n++) {
    const rate = correction(driftMs);
    if (rate !== "jump") driftMs += (rate - 1) * 250;
  }
  expect(Math.abs(driftMs)).toBeLessThan(5);
});

test("a drift over the end of a loop is as small as it sounds", () => {
  expect(driftOf(9_590, 10, 9_600)).toBeCloseTo(-20);
  expect(driftOf(10, 9_590, 9_600)).toBeCloseTo(20);
  expect(driftOf(5_000, 5_000 + 3 * 9_600, 9_600)).toBeCloseTo(0);
});

test("the position follows from the state and the time, also before it and many loops later", () => {
  const state: State = { track: 0, playing: true, position: 9_000, at: 1_000_000, revision: 4 };
  const lengthMs = 9_600;
  expect(positionAt(state, 1_000_100)).toBe(9_100);
  expect(positionAt(state, 1_000_700)).toBe(100);
  expect(positionAt(state, 1_000_100 + 1_000 * lengthMs)).toBe(9_100);
  expect(positionAt(state, 1_000_000 - 9_100)).toBe(9_500);
  expect(positionAt({ ...state, playing: false }, 2_000_000)).toBe(9_000);
  expect(inLoop(-1, 10)).toBe(9);
  expect(after(state, { type: "pause" }, 1_000_700)).toEqual({
    track: 0,
    playing: false,
    position: 100,
    at: 1_000_700,
    revision: 5,
  });
});

test("the sound is a pure function of the position: the same twice, never too loud, and without a click at its end", () => {
  for (const track of tracks) {
    let [loudest, steepest] = [0, 0];
    for (let ms = track.lengthMs - 1_000; ms < track.lengthMs + 1_000; ms += 1 / 16) {
      const [now, before] = [ms, ms - 1 / 16].map((at) => soundAt(track, inLoop(at, track.lengthMs)));
      loudest = Math.max(loudest, Math.abs(now ?? 0));
      steepest = Math.max(steepest, Math.abs((now ?? 0) - (before ?? 0)));
    }
    expect(loudest).toBeLessThan(1);
    expect(steepest, track.name).toBeLessThan(0.6);
    expect(soundAt(track, 1_234.5)).toBe(soundAt(track, 1_234.5));
    expect(loudness(track, 32).every((part) => part > 0 && part <= 1)).toBe(true);
    // The large beat moves with each beat. Three flashes a second or more can cause seizures (WCAG 2.3.1).
    expect(track.beatsPerMinute / 60).toBeLessThan(3);
  }
});
