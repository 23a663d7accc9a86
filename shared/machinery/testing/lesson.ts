// A lesson for tests: its server as a process of its own, its page in a browser, its wire by hand.
import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import type { Page } from "playwright-core";
import { WebSocket } from "ws";
import { bundle } from "../checks/bundle.ts";
import { startNode } from "../supervisor/supervisor.ts";
import { openTab } from "./browser.ts";
import { atEnd } from "./clean-up.ts";
import { freePort, type Running, root, runNode } from "./process.ts";

export type LessonServer = Running & { port: number; url: string };

const programs = new Map<string, Promise<string>>();

/** A lesson's server, or that of our solution where SOLUTIONS is set, compiled once: it starts three times as fast. */
function program(lesson: string): Promise<string> {
  const known = programs.get(lesson);
  if (known) return known;
  // As deep in the tree as the lesson, so that what it looks for beside itself is found.
  const outfile = join(root, ".workshop", `test-${process.pid}-${lesson}`, "server.mjs");
  const file = join(root, "lessons", lesson, process.env.SOLUTIONS ? "solution" : "", "server.ts");
  const compiling = bundle(file, outfile).then((error) => {
    if (error) throw new Error(`${error.where}: ${error.text}`);
    atEnd(() => programs.delete(lesson) && rmSync(dirname(outfile), { recursive: true, force: true }));
    return outfile;
  });
  programs.set(lesson, compiling);
  return compiling;
}

/** Runs a lesson's server, which may refuse to start. */
export async function runServer(
  lesson: string,
  env: Record<string, string | undefined> = {},
): Promise<Running> {
  return runNode(
    [await program(lesson)],
    { HOST: undefined, LESSON: lesson, ...env },
    ["--enable-source-maps"],
    true,
  );
}

/** Starts a lesson's server on a free port; ready when it answers. */
export async function startServer(lesson: string, env: Record<string, string> = {}): Promise<LessonServer> {
  const server = await runServer(lesson, { PORT: "0", ...env });
  const [, port] = await server.prints(/listening on http:\/\/localhost:(\d+)/);
  return { ...server, port: Number(port), url: `http://127.0.0.1:${port}` };
}

/** Starts the pages on a free port. They look for the lesson's server at `serverPort`. */
export async function startPages(serverPort: number, pagePort: number, env = {}): Promise<void> {
  const variables = { PAGE_PORT: String(pagePort), PORT: String(serverPort), ...env };
  // Without flags for Node: start.cjs loads tsx by itself.
  const pages = runNode(["shared/machinery/start.cjs", "pages/pages"], variables, []);
  await pages.prints(/http:\/\/localhost:\d+/);
}

/** Pages servers that no test file uses at the moment. They stay for the next one, and end with this process. */
const idle: { serverPort: number; pagePort: number }[] = [];

async function startKeptPages() {
  const ports = { serverPort: await freePort(), pagePort: await freePort() };
  const env = { ...process.env, PORT: String(ports.serverPort), PAGE_PORT: String(ports.pagePort) };
  const { child, ended } = startNode(["shared/machinery/start.cjs", "pages/pages"], { cwd: root, env });
  child.stderr?.pipe(process.stderr);
  const fails = ended.then(({ why }) => Promise.reject(new Error(`the pages server has ended: ${why}`)));
  await Promise.race([once(child.stdout as Readable, "data"), fails]); // it prints its address
  return ports;
}

/** Ports for a whole lesson, server and pages, and a way to open its page. */
export async function lessonPorts(lesson: string) {
  const ports = idle.pop() ?? (await startKeptPages());
  atEnd(() => idle.push(ports));
  const { serverPort, pagePort } = ports;
  const env = { PORT: String(serverPort), PAGE_PORT: String(pagePort) };
  const url = `http://localhost:${pagePort}/lessons/${lesson}/`;
  return {
    serverPort,
    pagePort,
    url,
    startServer: (more: Record<string, string> = {}) => startServer(lesson, { ...env, ...more }),
    openPage: (prepare?: (page: Page) => unknown) => openTab(url, prepare),
  };
}

