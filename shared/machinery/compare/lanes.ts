// The lanes of lesson 9. This process runs the four lessons with a crowd of readers, measures both, and serves the
// lesson's page on PORT. The publisher, lessons/09-compare/server.ts, starts it and learns from it what to publish where.
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import * as v from "valibot";
import {
  initialSettings,
  type Lane,
  type Order,
  type Settings,
  toLanes,
} from "../../../lessons/09-compare/settings.ts";
import type { Spent } from "../../page/stream-figures.ts";
import { isAllowedOrigin } from "../../server/allowed-hosts.ts";
import { atMostEvery } from "../../server/at-most-every.ts";
import { HttpError, readJson, sendJson } from "../../server/http.ts";
import { onShutdown, serve } from "../../server/serve.ts";
import { type Cable, createCable } from "../cable/proxy.ts";
import { untilQuiet } from "../cable/quiet.ts";
import { openCrowd } from "./crowd-process.ts";
import { endLessons, type LessonServer, readLanes, runLesson } from "./lesson-servers.ts";

/** A page that is open: its event stream, and its own cable in front of each lane. */
type Tab = {
  stream: ServerResponse;
  cables: Partial<Record<Lane, Cable>>;
  frozen: boolean;
  delay: { ms: number; jitterMs: number };
};
const tabLimit = 8;
const countEveryMs = 500;
/** However fast sliders move, they change the lanes at most this often. */
const applyEveryMs = 150;

const from = (least: number, most: number) => {
  const message = `must be a number from ${least} to ${most}.`;
  return v.pipe(v.number(message), v.minValue(least, message), v.maxValue(most, message));
};
const wholeFrom = (least: number, most: number) =>
  v.pipe(from(least, most), v.integer("must be a whole number."));
const PageId = v.pipe(v.string("must be a string."), v.regex(/^[\w-]{1,40}$/, "must be one word."));

/** What the page may send. The sizes: an id, a name and a time take 54 bytes of a message. */
const SettingsBody = v.strictObject({
  perSecond: from(0.1, 100),
  size: wholeFrom(60, 4_000),
  everyMs: wholeFrom(100, 5_000),
  clients: wholeFrom(1, 200),
});
const NetworkBody = v.strictObject({
  page: PageId,
  command: v.picklist(["freeze", "cut", "heal"], "must be freeze, cut or heal."),
});
const DelayBody = v.strictObject({ page: PageId, ms: wholeFrom(0, 1_000), jitterMs: wholeFrom(0, 1_000) });

let settings = initialSettings;
let applied = settings;
const tabs = new Map<string, Tab>();
const servers: Partial<Record<Lane, Promise<[LessonServer, LessonServer?]>>> = {};
/** The lesson's server first, then its twin. */
const ports: Record<Lane, number[]> = toLanes(() => []);
const cpuMicros: Partial<Record<Lane, { lesson: () => number; twin: () => number }>> = {};
/** Messages that the publisher has sent to every lane so far, and how many of them pages have received. */
let published = 0;
let receivedByTabs = 0;
const crowd = openCrowd();

// The publisher reports each message. When it ends, so do we, and the supervisor ends what we have started.
process.on("message", (count: number) => {
  receivedByTabs += (count - published) * tabs.size;
  published = count;
});
let ending = false;
onShutdown(async () => {
  ending = true;
  // The lessons first: their goodbyes go through our cables.
  await endLessons();
  const cables = [...tabs.values()].flatMap(({ cables }) => Object.values(cables));
  await Promise.all(cables.map((cable) => untilQuiet(cable, 500)));
  for (const { stream } of tabs.values()) stream.end();
});
process.on("disconnect", () => ending || process.emit("SIGTERM"));

/** The settings have changed, or there are more lanes: the publisher, the crowd and every page follow. */
const apply = atMostEvery(applyEveryMs, () => {
  // The crowd leaves with the last page.
  if (tabs.size === 0 && settings.clients > 1) settings = { ...settings, clients: 1 };
  const { perSecond, size, everyMs, clients } = settings;
  const { websocket: sockets, ...others } = ports;
  const order: Order = { perSecond, size, posts: Object.values(others).flat(), sockets };
  if (process.connected) process.send?.(order);
  crowd.follow({ readers: clients - 1, everyMs, after: published, ports });
  if (settings === applied) return;
  applied = settings;
  for (const { stream } of tabs.values())
    if (stream.headersSent) send(stream, "settings", { ...settings, published });
});

