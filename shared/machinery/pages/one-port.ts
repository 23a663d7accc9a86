// One forwarded port for everything: passes requests for /-/8080/… on to port 8080 of this computer. Only where
// PUBLIC_HOST is set, only for the workshop's own page, and only to the ports of the lesson that runs.
import { request as ask, type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { readPort } from "../launcher/ports.ts";
import { publicHost } from "../launcher/public-host.ts";
import { judgeHost } from "./gate.ts";

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
  request.socket.setTimeout(0); // an answer may take long, and a stream is silent for long
  const target = await findTarget(request);
  if (typeof target === "number") {
    response.writeHead(target, { "Content-Type": "text/plain" }).end(`${STATUS_CODES[target]}\n`);
    return;
  }
  if (response.closed) return; // the page has left
  const onward = ask({ host: "127.0.0.1", method: request.method, ...target }, (answer) => {
    const { connection: _, "keep-alive": __, "transfer-encoding": ___, ...headers } = answer.headersDistinct;
    response.writeHead(answer.statusCode ?? 502, headers as Record<string, string[]>);
    response.flushHeaders();
    answer.on("error", () => response.destroy()).pipe(response);
  });
  // Refused or cut on that side: cut on this one.
  onward.on("error", () => response.destroy());
  response.on("close", () => response.writableFinished || onward.destroy());
  request.pipe(onward);
}

/** Passes a WebSocket on: its handshake with another path and host, and then its bytes as they are. */
export async function passOnUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
  const target = await findTarget(request);
  if (typeof target === "number") {
    stream.end(
      `HTTP/1.1 ${target} ${STATUS_CODES[target]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    );
    return;
  }
  const lines = Object.entries({
    ...target.headers,
    connection: "Upgrade",
    upgrade: request.headersDistinct.upgrade,
  });
  const onward = connect(target.port, "127.0.0.1", () => {
    onward.write(`GET ${target.path} HTTP/1.1\r\n`);
    for (const [name, values = []] of lines)
      for (const value of [values].flat()) onward.write(`${name}: ${value}\r\n`);
    onward.write("\r\n");
    onward.write(head);
    onward.pipe(stream).pipe(onward);
  });
  onward.setNoDelay(true);
  onward.on("error", () => stream.destroy()).on("close", () => stream.end());
  stream.on("error", () => onward.destroy()).on("close", () => onward.destroy());
}

/** Where a request goes, as a request of the page on this computer. Or the status that refuses it. */
async function findTarget({ url = "", headers, headersDistinct }: IncomingMessage) {
  const host = judgeHost(headers.host);
  if (host !== "ours") return host === "foreign" ? 421 : 400;
  if (headers.origin !== undefined && !isOwnOrigin(headers)) return 403;
  const [, digits = "", path = ""] = url.match(/^\/-\/(\d{1,5})(.*)$/) ?? [];
  const port = Number(digits);
  if (!(await belongsToLesson(port))) return 404;
  const { connection: _, "keep-alive": __, upgrade: ___, expect: ____, ...rest } = headersDistinct;
  const pages = `http://localhost:${readPort("PAGE_PORT")}`;
  const sent: Record<string, string | string[]> = { ...(rest as object), host: `localhost:${port}` };
  if (headers.origin !== undefined) sent.origin = pages;
  return { port, path: path.startsWith("/") ? path : `/${path}`, headers: sent };
}

/** The lesson's server, or the cable before it; the cable's controls; and lesson 9's lanes, which its server lists. */
async function belongsToLesson(port: number): Promise<boolean> {
  const { CABLE_PORT, SERVER_PORT } = process.env;
  if ([readPort("PORT"), Number(CABLE_PORT || readPort("PORT"))].includes(port)) return true;
  try {
    const past = SERVER_PORT || readPort("PORT"); // the cable would show this request
    const answer = await fetch(`http://127.0.0.1:${past}/lanes/ports`, {
      signal: AbortSignal.timeout(2_000),
    });
    const { ports } = (await answer.json()) as { ports?: unknown };
    return Array.isArray(ports) && ports.includes(port);
  } catch {
    return false;
  }
}
