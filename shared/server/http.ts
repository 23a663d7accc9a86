// HTTP for the lessons: reads bounded JSON bodies, answers with JSON, and gives each bad request a clear answer.
import type { IncomingMessage, ServerResponse } from "node:http";
import { byteLimit, whyRefused } from "../both/message.ts";
import { headerValues, isAllowedHost, isAllowedOrigin } from "./allowed-hosts.ts";
import { sendInPieces } from "./long-answer.ts";
import type { Cursor } from "./message-log.ts";

export { writePiece } from "./long-answer.ts";

/** Throw this to answer a request with `status`, and the reason in the body. */
export class HttpError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
) => void | Promise<void>;

/** Handlers by method and path: `{ "GET /messages": … }`. */
export type Routes = Record<`${"GET" | "POST"} /${string}`, Handler>;

/** Their answer has left, or waits for its turn. */
const answered = new WeakSet<ServerResponse>();

/** Answers with `body` as JSON. A long list in it is sent piece by piece, as fast as the client reads. */
export function sendJson(response: ServerResponse, status: number, body: object): void {
  if (answered.has(response) || response.headersSent || response.destroyed) return;
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json");
  sendInPieces(response, body);
  answered.add(response);
}

/**
 * The request's body, parsed.
 * @throws {HttpError} 415 not JSON, 413 over 16 KiB (announced or not, the rest stays unread), 400 not UTF-8 or not JSON
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type) || request.headers["content-encoding"])
    throw new HttpError(415, "Send Content-Type: application/json.");
  if (Number(request.headers["content-length"]) > byteLimit)
    throw new HttpError(413, `Send at most ${byteLimit} bytes.`);
  const chunks: Buffer[] = [];
  let size = 0;
  // destroyOnReturn: false. Otherwise leaving the loop would cut the connection before the 413 has left.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > byteLimit) throw new HttpError(413, `Send at most ${byteLimit} bytes.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw new HttpError(400, "The body is not JSON in UTF-8.");
  }
}

/**
 * `?after=41&log=3f9a`: the reader's cursor. Without `after` there is none.
 * @throws {HttpError} 400 when `after` isn't a whole number, is empty or given twice
 */
export function readCursor(query: URLSearchParams): Cursor | undefined {
  const given = query.getAll("after");
  if (given.length === 0) return undefined;
  const after = given.length === 1 && /^\d+$/.test(given[0] ?? "") ? Number(given[0]) : Number.NaN;
  if (!Number.isSafeInteger(after)) throw new HttpError(400, "after: must be one whole number, 0 or more.");
  return { after, log: query.get("log") ?? undefined };
}

/** The answer to every request: the right handler, or a status that says what was wrong. Our page may read it. */
export async function answer(routes: Routes, request: IncomingMessage, response: ServerResponse) {
  // The connection may break while we answer.
  response.on("error", () => {});
  letOurPageRead(request, response);
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("X-Content-Type-Options", "nosniff");
  try {
    checkHost(request);
    if (!request.url?.startsWith("/") || !URL.canParse(request.url, "http://localhost"))
      throw new HttpError(400, "That is not a path.");
    const { pathname, searchParams } = new URL(request.url, "http://localhost");
    const methods = Object.keys(routes)
      .filter((route) => route.endsWith(` ${pathname}`))
      .map((route) => route.split(" ")[0] as string);
    if (methods.length === 0)
      throw new HttpError(404, `Nothing here. This server answers: ${Object.keys(routes).join(", ")}.`);
    const method = request.method === "HEAD" ? "GET" : request.method;
    const { origin } = request.headers;
    if (method !== "GET" && origin !== undefined && !isAllowedOrigin(origin))
      throw new HttpError(403, "Only the workshop's own page may do this.");
    if (method === "OPTIONS") return preflight(response, methods);
    const handler = routes[`${method} ${pathname}` as keyof Routes];
    if (!handler) {
      response.setHeader("Allow", [...methods, "OPTIONS"].join(", "));
      throw new HttpError(405, `${request.method} is not allowed here.`);
    }
    await handler(request, response, searchParams);
  } catch (error) {
    answerError(error, request, response);
  }
}

/** Says what was wrong with the request. Any other error is a mistake of ours: it is printed, and answered with 500. */
function answerError(error: unknown, request: IncomingMessage, response: ServerResponse) {
  if (request.destroyed && !request.complete) {
    response.destroy();
    return;
  }
  // A body that was not read to its end would be taken for the next request.
  if (!request.complete && !response.headersSent && !response.hasHeader("Connection"))
    response.setHeader("Connection", "close");
  if (error instanceof HttpError) return sendJson(response, error.status, { error: error.message });
  const reason = whyRefused(error);
  if (reason !== undefined) return sendJson(response, 422, { error: reason });
  console.error(error);
  // Half of the answer has left, with a status that says that all is well. Only a broken connection can take that back.
  if (response.headersSent && !response.writableEnded) response.destroy();
  else sendJson(response, 500, { error: "The server made a mistake. Its terminal shows the error." });
}

/** CORS (WHATWG Fetch): our page, and no other, may read the answer. */
export function letOurPageRead({ headers: { origin } }: IncomingMessage, response: ServerResponse): void {
  if (origin !== undefined && isAllowedOrigin(origin))
    response.setHeader("Access-Control-Allow-Origin", origin);
  response.setHeader("Vary", "Origin");
}

/** @throws {HttpError} 400 without a usable Host, 421 where it is not ours */
export function checkHost(request: Pick<IncomingMessage, "rawHeaders">): void {
  const [host, ...more] = headerValues(request, "host");
  if (!host || more.length > 0 || !URL.canParse(`http://${host}`))
    throw new HttpError(400, "Send one Host header.");
  if (!isAllowedHost(host)) throw new HttpError(421, "This server answers to localhost only.");
}

/** Before a POST with JSON the browser asks whether it may: OPTIONS, answered with what is allowed. */
function preflight(response: ServerResponse, methods: string[]) {
  response.writeHead(204, {
    "Access-Control-Allow-Methods": methods.join(", "),
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": 600,
  });
  response.end();
}
