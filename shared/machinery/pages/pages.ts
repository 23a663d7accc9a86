// The pages server: gives the browser the lessons' pages, TypeScript as JavaScript, and reloads what was saved.
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { BoundedServer } from "../../server/connections.ts";
import { drawQr } from "../launcher/lan.ts";
import { root } from "../launcher/lessons.ts";
import { alsoListen, listenAddresses } from "../launcher/listen.ts";
import { canConnect, describePortFault, readPort } from "../launcher/ports.ts";
import { publicHost } from "../launcher/public-host.ts";
import { showControls } from "../supervisor/output.ts";
import { compile, warmUp } from "./compile.ts";
import { renderMarkdown, tableOfContents, withReload } from "./documents.ts";
import { type Found, findServed, judgeHost } from "./gate.ts";
import { openReloadSocket, watchFolders } from "./live.ts";
import { canOpen, changeNetwork, isSpeaker, networkPath } from "./network.ts";
import { isForAnotherPort, passOn } from "./one-port.ts";
import { contentPolicy, inlineScripts, needsAnyPort } from "./policy.ts";
import { renderedSlides } from "./rendered-slides.ts";

// Loaded by Node itself: through tsx, all of their files would be compiled once more.
const libraries = Promise.all([
  import("local-web-server"),
  import("lws-conditional-get"),
  import("lws-static"),
]);

/** The part of Koa's context that is used here. */
type Context = {
  req: IncomingMessage & { url: string };
  res: ServerResponse;
  respond: boolean;
  method: string;
  path: string;
  querystring: string;
  status: number;
  type: string;
  body: unknown;
  get(header: string): string;
  set(header: string, value: string): void;
  vary(header: string): void;
  redirect(url: string): void;
  state: { found: Found };
};
type Middleware = (context: Context, next: () => Promise<void>) => Promise<void> | void;
export type Plugin = { middleware(): Middleware | Middleware[] };

/** The host that the browser shows. A forwarding program may have put localhost into Host, and the name here. */
function hostSeen(context: Context): string {
  const forwarded = context.get("X-Forwarded-Host");
  return forwarded && forwarded === publicHost() ? forwarded : context.get("Host");
}

/** With one forwarded port: what isn't for the pages. */
class OtherPorts implements Plugin {
  middleware(): Middleware {
    return (context, next) => {
      if (!isForAnotherPort(context.req.url)) return next();
      context.respond = false; // answered here, not by Koa
      return passOn(context.req, context.res);
    };
  }
}

/** Refuses requests that aren't allowed. Everything after this can rely on a file that exists. */
class Gate implements Plugin {
  middleware(): Middleware {
    return async (context, next) => {
      const host = judgeHost(context.req);
      if (host !== "ours") {
        context.status = host === "foreign" ? 421 : 400;
        return;
      }
      if (context.method === "POST" && context.path === networkPath) {
        const { status, why } = changeNetwork(context.req);
        context.status = status;
        if (why) context.body = why;
        return;
      }
      if (!["GET", "HEAD"].includes(context.method)) {
        context.status = 405;
        context.set("Allow", "GET, HEAD");
        return;
      }
      context.set("Cache-Control", "no-cache"); // ask each time; mostly the answer is 304
      context.set("X-Content-Type-Options", "nosniff");
      context.set("Content-Security-Policy", contentPolicy(hostSeen(context)));
      if (["/", "/slides/now"].includes(context.path) && context.req.url.startsWith("/")) return next();
      const found = await findServed(context.req.url);
      if (!found) return; // 404
      if (found.isFolder && !context.path.endsWith("/")) {
        // Without the slash a page's relative imports would miss its folder.
        context.redirect(`${context.path}/${context.querystring && `?${context.querystring}`}`);
        context.status = 301;
        return;
      }
      context.state.found = found;
      return next();
    };
  }
}

