// The room's server. Learners post their results to it; the grid is shown on this computer only.
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { atMostEvery } from "../../server/at-most-every.ts";
import { BoundedServer } from "../../server/connections.ts";
import { answer, type Handler, HttpError, type Routes, readJson, sendJson } from "../../server/http.ts";
import { root } from "../launcher/lessons.ts";
import { compile } from "../pages/compile.ts";
import { contentPolicy } from "../pages/policy.ts";
import { allowances } from "./allowance.ts";
import type { Grid, Person } from "./grid.ts";
import type { Changed, Everything, Exercise } from "./protocol.ts";

/** Pages that watch at the same time. */
const mostWatchers = 32;
/** A row that changes often is sent this often. */
const changesEveryMs = 100;
const aliveEveryMs = 15_000;

export type RoomOptions = {
  grid: Grid;
  exercises: Exercise[];
  /** See `Everything`. */
  address?: string | undefined;
  /** Called when the grid is different from what was saved. */
  changed: () => void;
  /** Keeps a copy of the grid before it is emptied. */
  beforeEmptying: () => void;
};

/** The server, which doesn't listen yet. */
export function roomServer({
  grid,
  exercises,
  address,
  changed,
  beforeEmptying,
}: RoomOptions): BoundedServer {
  const server = new BoundedServer();
  const watchers = new Set<ServerResponse>();
  const everything = () =>
    event("everything", {
      exercises,
      people: grid.people,
      isOpen: grid.isOpen,
      address,
    } satisfies Everything);
  const toAll = (text: string) => {
    for (const watcher of watchers) watcher.write(text);
  };

  // A row that changes twice is sent once, and encoded once for all.
  let waiting = new Set<Person>();
  const sendChanges = atMostEvery(changesEveryMs, () => {
    toAll(event("changed", [...waiting] satisfies Changed));
    waiting = new Set();
  });
  grid.onchange = (person) => {
    changed();
    waiting.add(person);
    sendChanges();
  };
  setInterval(() => toAll(": alive\n\n"), aliveEveryMs).unref();

  // A class may come from one address, where a router translates. One learner's checks take seconds each.
  const ofAddress = allowances(400, 20);
  const ofLearner = allowances(10, 1);
  const takeResults: Handler = async (request, response) => {
    const { remoteAddress = "" } = request.socket;
    if (!ofAddress(remoteAddress)) throw tooMany();
    const report = await readJson(request);
    const key = (report as { key?: unknown } | null)?.key;
    if (typeof key === "string" && !ofLearner(key.slice(0, 40))) throw tooMany();
    sendJson(response, 200, { name: grid.take(report, remoteAddress) });
  };

  const remote: Routes = {
    "POST /results": takeResults,
    "GET /": (_, response) => {
      response.setHeader("Content-Type", "text/plain; charset=utf-8");
      response.end(
        `Your instructor's room. This command sends your results here:\n\n  npm run check 3 -- --room=${address}\n`,
      );
    },
  };
  const change =
    (act: (request: unknown) => void): Handler =>
    async (request, response) => {
      act(await readJson(request));
      changed();
      toAll(everything());
      sendJson(response, 200, {});
    };
  const local: Routes = {
    ...remote,
    "GET /": file("page.html", "text/html; charset=utf-8"),
    "GET /page.css": file("page.css", "text/css; charset=utf-8"),
    "GET /style.css": file("../../page/style.css", "text/css; charset=utf-8"),
    "GET /icon.svg": file("../../page/icon.svg", "image/svg+xml"),
    // A second room asks this.
    "GET /people": (_, response) => sendJson(response, 200, { people: grid.people.length }),
    "GET /page.ts": async (_, response) => {
      const { code } = await compile(pathOf("page.ts"), "/page.ts");
      response.setHeader("Content-Type", "text/javascript; charset=utf-8");
      response.end(code);
    },
    "GET /events": (_, response) => {
      if (watchers.size >= mostWatchers) throw new HttpError(503, "Too many pages are watching already.");
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write(`retry: 1000\n\n${everything()}`);
      watchers.add(response);
      response.on("close", () => watchers.delete(response));
    },
    "POST /remove": change((request) => {
      const { id } = (request ?? {}) as { id?: unknown };
      if (typeof id !== "number") throw new HttpError(422, "id: must be a number.");
      grid.remove(id);
    }),
    "POST /open": change((request) => {
      const { isOpen } = (request ?? {}) as { isOpen?: unknown };
      if (typeof isOpen !== "boolean") throw new HttpError(422, "isOpen: must be true or false.");
      grid.isOpen = isOpen;
    }),
    "POST /empty": change(() => {
      beforeEmptying();
      grid.clear();
    }),
  };
  server.on(
    "request",
    (request, response) => void answer(isLocal(request) ? local : remote, request, response),
  );
  return server;
}

/** Whether a request came in at an address that only this computer can reach. */
function isLocal({ socket }: IncomingMessage): boolean {
  const { address } = socket.address() as Partial<AddressInfo>;
  return address === "127.0.0.1" || address === "::1";
}

const tooMany = () => new HttpError(429, "Too many results at once. Wait a few seconds.");

/** An event of a text/event-stream (WHATWG HTML §9.2). */
const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

const pathOf = (name: string) => join(root, "shared", "machinery", "room", name);

function file(name: string, type: string): Handler {
  return async (request, response) => {
    const content = await readFile(pathOf(name));
    response.setHeader("Content-Type", type);
    response.setHeader("Content-Security-Policy", contentPolicy(request.headers.host ?? ""));
    response.end(content);
  };
}
