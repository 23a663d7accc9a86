// The music. The sound of a track at a moment is a pure function of the position: same position, same sound, on every page.
import type { Track } from "./state.ts";

/** Frequencies in hertz: of each eighth (melody), and of each bar (bass). 0 is a rest. */
type Score = { melody: number[]; bass: number[]; drums: number; decay: number };

/** From semitones above an A. `-` is a rest. */
const notes = (text: string, a = 440) =>
  text.split(" ").map((note) => (note === "-" ? 0 : a * 2 ** (Number(note) / 12)));

const scores: Record<string, Score> = {
  "Morning bus": {
    melody: notes("0 4 7 12 11 7 4 7 2 5 9 14 12 9 5 9 4 7 11 16 14 11 7 11 5 9 12 9 7 5 4 2"),
    bass: notes("-36 -34 -32 -31"),
    drums: 1,
    decay: 6,
  },
  "First snow": {
    melody: notes("12 - - 7 - 16 - 14 12 - - 9 - - 7 - 5 - - 9 - 12 - 11 7 - - - 14 - 11 -"),
    bass: notes("-36 -39 -31 -41"),
    drums: 0.25,
    decay: 2.2,
  },
  "Night shift": {
    melody: notes("0 0 12 0 3 0 10 7 0 0 12 0 5 3 0 - -2 -2 10 -2 2 -2 8 5 3 3 15 3 7 10 7 3"),
    bass: notes("-36 -36 -38 -33"),
    drums: 1.4,
    decay: 9,
  },
};

const wave = (frequency: number, seconds: number) => Math.sin(2 * Math.PI * frequency * seconds);

/** One sample, from -1 to 1. */
export function soundAt(track: Track, positionMs: number): number {
  const { melody, bass, drums, decay } = scores[track.name] as Score;
  const beat = 60 / track.beatsPerMinute; // seconds
  const at = positionMs / 1_000;
  let sum = 0;
  // Each note fades out while the next ones begin. The last notes of the loop still sound at its beginning.
  const eighth = Math.floor(at / (beat / 2));
  for (let back = 0; back < 5; back++) {
    const frequency = melody[(eighth - back + melody.length) % melody.length];
    if (!frequency) continue;
    const age = at - (eighth - back) * (beat / 2);
    sum += 0.22 * (wave(frequency, age) + 0.3 * wave(2 * frequency, age)) * fade(age, decay);
  }
  const sinceBeat = at % beat;
  const low = bass[Math.floor(at / (4 * beat)) % bass.length] ?? 0;
  sum += 0.25 * (wave(low, sinceBeat) + 0.5 * wave(2 * low, sinceBeat)) * fade(sinceBeat, 3);
  sum += 0.4 * drums * wave(45 + 60 * Math.exp(-30 * sinceBeat), sinceBeat) * fade(sinceBeat, 14); // a kick
  const offBeat = (at + beat / 2) % beat;
  sum += 0.12 * drums * noise(Math.floor(at * 11_025)) * fade(offBeat, 60); // a hat
  return Math.max(-1, Math.min(1, sum));
}

/** Full volume after 4 ms, because a sudden start would click. Then softer and softer. */
const fade = (age: number, decay: number) => Math.min(1, age / 0.004) * Math.exp(-age * decay);

/** The same "random" number from -1 to 1 for the same n. */
const noise = (n: number) => (Math.sin(n * 12.9898) * 43_758.5453) % 1;

/** How loud it is in each of `count` equal parts of a track, from 0 to 1: for its picture. */
export function loudness(track: Track, count: number): number[] {
  const samples = 60;
  return Array.from({ length: count }, (_, part) =>
    Math.max(
      ...Array.from({ length: samples }, (_, n) =>
        Math.abs(soundAt(track, ((part + n / samples) / count) * track.lengthMs)),
      ),
    ),
  );
}
