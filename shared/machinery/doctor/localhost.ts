// A trial of the whole way: an installed browser opens a page and a WebSocket at localhost.
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { installedBrowser } from "../browser.ts";
import type { Finding } from "./finding.ts";

const withinMs = 15_000;

/** Another browser is used then, if there is one. */
export function chromePath({ CHROME_PATH } = process.env): Finding[] {
  if (!CHROME_PATH || existsSync(CHROME_PATH)) return [];
  return [
    {
      about: "Browser",
      verdict: "note",
      found: `CHROME_PATH names a file that doesn't exist: ${CHROME_PATH}`,
      advice: "Correct that variable, or remove it.",
    },
  ];
}

export async function browserReachesLocalhost(): Promise<Finding> {
  const about = "Browser";
  const executablePath = installedBrowser();
  if (!executablePath)
    return {
      about,
      verdict: "note",
      found: "no Chrome, Edge or Chromium found. Lessons run in any browser.",
      advice: "npm test and npm run slides:pdf need one of these: install it, or set CHROME_PATH.",
    };
  const server = createServer((_, response) => response.end("<!doctype html><title>page</title>"));
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    socket.on("error", () => {});
    socket.send("hello");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  // Loaded here, since it takes a while and nothing else needs it.
  const { chromium } = await import("playwright-core");
  // As root (containers, CI) Chromium refuses to start with its sandbox.
  const args = process.getuid?.() === 0 ? ["--no-sandbox", "--disable-gpu"] : ["--disable-gpu"];
  const browser = await chromium.launch({ executablePath, args, timeout: withinMs }).catch(() => undefined);
  try {
    if (!browser)
      return {
        about,
        verdict: "note",
        found: `${executablePath} could not be started for a trial.`,
        advice: "Open the lessons in the browser that you use. npm test may not run here.",
      };
    const page = await browser.newPage();
    page.setDefaultTimeout(withinMs);
    await page.goto(`http://localhost:${port}/`);
    const title = await page.title();
    const text = await page.evaluate(
      (url) =>
        new Promise((resolve) => {
          const socket = new WebSocket(url);
          socket.onmessage = ({ data }) => resolve(data);
          socket.onclose = ({ code }) => resolve(`closed with ${code}`);
          setTimeout(() => resolve("silent for 10 s"), 10_000);
        }),
      `ws://localhost:${port}`,
    );
    if (title === "page" && text === "hello") {
      const found = `${browser.version()}, opens pages and WebSockets at localhost`;
      return { about, verdict: "ok", found };
    }
    throw new Error(title === "page" ? `the WebSocket was ${text}` : `the page is "${title}"`);
  } catch (error) {
    const [why = ""] = (error as Error).message.replace(/^page\.\w+: /, "").split("\n");
    return {
      about,
      verdict: "stop",
      found: `it does not reach a server at localhost: ${why}`,
      advice: "A proxy, a VPN or a security program is in the way. Exclude localhost and 127.0.0.1 from it.",
    };
  } finally {
    await browser?.close();
    for (const socket of sockets.clients) socket.terminate();
    server.close();
    server.closeAllConnections();
  }
}
