// Plays a track from a position, in the browser's Web Audio, and knows by the audio clock which position is heard now.
import { correction, driftOf } from "./drift.ts";
import { soundAt } from "./sound.ts";
import { inLoop, type Track } from "./state.ts";

/** Samples a second: enough for this music. They take a fraction of a second to compute. */
const sampleRate = 16_000;
/** In seconds: the delay before a sound begins, and the length of the fade from one sound to the next. */
const aheadS = 0.03;
const fadeS = 0.02;

type Sounding = {
  track: Track;
  node: AudioBufferSourceNode;
  gain: GainNode;
  rate: number;
  /** At `atS` of the audio clock, the position was `positionMs`. */
  atS: number;
  positionMs: number;
};

/** Create it when the reader clicks: browsers don't let a page make a sound before that. */
export class Player {
  readonly #context = new AudioContext();
  readonly #out = this.#context.createGain();
  readonly #buffers = new Map<Track, AudioBuffer>();
  #sounding: Sounding | undefined;
  /** How often the player had to jump to another position. */
  jumps = 0;

  constructor() {
    this.#out.connect(this.#context.destination);
    void this.#context.resume();
  }

  set muted(muted: boolean) {
    this.#out.gain.setTargetAtTime(muted ? 0 : 1, this.#context.currentTime, 0.01);
  }

  get rate(): number {
    return this.#sounding?.rate ?? 1;
  }

  /** Faster or slower, from now on. */
  #setRate(rate: number) {
    const sounding = this.#sounding;
    if (!sounding || rate === sounding.rate) return;
    const nowS = this.#context.currentTime;
    sounding.node.playbackRate.setValueAtTime(rate, nowS);
    Object.assign(sounding, { rate, atS: nowS, positionMs: this.#positionAt(sounding, nowS) });
  }

  /**
   * The position that leaves the speakers now, in milliseconds. Undefined while it is stopped, or plays another track.
   */
  heardMs(track: Track): number | undefined {
    const sounding = this.#sounding;
    if (sounding?.track !== track) return;
    return inLoop(this.#positionAt(sounding, this.#heardS()), track.lengthMs);
  }

  /** Keeps the sound where the room is, `roomMs()`. It plays on, plays a little faster or slower, or jumps. */
  follow(track: Track, roomMs: () => number): void {
    const heard = this.heardMs(track);
    const change = heard === undefined ? "jump" : correction(driftOf(heard, roomMs(), track.lengthMs));
    if (change === "jump") this.#play(track, roomMs);
    else this.#setRate(change);
  }

  /** Somebody knocks the needle: it jumps from what is heard now. */
  knock(byMs: number): void {
    const track = this.#sounding?.track;
    const heard = track && this.heardMs(track);
    if (track && heard !== undefined) this.#play(track, () => heard + byMs);
  }

  /** Plays `track` from where the room is: `roomMs()` is that position now. The old sound fades out: a cut would click. */
  #play(track: Track, roomMs: () => number): void {
    const buffer = this.#bufferOf(track); // takes its time, so the position is asked for after it
    const atS = this.#context.currentTime + aheadS;
    const startMs = roomMs() + 1_000 * (atS - this.#heardS());
    this.stop();
    const node = new AudioBufferSourceNode(this.#context, { buffer, loop: true });
    const gain = new GainNode(this.#context, { gain: 0 });
    node.connect(gain).connect(this.#out);
    node.start(atS, inLoop(startMs, track.lengthMs) / 1_000);
    gain.gain.setValueAtTime(0, atS).linearRampToValueAtTime(1, atS + fadeS);
    this.jumps++;
    this.#sounding = { track, node, gain, rate: 1, atS, positionMs: startMs };
  }

  stop(): void {
    if (!this.#sounding) return;
    const { node, gain } = this.#sounding;
    const fromS = this.#context.currentTime + aheadS;
    gain.gain.setValueAtTime(1, fromS).linearRampToValueAtTime(0, fromS + fadeS);
    node.stop(fromS + fadeS);
    this.#sounding = undefined;
  }

  /** Whether the audio clock runs. After a sleep or a call, a system may have stopped it. Then this starts it again. */
  isAwake(): boolean {
    if (this.#context.state !== "running") void this.#context.resume().catch(() => {});
    return this.#context.state === "running";
  }

  /** The moment of the audio clock that is heard now. `currentTime` is ahead of it, because sound waits in buffers. */
  #heardS(): number {
    const { contextTime, performanceTime } = this.#context.getOutputTimestamp();
    if (!contextTime || !performanceTime) return this.#context.currentTime;
    return Math.min(this.#context.currentTime, contextTime + (performance.now() - performanceTime) / 1_000);
  }

  #positionAt({ atS, positionMs, rate }: Sounding, s: number): number {
    return positionMs + 1_000 * rate * (s - atS);
  }

  /** Computed once for each track. */
  #bufferOf(track: Track): AudioBuffer {
    const known = this.#buffers.get(track);
    if (known) return known;
    const length = Math.round((track.lengthMs / 1_000) * sampleRate);
    const buffer = new AudioBuffer({ length, sampleRate });
    const samples = buffer.getChannelData(0);
    for (let n = 0; n < length; n++) samples[n] = soundAt(track, (1_000 * n) / sampleRate);
    this.#buffers.set(track, buffer);
    return buffer;
  }
}
