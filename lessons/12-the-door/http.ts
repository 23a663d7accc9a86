// What `serve` does in other lessons, for Express: decides which pages may ask, and turns errors into answers.
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ErrorRequestHandler, Express, RequestHandler } from "express";
import { whyRefused } from "../../shared/both/message.ts";
import { isAllowedOrigin } from "../../shared/server/allowed-hosts.ts";
import { checkHost, HttpError, sendJson } from "../../shared/server/http.ts";

/** A program that isn't a browser sends no Origin. */
export const isOurs = (origin: string | undefined) => origin === undefined || isAllowedOrigin(origin);

/** An Express app that asks `guard` before all of its routes, and for which `/login/` is another path than `/login`. */
export function guarded(app: Express): Express {
  return app.disable("x-powered-by").enable("strict routing").use(guard);
}

/** With credentials, our page may send its cookie from its own port, and read what comes back. */
const guard: RequestHandler = (request, response, next) => {
  const { origin } = request.headers;
  response.set({ "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", Vary: "Origin" });
  checkHost(request);
  if (origin !== undefined && isOurs(origin))
    response.set({ "Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true" });
  if (!isOurs(origin) && !["GET", "HEAD"].includes(request.method))
    throw new HttpError(403, "Only the workshop's own page may do this.");
  if (request.method !== "OPTIONS") return next();
  response.set({
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Content-Type",
  });
  response.status(204).end();
};

/** After all routes: answers requests that match none, and the errors that routes throw. */
export function answerTheRest(app: Express): void {
  const methodsAt = (path: string) =>
    app.router.stack
      .filter(({ route }) => route && [route.path].flat().includes(path))
      .flatMap(({ route }) => route?.stack.map(({ method }) => method.toUpperCase()) ?? []);

  app.use((request, response) => {
    const methods = methodsAt(request.path);
    if (methods.length === 0) throw new HttpError(404, "Nothing here.");
    response.set("Allow", methods.join(", "));
    throw new HttpError(405, `${request.method} is not allowed here.`);
  });

  app.use(((error, request, response, _next) => {
    if (request.destroyed && !request.complete) return void response.destroy();
    // A body that was not read to its end would be taken for the next request.
    if (!request.complete && !response.hasHeader("Connection")) response.set("Connection", "close");
    if (error.status === 429) response.set("Retry-After", "60");
    if (error.status === 503) response.set("Retry-After", "1");
    const reason = whyRefused(error);
    if (error instanceof HttpError) sendJson(response, error.status, { error: error.message });
    else if (reason !== undefined) sendJson(response, 422, { error: reason });
    else {
      console.error(error);
      sendJson(response, 500, { error: "The server made a mistake. Its terminal shows the error." });
    }
  }) satisfies ErrorRequestHandler);
}

/** Answers a handshake with a status instead of a socket. To a script in a browser, every status looks the same: 1006. */
export function refuseHandshake(socket: Duplex, status: 403 | 503): void {
  const later = status === 503 ? "Retry-After: 5\r\n" : "";
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${later}Connection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}
