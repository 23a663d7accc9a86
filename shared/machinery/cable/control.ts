// The cable's control connection. Only drawers on the workshop's own pages may watch and send commands.
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { headerValues, isAllowedHost, isAllowedOrigin } from "../../server/allowed-hosts.ts";
import { parseCommand } from "./command.ts";
import type { FromPanel, FullState, ServerState, ToPanel } from "./protocol.ts";
import type { Cable } from "./proxy.ts";
import type { ServerProcess } from "./server-process.ts";

const batchEveryMs = 100;
const mostInBatch = 200;
const countsEveryMs = 1000;
/** A panel that leaves more bytes than this unread is disconnected. */
const mostUnread = 4 * 1024 * 1024;
const mostPanels = 32;

export type ControlOptions = {
  /** 0: any free port. */
  port: number;
  /** Of the workshop's pages: the only Origin that may send commands. */
  pagePort: number;
  cable: Cable;
  /** Absent if the cable has not started the server. Commands for it are then answered with an error. */
  server?: Pick<ServerProcess, "state" | "kill" | "restart" | "stop">;
};

export type Control = {
  port: number;
  /** The server's state has changed: the next tick sends it to all panels. */
  changed(): void;
  end(): Promise<void>;
};

/** A WebSocket at /cable, on 127.0.0.1 only. Resolves when it listens; rejects (EADDRINUSE) when the port is taken. */
export async function control({ port, pagePort, cable, server }: ControlOptions): Promise<Control> {
  const run = randomUUID();
  const panels = new Map<WebSocket, { sentId: number }>();
  let stateChanged = false;
  let nextCountsMs = 0;
  let timer: NodeJS.Timeout | undefined;

  const http = createServer((request, response) => {
    const status = refusal(request) ?? 426;
    response
      .writeHead(status, { "content-type": "text/plain", connection: "close" })
      .end(`${reasons[status]}\n`);
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 4096, perMessageDeflate: false });

  /** The status that refuses this request; undefined for the workshop's own page on this machine. */
  function refusal(request: IncomingMessage): number | undefined {
    const { url, socket } = request;
    const [host, origin] = [headerValues(request, "host"), headerValues(request, "origin")];
    const [, hostPort = "80"] = /:(\d+)$/.exec(host[0] ?? "") ?? [];
    const isLocal = /^(127\.|::1$|::ffff:127\.)/.test(socket.remoteAddress ?? "");
    // The Host keeps out other names that lead here (DNS rebinding), the Origin other people's pages.
    const isOurs =
      host.length === 1 &&
      isAllowedHost(host[0] ?? "") &&
      hostPort === String(listening()) &&
      origin.length === 1 &&
      isAllowedOrigin(origin[0] ?? "", String(pagePort));
    if (!isLocal || !isOurs) return 403;
    if (url !== "/cable") return 404;
    return panels.size >= mostPanels ? 503 : undefined;
  }

  http.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    const status = refusal(request);
    if (status)
      socket.end(`HTTP/1.1 ${status} ${reasons[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    else sockets.handleUpgrade(request, socket, head, greet);
  });

  function greet(panel: WebSocket): void {
    // The latest entries first: a page that is reloaded shows what led up to it.
    panels.set(panel, { sentId: cable.lastId() - mostInBatch });
    panel.on("error", () => panel.terminate());
    panel.on("close", () => {
      panels.delete(panel);
      if (panels.size === 0) clearInterval(timer);
    });
    panel.on("message", (data, isBinary) => void obey(panel, isBinary ? "" : data.toString()));
    send(panel, { type: "hello", run, state: fullState() });
    if (panels.size === 1) timer = setInterval(tick, batchEveryMs);
  }

  async function obey(panel: WebSocket, text: string): Promise<void> {
    let id: number | undefined;
    try {
      const given = parseCommand(text);
      id = given.id;
      await carryOut(given);
      send(panel, { type: "reply", ...(id !== undefined && { id }), ok: true });
    } catch (error) {
      if (error instanceof Error && "id" in error) id = Number(error.id);
      const why = error instanceof Error ? error.message : String(error);
      send(panel, { type: "reply", ...(id !== undefined && { id }), ok: false, error: why });
    }
  }

  async function carryOut(given: FromPanel): Promise<void> {
    const process = () => {
      if (!server)
        throw new Error("The cable didn't start the server. Start and stop it where you started it.");
      return server;
    };
    // Before the rows of what it causes. If it can't be carried out, the panel says so.
    cable.note({ kind: "command", text: describe(given) });
    switch (given.command) {
      case "close":
        cable.close(given);
        break;
      case "reset":
        cable.reset(given);
        break;
      case "freeze":
        cable.freeze(given);
        break;
      case "delay":
        cable.delay(given);
        break;
      case "throttle":
        cable.throttle(given);
        break;
      case "refuse":
        await cable.refuse();
        break;
      case "heal":
        await cable.heal(given);
        break;
      case "kill":
        await process().kill();
        break;
      case "restart":
        await process().restart();
        break;
      case "stop":
        await process().stop(given.forMs);
        break;
    }
  }

  function fullState(): FullState {
    const unknown: ServerState = { process: "running" };
    return {
      ...cable.state(),
      counts: cable.counts(),
      server: server?.state() ?? unknown,
      nowMs: cable.nowMs(),
    };
  }

  function tick(): void {
    const last = cable.lastId();
    const countsDue = performance.now() >= nextCountsMs;
    if (countsDue) nextCountsMs = performance.now() + countsEveryMs;
    // Encoded once, not for each panel.
    const state =
      stateChanged || countsDue
        ? JSON.stringify({ type: "state", state: fullState() } satisfies ToPanel)
        : "";
    stateChanged = false;
    for (const [panel, progress] of panels) {
      if (panel.bufferedAmount > mostUnread) {
        panel.terminate();
        continue;
      }
      if (last > progress.sentId) {
        const from = Math.max(progress.sentId, last - mostInBatch, 0);
        const leftOut = Math.max(0, from - Math.max(0, progress.sentId));
        progress.sentId = last;
        send(panel, { type: "entries", entries: cable.entries(from), leftOut, counts: cable.counts() });
      }
      if (state) panel.send(state);
    }
  }

  const listening = () => {
    const address = http.address();
    return address && typeof address === "object" ? address.port : port;
  };
  const changed = () => {
    stateChanged = true;
  };
  cable.events.on("change", changed);

  await new Promise<void>((resolve, reject) => {
    http.once("error", reject);
    http.listen(port, "127.0.0.1", () => {
      http.off("error", reject);
      http.on("error", () => {});
      resolve();
    });
  });

  return {
    port: listening(),
    changed,
    async end() {
      cable.events.off("change", changed);
      clearInterval(timer);
      for (const panel of panels.keys()) panel.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

const reasons: Record<number, string> = {
  403: "Forbidden",
  404: "Not Found",
  426: "Upgrade Required",
  503: "Service Unavailable",
};

function send(panel: WebSocket, message: ToPanel): void {
  if (panel.readyState === panel.OPEN) panel.send(JSON.stringify(message));
}

/** {command: "freeze", direction: "up"} in words: "freeze, direction up". */
function describe({ command, id: _, ...fields }: FromPanel): string {
  return [command, ...Object.entries(fields).map(([name, value]) => `${name} ${value}`)].join(", ");
}
