// The lessons' own servers, as they are on disk: each runs twice, and both are measured.
import { setTimeout as pause } from "node:timers/promises";
import { type Lane, lanes, names } from "../../../lessons/09-compare/settings.ts";
import { anyFreePort } from "../launcher/ports.ts";
import { type Measured, startMeasured } from "./measured.ts";

const files: Record<Lane, string> = {
  polling: "lessons/01-polling/server.ts",
  "long-polling": "lessons/02-long-polling/server.ts",
  sse: "lessons/08-server-sent-events/server.ts",
  websocket: "lessons/07-outbox/server.ts",
};
const measureEveryMs = 500;
const startAgainAfterMs = 300;

export type LessonServer = {
  port: number;
  /** CPU time of all its processes so far, in microseconds. */
  cpuMicros(): number;
};

const running = new Set<Measured>();
let ending = false;

/** Lets every lesson's server say goodbye. Resolves when they have ended. */
export async function endLessons(): Promise<void> {
  ending = true;
  await Promise.all([...running].map((server) => server.end()));
}

/**
 * Runs the server of a lane's lesson on a port of its own, and starts it again on the same port whenever it ends.
 * Resolves when it listens, or when the first attempt has failed. Its errors are printed here.
 */
export async function runLesson(lane: Lane, what: "" | " (twin)" = ""): Promise<LessonServer> {
  const name = names[lane] + what;
  const port = await anyFreePort();
  let before = 0;
  let latest = 0;
  let printed = "";

  async function startOnce(): Promise<Measured | undefined> {
    try {
      const server = await startMeasured(files[lane], {
        env: { PORT: String(port), HOST: "127.0.0.1" },
        complain: (line) => console.log(`${name}: ${line}`),
      });
      console.log(`${name}: ${files[lane]}, process ${server.pid}, http://localhost:${port}`);
      return server;
    } catch (error) {
      const why = (error as Error).message;
      if (!ending && why !== printed) console.log(`${name}: ${why}`);
      printed = why;
    }
  }

  async function run(first: Measured | undefined) {
    for (let server = first; !ending; server = await startOnce()) {
      if (server) {
        const timer = setInterval(async () => {
          latest = (await server?.ask("cpu")) ?? latest;
        }, measureEveryMs);
        running.add(server);
        const { why } = await server.ended;
        running.delete(server);
        clearInterval(timer);
        if (!ending) console.log(`${name}: ended (${why}), starting again`);
        before += latest;
        latest = 0;
      }
      // Not immediately: when Ctrl-C ends us all, its end may be reported before our own signal.
      await pause(server ? startAgainAfterMs : 2_000);
    }
  }

  void run(await startOnce());
  return { port, cpuMicros: () => before + latest };
}

/** The lanes that somebody asks for: "polling,websocket". All four if there are none. */
export function readLanes(text: string | null): readonly Lane[] {
  const wanted = text?.split(",") ?? [];
  const found = lanes.filter((lane) => wanted.includes(lane));
  return found.length > 0 ? found : lanes;
}