/** Says something on a lesson's page as a reader would. By the button: on a busy computer Chromium misses some Enters. */
export async function say(page: Page, from: string, text: string): Promise<void> {
  await page.getByLabel("Name").fill(from);
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.getByRole("button", { name: "Send", exact: true }).click();
}

/** A number that the page shows. */
export async function shown(page: Page, name: string): Promise<number> {
  return Number((await page.locator(`[data-number="${name}"]`).textContent())?.replace(/,/g, ""));
}

/** Resolves when `check` holds, checking again after 20 ms, later after up to 100 ms; rejects with the last reason after `withinMs`. */
export async function until(check: () => unknown, withinMs = 60_000): Promise<void> {
  const end = performance.now() + withinMs;
  // Ever more seldom, since each question to a page costs the processor a few milliseconds.
  for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 1.2, 100)) {
    if (await check()) return;
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** A text of 12 KB that a server checks quickly: it is one character, a letter with thousands of accents. */
export const heavyText = `e${"\u20d7".repeat(3_990)}`;

/** Sends bytes over TCP as they are, and resolves with all that comes back until the connection ends. */
export function raw(port: number, bytes: string | Uint8Array, withinMs = 30_000): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connectTcp(port, "127.0.0.1", () => socket.write(bytes));
    const timer = setTimeout(
      () => socket.destroy(new Error(`still open after ${withinMs} ms: ${received}`)),
      withinMs,
    );
    socket.setEncoding("latin1").on("data", (chunk) => {
      received += chunk;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(received);
    });
  });
}

// Each lesson has its own types of messages; tests look at the fields that they name.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Received = any;

/** How a client comes in: where, and with which headers. Most lessons are at `/`, and ask for nothing. */
export type Door = { path: string; headers: Record<string, string> };
const openDoor: Door = { path: "/", headers: {} };

/** A WebSocket client that remembers everything it received. */
export class Client {
  readonly socket: WebSocket;
  readonly received: Received[] = [];
  readonly opened: Promise<void>;
  readonly closed: Promise<{ code: number; reason: string }>;

  constructor(
    port: number,
    options: ConstructorParameters<typeof WebSocket>[2] = {},
    host = "127.0.0.1",
    path = "/",
  ) {
    this.socket = new WebSocket(`ws://${host}:${port}${path}`, options);
    this.socket.on("message", (data, isBinary) =>
      this.received.push(isBinary ? data : JSON.parse(data.toString())),
    );
    this.opened = new Promise((resolve, reject) => {
      this.socket.once("open", resolve);
      this.socket.once("error", reject);
    });
    this.opened.catch(() => {});
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) =>
      this.socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() })),
    );
  }

  static async open(port: number, { path, headers } = openDoor, host?: string): Promise<Client> {
    const client = new Client(port, { headers }, host, path);
    await client.opened;
    return client;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** The first message received of this type, waiting for it if need be. */
  receives(
    type: string,
    which: (message: Received) => boolean = () => true,
    withinMs = 60_000,
  ): Promise<Received> {
    const fits = (message: Received) => message.type === type && which(message);
    const found = this.received.find(fits);
    if (found) return Promise.resolve(found);
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        this.socket.off("message", look);
      };
      const look = () => {
        const last = this.received.at(-1);
        if (!fits(last)) return;
        stop();
        resolve(last);
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`no ${type} within ${withinMs} ms: ${which}`));
      }, withinMs);
      this.socket.on("message", look);
    });
  }
}

/** A handshake by hand on a raw TCP socket, for frames that no library would send. Resolves when 101 has come. */
export async function rawWebSocket(port: number, { path, headers } = openDoor): Promise<Socket> {
  const socket = connectTcp(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      Object.entries(headers)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join("") +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await new Promise((resolve, reject) => {
    socket.once("data", resolve);
    socket.once("close", () => reject(new Error("closed before 101")));
  });
  return socket;
}