/** Pages that are made or completed here, not served as they are on disk. */
class Made implements Plugin {
  middleware(): Middleware {
    return async (context, next) => {
      if (context.path === "/") {
        context.type = "html";
        context.body = tableOfContents();
        return;
      }
      if (context.path === "/slides/now") {
        context.body = await whatRuns(isSpeaker(context.req));
        return;
      }
      const { file, url, isFolder } = context.state.found;
      // A person's browser asks for text/html. A page that loads a module doesn't.
      const isOpened = context.get("Accept").includes("text/html");
      if (/\.(ts|md)$/.test(url)) context.vary("Accept");
      if (url.endsWith(".ts") && isOpened) {
        context.type = "text/plain; charset=utf-8";
        context.body = await readFile(file, "utf8");
      } else if (url.endsWith(".ts")) {
        const { code, fails } = await compile(file, url);
        if (fails) context.set("Compile-Error", "true");
        context.type = "text/javascript; charset=utf-8";
        context.body = code;
      } else if (url.endsWith(".md") && isOpened) {
        const text = await readFile(file, "utf8");
        context.type = "html";
        context.body = await renderMarkdown(text);
      } else if (url === "/slides" && isFolder) {
        const { body, etag, scripts } = await renderedSlides();
        context.set("ETag", etag);
        context.set("Content-Security-Policy", contentPolicy(hostSeen(context), scripts));
        context.type = "html";
        context.body = body;
      } else if (url.startsWith("/lessons/") && (isFolder || url.endsWith(".html"))) {
        const page = await findServed(isFolder ? `${url}/index.html` : url);
        if (!page) return;
        const html = await readFile(page.file, "utf8");
        const policy = contentPolicy(hostSeen(context), inlineScripts(html), needsAnyPort(html));
        context.set("Content-Security-Policy", policy);
        context.type = "html";
        context.body = withReload(html);
      } else {
        await next();
      }
    };
  }
}

/** The server's own port, past the cable, which would take any connection and show it. */
const serverPort = () => Number(process.env.SERVER_PORT || readPort("PORT"));

/**
 * For the slides: the lesson that the launcher has started, and where phones find it when it is open to them. The
 * speaker, who sits at this computer, may also open it.
 */
async function whatRuns(isSpeaker: boolean) {
  const { LESSON: lesson, LAN_HOSTS, PAGE_PORT = "8000" } = process.env;
  const answers = lesson !== undefined && (await canConnect(serverPort(), "127.0.0.1"));
  const mayOpen = isSpeaker && canOpen();
  if (!lesson || !LAN_HOSTS) return { lesson, answers, mayOpen };
  const address = `http://${LAN_HOSTS.split(",")[0]}:${PAGE_PORT}/lessons/${lesson}/`;
  return {
    lesson,
    answers,
    mayOpen,
    join: { address, code: drawQr(address), joined: reload?.visitors() ?? 0 },
  };
}

/** How long a connection may stay silent, in ms: before its first request, and between two. */
const silentMs = 10_000;

/** Which handshakes are accepted, the reload socket and one forwarded port decide. */
class PagesServer extends BoundedServer {
  protected override mayOpen = () => true;
}

const brokenOff = new Set<string | undefined>(["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"]);

/** The WebSocket that each open page has to this server. */
let reload: ReturnType<typeof openReloadSocket> | undefined;

async function main() {
  const port = readPort("PAGE_PORT");
  readPort("PORT"); // a wrong one is reported now, and not when the first page is opened
  const [hostname = "127.0.0.1", ...others] = listenAddresses();
  const [{ default: LocalWebServer }, { default: ConditionalGet }, { default: Static }] = await libraries;
  /** Bounded: a packet with a thousand requests would open a thousand files at the same time. */
  class Pages extends LocalWebServer {
    override createServer() {
      this.server = new PagesServer();
      return this.server;
    }
  }
  const { server } = await Pages.create({
    port,
    hostname,
    directory: root,
    stack: [OtherPorts, Gate, ConditionalGet, Made, Static],
    view: { write: report },
    _alreadyMerged: true,
  });

  function report(key: string, value: unknown) {
    // Otherwise a taken port ends the process without a message, with exit code 0.
    if (key === "server.error") refuse(describe(value as NodeJS.ErrnoException));
    // A reload in the middle of a download is no error.
    if (key === "middleware.error" && !brokenOff.has((value as NodeJS.ErrnoException).code))
      console.error(showControls(String((value as Error).stack ?? value)));
  }
  const describe = ({ code = "unknown" }: NodeJS.ErrnoException) =>
    describePortFault("PAGE_PORT", port, code);

  // A client that sends no request, or reads no answer, is disconnected. ws exempts its sockets.
  server.keepAliveTimeout = silentMs;
  server.setTimeout(silentMs + 5_000);

  reload = openReloadSocket(server);
  const { tell } = reload;
  server.on("listening", async () => {
    await alsoListen(server, port, others).catch((error) => refuse(describe(error)));
    console.log(`Pages at http://localhost:${port}/`);
    warmUp();
    watchFolders(["lessons", "shared", "slides"], tell);
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit());
}

function refuse(why: string) {
  console.error(why);
  process.exit(1);
}

main().catch((error) => refuse(error.message));
