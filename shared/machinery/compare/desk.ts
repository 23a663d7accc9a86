// The desks: each page that looks has four cables of its own, one in front of each lane, and what the figures come from.
import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import {
  type Lane,
  lanes,
  names,
  type Settings,
  type Spent,
  toLanes,
} from "../../../lessons/09-compare/settings.ts";
import { command, delay, readSettings } from "../../../lessons/09-compare/shapes.ts";
import { type Message, readFields } from "../../both/old-message.ts";
import type { MessageLog } from "../../server/message-log.ts";
import { HttpError, type Routes, readJson, sendJson } from "../../server/old-http.ts";
import { isOurPage } from "../../server/old-ours.ts";
import { type Cable, createCable } from "../cable/proxy.ts";
import type { Crowd } from "./crowd.ts";
import { type Kept, keep } from "./processes.ts";

type Desk = {
  stream: ServerResponse;
  cables: Record<string, Cable>;
  frozen: boolean;
  delay: { ms: number; jitterMs: number };
};
const deskLimit = 8;
const crowdFile = fileURLToPath(new URL("./crowd.ts", import.meta.url));
const tell = (stream: ServerResponse, event: string, data: unknown) =>
  stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

/** `program` is what each lane's process runs. `change`: somebody has moved a slider. */
export function openDesks(
  program: string,
  log: MessageLog,
  settings: Settings,
  change: (settings: Settings) => void,
) {
  const desks = new Map<string, Desk>();

  /** Those that have their cables. The others are told all of it with them. */
  const laid = () => [...desks.values()].filter(({ stream }) => stream.headersSent);

  function deskOf(page: string): Desk {
    const desk = desks.get(page);
    if (!desk) throw new HttpError(404, "page: no such page is looking.");
    return desk;
  }

  // Begun when the first page looks. One more hears the stream and has no readers: what it spends, each of the others
  // spends without handing on a thing.
  let processes: Record<Lane | "nobody", LaneProcess> | undefined;
  const begin = () => ({
    ...toLanes((lane) => laneProcess(names[lane], [program, lane, log.name], log)),
    nobody: laneProcess("No lane", [program, "nobody", log.name], log),
  });

  const spentOn = (lane: Lane): Spent => ({
    cpuMicros: processes?.[lane].spent.cpuMicros ?? 0,
    idleMicros: processes?.nobody.spent.cpuMicros ?? 0,
    delivered: processes?.[lane].spent.delivered ?? 0,
  });

  // The crowd is there while somebody looks. Another number is another crowd.
  const forThoseWhoLook = (asked: Settings) => (desks.size > 0 ? asked : { ...asked, clients: 1 });
  let ports: Record<Lane, number> | undefined;
  let crowd: { kept: Kept; of: string } | undefined;
  function gather() {
    const { clients, everyMs } = settings;
    const of = clients > 1 ? `${clients} ${everyMs}` : "";
    if (!ports || of === (crowd?.of ?? "")) return;
    crowd?.kept.end();
    crowd = undefined;
    if (!of) return;
    const told: Crowd = { readers: clients - 1, everyMs, cursor: log.end as Crowd["cursor"], ports };
    crowd = { kept: keep({ name: "Crowd", file: crowdFile, args: [JSON.stringify(told)] }), of };
  }

  setInterval(() => {
    for (const { stream, cables, frozen } of laid())
      tell(stream, "counts", {
        frozen,
        counts: toLanes((lane) => cables[lane]?.counts()),
        spent: toLanes(spentOn),
      });
  }, 500);

  const routes: Routes = {
    // How fast, how large, for how many: for every page that looks.
    "POST /settings": async (request, response) => {
      settings = forThoseWhoLook(readFields(await readJson(request), readSettings));
      change(settings);
      gather();
      for (const { stream } of laid()) tell(stream, "settings", settings);
      sendJson(response, 200, settings);
    },

    // A page's desk, for as long as it looks: the ports of its four lanes first, then what is counted.
    "GET /lanes": async ({ headers: { origin } }, response) => {
      if (origin !== undefined && !isOurPage(origin))
        throw new HttpError(403, "Only the workshop's own page.");
      if (desks.size >= deskLimit) throw new HttpError(503, `${deskLimit} pages are looking. Close one.`);
      const page = randomUUID();
      const cables: Record<string, Cable> = {};
      desks.set(page, { stream: response, cables, frozen: false, delay: { ms: 0, jitterMs: 0 } });
      const leave = () => {
        desks.delete(page);
        for (const cable of Object.values(cables)) void cable.end();
        settings = forThoseWhoLook(settings);
        gather();
      };
      response.on("close", leave);
      processes ??= begin();
      const found: Record<string, number> = {};
      for (const lane of lanes) {
        found[lane] = await processes[lane].port;
        cables[lane] = await createCable({ listenPort: 0, targetPort: found[lane] });
      }
      ports = found as Record<Lane, number>;
      if (response.destroyed) return leave();
      gather();
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write("retry: 1000\n\n");
      tell(response, "lanes", {
        page,
        ports: toLanes((lane) => cables[lane]?.port),
        settings,
        cursor: log.end,
      });
    },

    // The network between this page and its lanes fails, and is mended, on all four at once.
    "POST /network": async (request, response) => {
      const { page, command: what } = readFields(await readJson(request), command);
      const desk = deskOf(page);
      if (what !== "cut") desk.frozen = what === "freeze";
      for (const cable of Object.values(desk.cables)) {
        if (what === "freeze") cable.freeze();
        if (what === "cut") cable.close();
        if (what === "heal") await cable.heal();
        if (what === "heal") cable.delay(desk.delay); // the slider's delay is no fault
      }
      sendJson(response, 200, { page, command: what });
    },

    "POST /delay": async (request, response) => {
      const { page, ...asked } = readFields(await readJson(request), delay);
      const desk = deskOf(page);
      desk.delay = asked;
      for (const cable of Object.values(desk.cables)) cable.delay(asked);
      sendJson(response, 200, asked);
    },
  };

  return {
    routes,
    toLanes(messages: Message[]) {
      for (const { kept } of Object.values(processes ?? {})) kept.send(messages);
    },
  };
}

/** What a lane's process says of itself: first where it listens, then what it has spent since it last said so. */
export type Said = { port: number } | { cpuMicros: number; delivered: number };

type LaneProcess = { port: Promise<number>; spent: { cpuMicros: number; delivered: number }; kept: Kept };

/** A process of the program `file`, told all that is in the log first; after a death, again on the same port. */
function laneProcess(name: string, [file = "", ...args]: string[], log: MessageLog): LaneProcess {
  const spent = { cpuMicros: 0, delivered: 0 };
  let listens: (port: number) => void;
  const port = new Promise<number>((resolve) => {
    listens = resolve;
  });
  let PORT = "0";
  const kept = keep({
    name,
    file,
    args,
    env: () => ({ HOST: "127.0.0.1", PORT }),
    greeting: () => log.after({ after: 0 }).messages,
    hear(said: Said) {
      if ("port" in said) {
        PORT = String(said.port);
        listens(said.port);
        return;
      }
      spent.cpuMicros += said.cpuMicros;
      spent.delivered += said.delivered;
    },
  });
  return { port, spent, kept };
}