/** Starts a lane's lesson when somebody asks for it first; a twin as well where its CPU time will be compared. */
async function openLane(lane: Lane, measured: boolean): Promise<number> {
  servers[lane] ??= Promise.all([runLesson(lane), ...(measured ? [runLesson(lane, " (twin)")] : [])]).then(
    ([lesson, twin]) => [lesson as LessonServer, twin],
  );
  const [lesson, twin] = await servers[lane];
  ports[lane] = [lesson, twin].flatMap((server) => server?.port ?? []);
  cpuMicros[lane] = { lesson: lesson.cpuMicros, twin: () => twin?.cpuMicros() ?? 0 };
  return lesson.port;
}

const spentOn = (lane: Lane): Spent => ({
  cpuMicros: cpuMicros[lane]?.lesson() ?? 0,
  twinMicros: cpuMicros[lane]?.twin() ?? 0,
  delivered: receivedByTabs + crowd.received(lane),
});

setInterval(() => {
  for (const { stream, cables, frozen } of tabs.values())
    if (stream.headersSent)
      send(stream, "counts", {
        frozen,
        counts: toLanes((lane) => cables[lane]?.counts()),
        spent: toLanes(spentOn),
      });
}, countEveryMs);

function send(stream: ServerResponse, event: string, data: unknown) {
  stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** A GET from another site's page, an <img> for example, carries no Origin, but browsers say where it comes from. */
function refuseForeign({ headers }: IncomingMessage) {
  const { origin, "sec-fetch-site": site } = headers;
  if (site === "cross-site" || (origin !== undefined && !isAllowedOrigin(origin)))
    throw new HttpError(403, "Only the workshop's own page may do this.");
}

function tabOf(page: string): Tab {
  const tab = tabs.get(page);
  if (!tab) throw new HttpError(404, "page: no such page is open.");
  return tab;
}

serve({
  // For every page: how fast, how large, for how many.
  "POST /settings": async (request, response) => {
    refuseForeign(request);
    const wanted: Settings = v.parse(SettingsBody, await readJson(request));
    settings = tabs.size > 0 ? wanted : { ...wanted, clients: 1 };
    apply();
    sendJson(response, 200, settings);
  },

  // For as long as a page is open: first where its four lanes are, then twice a second what is counted.
  // ?only=polling opens less, and measures no CPU time. The checks of the exercise ask for that.
  "GET /lanes": async (request, response, query) => {
    refuseForeign(request);
    if (request.method === "HEAD") return void response.writeHead(200).end();
    if (tabs.size >= tabLimit) {
      response.setHeader("Retry-After", "5");
      throw new HttpError(503, `${tabLimit} pages are open. Close one.`);
    }
    const page = randomUUID();
    const tab: Tab = { stream: response, cables: {}, frozen: false, delay: { ms: 0, jitterMs: 0 } };
    tabs.set(page, tab);
    // The connection's end, not the response's: a response that waits behind another one is never closed.
    request.socket.once("close", () => {
      tabs.delete(page);
      for (const cable of Object.values(tab.cables)) void cable.end();
      if (tabs.size === 0) apply();
    });

    const only = query.get("only");
    await Promise.all(
      readLanes(only).map(async (lane) => {
        const targetPort = await openLane(lane, only === null);
        const cable = await createCable({ listenPort: 0, targetPort });
        if (request.socket.destroyed) return cable.end();
        tab.cables[lane] = cable;
      }),
    );
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write("retry: 1000\n\n");
    send(response, "lanes", {
      page,
      ports: toLanes((lane) => tab.cables[lane]?.port),
      settings,
      published,
    });
    apply();
  },

  // For the pages' server, where only its own port is forwarded: the ports that it may pass requests on to.
  "GET /lanes/ports": (_request, response) => {
    const cables = [...tabs.values()].flatMap(({ cables }) => Object.values(cables));
    sendJson(response, 200, { ports: cables.map(({ port }) => port) });
  },

  // The network between this page and its lanes fails, and recovers, in all four lanes together.
  "POST /network": async (request, response) => {
    refuseForeign(request);
    const { page, command } = v.parse(NetworkBody, await readJson(request));
    const tab = tabOf(page);
    if (command !== "cut") tab.frozen = command === "freeze";
    for (const cable of Object.values(tab.cables)) {
      if (command === "freeze") cable.freeze();
      if (command === "cut") cable.close();
      if (command === "heal") {
        await cable.heal();
        cable.delay(tab.delay); // the slider's delay is not a fault
      }
    }
    sendJson(response, 200, { page, command });
  },

  "POST /delay": async (request, response) => {
    refuseForeign(request);
    const { page, ...delay } = v.parse(DelayBody, await readJson(request));
    const tab = tabOf(page);
    tab.delay = delay;
    for (const cable of Object.values(tab.cables)) cable.delay(delay);
    sendJson(response, 200, { ...delay, published });
  },
});
