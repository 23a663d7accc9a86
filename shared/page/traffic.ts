// What one WebSocket carries, as this page can count it: messages and bytes a second, and how late our positions come back.
import { duration, number, readable } from "./numbers.ts";

/** Counted in steps of half a second, and shown for the last four of them. */
const stepMs = 500;
const steps = 4;
const names = ["upMessages", "upBytes", "downMessages", "downBytes", "pointers"] as const;
type Counts = Record<(typeof names)[number], number>;
const none = (): Counts => ({ upMessages: 0, upBytes: 0, downMessages: 0, downBytes: 0, pointers: 0 });

export class Traffic {
  #counts = [none()];
  /** When each of the last positions was sent, the oldest first. */
  #sent = new Map<string, number>();
  #lateMs: number[] = [];

  /** Shows messages and bytes a second twice a second, in the page's numbers of these names. */
  constructor() {
    setInterval(() => this.#show(), stepMs);
  }

  /** A message has been sent. */
  up(data: string | DataView): void {
    this.#add("up", data, 4); // the mask
  }

  /** A message has arrived. */
  down(data: string | ArrayBuffer): void {
    this.#add("down", data, 0);
  }

  /** A message contained these positions. Those with the id `me` are our own. */
  moved(positions: { id: number; x: number; y: number }[], me: number): void {
    if (this.#counts[0]) this.#counts[0].pointers += positions.length;
    for (const position of positions) if (position.id === me) this.#back(position);
  }

  /** A position was sent. */
  sent({ x, y }: { x: number; y: number }): void {
    this.#sent.delete(`${x} ${y}`); // so that it moves to the end
    this.#sent.set(`${x} ${y}`, performance.now());
    for (const oldest of this.#sent.keys()) if (this.#sent.size > 500) this.#sent.delete(oldest);
  }

  /** The server has sent a position of our own back. */
  #back({ x, y }: { x: number; y: number }): void {
    const sentMs = this.#sent.get(`${x} ${y}`);
    if (sentMs === undefined) return;
    this.#sent.delete(`${x} ${y}`);
    this.#lateMs = [...this.#lateMs.slice(-19), performance.now() - sentMs];
  }

  #add(way: "up" | "down", data: string | DataView | ArrayBuffer, more: number) {
    const [counts] = this.#counts;
    if (!counts) return;
    const length = typeof data === "string" ? new TextEncoder().encode(data).length : data.byteLength;
    counts[`${way}Messages`]++;
    // A frame's header has 2 bytes, 4 from 126 bytes on, and 10 above 65,535 (RFC 6455 §5.2).
    counts[`${way}Bytes`] += length + (length < 126 ? 2 : length <= 65_535 ? 4 : 10) + more;
  }

  #show() {
    const seconds = (this.#counts.length * stepMs) / 1_000;
    const sum = (name: keyof Counts) => this.#counts.reduce((sum, counts) => sum + counts[name], 0);
    for (const name of names.slice(0, 4)) {
      const perSecond = Math.round(sum(name) / seconds);
      if (name.endsWith("Messages") || perSecond < 10_000) number(name, perSecond);
      else number(name, `${readable(perSecond / 1_000)} k`);
    }
    number("each", sum("downMessages") > 0 ? sum("pointers") / sum("downMessages") : "–");
    const late = this.#lateMs.toSorted((a, b) => a - b)[Math.floor(this.#lateMs.length / 2)];
    number("back", late === undefined ? "–" : duration(late));
    this.#counts = [none(), ...this.#counts.slice(0, steps - 1)];
  }
}
