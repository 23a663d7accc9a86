// One forwarded port for everything: passes requests for /-/8080/… on to port 8080 of this computer. Only where
// PUBLIC_HOST is set, only for the workshop's own page, and only to the ports of the lesson that runs.
import { Agent, request as ask, type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { tolerateUnread } from "../../server/connections.ts";
import { readPort } from "../launcher/ports.ts";
import { publicHost } from "../launcher/public-host.ts";
import { isHere, judgeHost } from "./gate.ts";

/** How long a page may take to end a connection that the server has ended. Browsers do so within a second. */
const endWithinMs = 4_000;
/** For so long, one list of the lanes' ports is used for all that ask. */
const lanesForMs = 200;

/** Whether a request is for another port than the pages' own. */
export function isForAnotherPort(url = ""): boolean {
  return publicHost() !== undefined && url.startsWith("/-/");
}

/**
 * Whether a page of this server sends the request. A page of another site says so in the Origin header, which it can't
 * change. Codespaces writes localhost in place of its own name there, and leaves every other name as it is.
 */
export function isOwnOrigin({ host, origin }: IncomingMessage["headers"]): boolean {
  const own = [`http://${host}`];
  const forwarded = publicHost();
  if (forwarded) own.push(`https://${forwarded}`, `http://localhost:${readPort("PAGE_PORT")}`);
  return own.includes(origin ?? "");
}

/** Passes a request on, and its answer back as it comes. */
export async function passOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const target = await findTarget(request);
  if (typeof target === "number") {
    response.writeHead(target, { "Content-Type": "text/plain" }).end(`${STATUS_CODES[target]}\n`);
    return;
  }
  if (response.closed) return; // the page has left
  request.socket.setTimeout(0); // an answer may take long, and a stream is silent for long
  const onward = ask({ ...target, method: request.method, agent: agentOf(request.socket) }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, headersOf(answer, ["transfer-encoding"]));
    response.flushHeaders();
    answer.on("error", () => response.destroy()).pipe(response);
  });
  // Refused or cut on that side: cut on this one.
  onward.on("error", () => response.destroy());
  request.pipe(onward);
}

/** Passes a WebSocket on: its handshake with another path and host, and from the 101 on its bytes as they are. */
export async function passOnUpgrade(request: IncomingMessage, stream: Socket, head: Buffer): Promise<void> {
  const target = await findTarget(request);
  if (typeof target === "number") {
    stream.end(
      `HTTP/1.1 ${target} ${STATUS_CODES[target]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    );
    return;
  }
  if (stream.destroyed) return;
  const headers = { ...target.headers, connection: "Upgrade", upgrade: "websocket" };
  const onward = ask({ ...target, headers, agent: false });
  const answerWith = ({ statusCode = 502, rawHeaders }: IncomingMessage, isRefused: boolean) => {
    const lines = rawHeaders.flatMap((name, n) => (n % 2 === 0 ? [`${name}: ${rawHeaders[n + 1]}`] : []));
    const kept = isRefused ? lines.filter((line) => !/^(connection|transfer-encoding):/i.test(line)) : lines;
    if (isRefused) kept.push("Connection: close");
    const first = `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode] ?? ""}`;
    stream.write(`${[first, ...kept].join("\r\n")}\r\n\r\n`, "latin1");
  };
  onward.on("upgrade", (answer, server, first) => {
    server.on("error", () => stream.destroy()).on("close", () => letGo(stream));
    stream.on("close", () => server.destroy());
    tolerateUnread(stream); // pipe() bounds it, and the lesson's server decides how long it waits
    answerWith(answer, false);
    stream.write(first);
    server.write(head);
    server.pipe(stream).pipe(server);
  });
  // The server refused the WebSocket. Pass on nothing more: the client could send requests with any Host and Origin.
  onward.on("response", (answer) => {
    answerWith(answer, true);
    answer.on("error", () => stream.destroy()).on("end", () => letGo(stream));
    answer.pipe(stream);
  });
  onward.on("error", () => stream.destroy()).end();
  stream.on("close", () => onward.destroy());
}

/** Ends a connection, and doesn't wait long for the page to end it, too. */
function letGo(stream: Socket) {
  stream.end();
  stream.resume();
  setTimeout(() => stream.destroy(), endWithinMs).unref();
}

const agents = new WeakMap<Socket, Agent>();

/**
 * Each connection has one of its own behind it. If all shared a few, a client that asks too often would use up what the
 * lesson's server allows to one connection, and the next page would be refused.
 */
function agentOf(socket: Socket): Agent {
  const known = agents.get(socket);
  if (known) return known;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agents.set(socket, agent);
  socket.on("close", () => agent.destroy()); // and with it the request that it may still have
  return agent;
}

/** Headers for one connection only (RFC 9110 §7.6.1), and those that Node writes by itself. */
const ofConnection = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect"];

/** All headers that concern more than this connection, except `others`. */
function headersOf({ rawHeaders }: IncomingMessage, others: string[] = []): Record<string, string[]> {
  const headers: Record<string, string[]> = Object.create(null); // a header may be named __proto__
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const name = rawHeaders[n]?.toLowerCase() ?? "";
    if (ofConnection.includes(name) || others.includes(name)) continue;
    headers[name] ??= [];
    headers[name].push(rawHeaders[n + 1] ?? "");
  }
  return headers;
}

/** Where a request goes, as a request of the page on this computer. Or the status that refuses it. */
async function findTarget(request: IncomingMessage) {
  const { url = "", headers } = request;
  const host = judgeHost(request);
  if (host !== "ours") return host === "foreign" ? 421 : 400;
  if (headers.origin !== undefined && !isOwnOrigin(headers)) return 403;
  const [, digits = "", path = ""] = url.match(/^\/-\/(\d{1,5})(.*)$/) ?? [];
  const port = Number(digits);
  // The cable's controls are for this computer only, even where LAN opens the pages to the network.
  if (port === Number(process.env.CABLE_PORT) && !isHere(request)) return 403;
  if (!(await belongsToLesson(port))) return 404;
  const sent: Record<string, string | string[]> = headersOf(request);
  sent.host = `localhost:${port}`;
  if (headers.origin !== undefined) sent.origin = `http://localhost:${readPort("PAGE_PORT")}`;
  return { host: "127.0.0.1", port, path: path.startsWith("/") ? path : `/${path}`, headers: sent };
}

/** The lesson's server, or the cable before it; the cable's controls; and lesson 9's lanes, which its server lists. */
async function belongsToLesson(port: number): Promise<boolean> {
  const { CABLE_PORT } = process.env;
  if ([readPort("PORT"), Number(CABLE_PORT || readPort("PORT"))].includes(port)) return true;
  if (performance.now() > lanes.untilMs)
    lanes = { untilMs: performance.now() + lanesForMs, ports: askForLanes() };
  return (await lanes.ports).includes(port);
}

let lanes = { untilMs: 0, ports: Promise.resolve<unknown[]>([]) };

async function askForLanes(): Promise<unknown[]> {
  try {
    const past = process.env.SERVER_PORT || readPort("PORT"); // the cable would show this request
    const answer = await fetch(`http://127.0.0.1:${past}/lanes/ports`, {
      signal: AbortSignal.timeout(2_000),
    });
    const { ports } = (await answer.json()) as { ports?: unknown };
    return Array.isArray(ports) ? ports : [];
  } catch {
    return [];
  }
}
