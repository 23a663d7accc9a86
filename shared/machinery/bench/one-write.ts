// One write for many: how many deliveries a second each way of sending manages, and how late they are. First one message
// at a time, then 32 that are said in one go.
import { once } from "node:events";
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { startMeasured } from "../compare/measured.ts";
import { Crowd } from "./crowd.ts";
import { references, say } from "./readers.ts";
import { median, quantile } from "./statistics.ts";

export type OneWrite = {
  way: string;
  clients: number;
  /** Messages that are said in one go. The next ones are said when every client has them. */
  together: number;
  /** Messages that reached a client, in a second. */
  perSecond: number;
  /** From saying to arrival, in milliseconds. */
  p50: number;
  p99: number;
};

export const demosWay = "encoded for each client";
/** The names of the ways, and what references.ts calls them. */
const ways = { [demosWay]: "each", "encoded once": "once", "one write for each turn": "turn" };

/**
 * Measures all ways with this many clients each. They run together and take turns, round after round; each figure is the
 * median of the rounds. `progress` is called after each turn.
 */
export async function oneWrite(
  clients: number,
  rounds: number,
  progress = (): void => {},
): Promise<OneWrite[]> {
  const turns: OneWrite[] = [];
  const opened: Awaited<ReturnType<typeof open>>[] = [];
  try {
    for (const [way, argument] of Object.entries(ways)) opened.push(await open(way, argument, clients));
    // The first round is for warming up.
    for (let round = 0; round <= rounds; round++)
      for (const { say } of opened) {
        const results = [await say(1, 20), await say(32, 2)];
        if (round > 0) turns.push(...results);
        progress();
      }
  } finally {
    await Promise.all(opened.map((one) => one.end()));
  }

  return [1, 32].flatMap((together) =>
    Object.keys(ways).map((way) => {
      const its = turns.filter((turn) => turn.way === way && turn.together === together);
      const middle = (of: "perSecond" | "p50" | "p99") => median(its.map((turn) => turn[of]));
      return {
        way,
        clients,
        together,
        perSecond: middle("perSecond"),
        p50: middle("p50"),
        p99: middle("p99"),
      };
    }),
  );
}

async function open(way: string, argument: string, clients: number) {
  const server = await startMeasured(references, { args: [argument] });
  const crowd = await Crowd.connect(server.port, clients).catch(async (error) => {
    await server.kill();
    throw error;
  });
  // It connects last and is sent to last. Every client receives the same frames.
  const speaker = new WebSocket(`ws://127.0.0.1:${server.port}`, { perMessageDeflate: false });
  const upgraded = new Promise<Socket>((resolve) => speaker.once("upgrade", ({ socket }) => resolve(socket)));
  await once(speaker, "open");
  const socket = await upgraded;
  let [frames, messages] = [0, 0];
  speaker.on("message", (data) => {
    frames++;
    messages += [JSON.parse(data.toString())].flat().length;
  });

  return {
    /** Says `together` messages in one go, as many times as `times` says. */
    async say(together: number, times: number): Promise<OneWrite> {
      const lateMs: number[] = [];
      const beganMs = performance.now();
      for (let time = 0; time < times; time++) {
        const messagesAll = messages + together;
        const saidMs = performance.now();
        crowd.onframe = () => lateMs.push(performance.now() - saidMs);
        // In one write, so that the server can read all of them in one turn.
        socket.cork();
        for (let n = 0; n < together; n++) speaker.send(say("thirty-two characters, not fewer"));
        socket.uncork();
        while (messages < messagesAll || crowd.frames < frames * clients) {
          await new Promise(setImmediate);
          if (crowd.lost > 0 || performance.now() - saidMs > 20_000)
            throw new Error(`${way}: ${crowd.lost} clients were disconnected, or messages are missing`);
        }
      }
      const seconds = (performance.now() - beganMs) / 1_000;
      return {
        way,
        clients,
        together,
        perSecond: (together * times * (clients + 1)) / seconds,
        p50: quantile(lateMs, 0.5),
        p99: quantile(lateMs, 0.99),
      };
    },
    async end() {
      speaker.terminate();
      crowd.end();
      await server.kill();
    },
  };
}
