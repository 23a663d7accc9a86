// Mallory's web server, at a port of its own: http://localhost:8012. It serves one page to this computer only, even while
// LAN opens the lesson to the network. Our page links to it.
import { readFile } from "node:fs/promises";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RequestHandler } from "express";
import { BoundedServer } from "../../shared/server/connections.ts";

// From the workshop's folder, where npm starts the server. It is compiled first, so it can't look beside this file.
const file = "lessons/12-the-door/mallory.html";

async function sendPage(_request: IncomingMessage, response: ServerResponse) {
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(await readFile(file).catch(() => "There is no mallory.html."));
}

/**
 * Starts Mallory's server when `server` listens: at MALLORY_PORT (8012), or at any port if another program has that one.
 * Returns a handler that sends a browser to Mallory's page: at our page's host name (another port is another origin, but
 * the same site), or with `?from=site` at the other name of this computer, which is another site.
 */
export function malloryNextDoor(server: Server): RequestHandler {
  const mallory = new BoundedServer([]).on(
    "request",
    (request, response) => void sendPage(request, response),
  );
  mallory.once("error", () => mallory.listen(0, "127.0.0.1"));
  server.once("listening", () => mallory.listen(Number(process.env.MALLORY_PORT ?? 8012), "127.0.0.1"));
  return ({ headers: { host = "localhost" }, query }, response) => {
    const [own, other] = host.startsWith("127.") ? ["127.0.0.1", "localhost"] : ["localhost", "127.0.0.1"];
    const { port } = (mallory.address() ?? { port: 8012 }) as AddressInfo;
    response.redirect(302, `http://${query.from === "site" ? other : own}:${port}/?door=${host}`);
  };
}
