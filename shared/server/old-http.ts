// HTTP for the lessons: a bounded JSON body in, JSON out, and each bad request a clear answer.
import type { IncomingMessage, ServerResponse } from "node:http";
import { byteLimit, Refused } from "../both/old-message.ts";
import type { Cursor } from "./message-log.ts";
import { isOurHost, isOurPage } from "./old-ours.ts";

/** A request that is answered with `status` and, in the body, the reason. */
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

/** Answers with `body` as JSON. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": bytes.length });
  response.end(bytes);
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
  // destroyOnReturn: false, since leaving the loop would otherwise cut the connection before the 413 is out.
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
 * `?after=41&log=3f9a`: where the reader stands. Without `after` there is no cursor.
 * @throws {HttpError} 400 when `after` is no whole number, empty or given twice
 */
export function readCursor(query: URLSearchParams): Cursor | undefined {
  const given = query.getAll("after");
  if (given.length === 0) return undefined;
  const after = given.length === 1 && /^\d+$/.test(given[0] ?? "") ? Number(given[0]) : Number.NaN;
  if (!Number.isSafeInteger(after)) throw new HttpError(400, "after: one whole number, 0 or more.");
  return { after, log: query.get("log") ?? undefined };
}

/**
 * The answer to every request: the right handler, or a status that says what was wrong.
 * CORS (WHATWG Fetch): our page, and no other, may read the answers.
 */
export async function answer(routes: Routes, request: IncomingMessage, response: ServerResponse) {
  // Asked for on a connection that just broke: nobody to tell.
  response.on("error", () => {});
  const { origin } = request.headers;
  if (origin !== undefined && isOurPage(origin)) response.setHeader("Access-Control-Allow-Origin", origin);
  response.setHeader("Vary", "Origin");
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
      throw new HttpError(404, `Nothing here. There is: ${Object.keys(routes).join(", ")}.`);
    const method = request.method === "HEAD" ? "GET" : request.method;
    if (method !== "GET" && origin !== undefined && !isOurPage(origin))
      throw new HttpError(403, "Only the workshop's own page may do this.");
    if (method === "OPTIONS") return preflight(response, methods);
    const handler = routes[`${method} ${pathname}` as keyof Routes];
    if (!handler) {
      response.setHeader("Allow", [...methods, "OPTIONS"].join(", "));
      throw new HttpError(405, `${request.method} is not allowed here.`);
    }
    await handler(request, response, searchParams);
  } catch (error) {
    if (request.destroyed && !request.complete) return void response.destroy();
    // A body that was not read to its end would be taken for the next request.
    if (!request.complete && !response.headersSent) response.setHeader("Connection", "close");
    if (error instanceof HttpError) sendJson(response, error.status, { error: error.message });
    else if (error instanceof Refused) sendJson(response, 422, { error: error.message });
    else {
      console.error(error);
      // Half of an answer is out: no status can say any more that the other half will not come.
      if (response.headersSent && !response.writableEnded) return void response.destroy();
      sendJson(response, 500, { error: "The server made a mistake; its terminal says which." });
    }
  }
}

/** @throws {HttpError} 400 without a usable Host, 421 where it is not ours */
export function checkHost({ headers, headersDistinct }: IncomingMessage): void {
  const { host } = headers;
  if (!host || headersDistinct.host?.length !== 1 || !URL.canParse(`http://${host}`))
    throw new HttpError(400, "Send one Host header.");
  if (!isOurHost(host)) throw new HttpError(421, "This server answers to localhost only.");
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
