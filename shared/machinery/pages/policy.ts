// The Content-Security-Policy of every page: which scripts run, where the page may connect, and who may frame it.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { root } from "../launcher/lessons.ts";
import { readPort } from "../launcher/ports.ts";
import { isForwardedByHttps, publicHost } from "../launcher/public-host.ts";

/**
 * The policy (W3C CSP Level 3) for a page that was asked for at `host`. Scripts come from files of the workshop; of
 * those written into a page, such as an import map, only those of `inlineScripts` run. Only the workshop's own pages,
 * the slides, may frame a page. It may connect to the lesson's server and to the cable's controls. With `anyPort`, it may
 * connect to all ports of its own host: the lanes of lesson 9 get their ports later. A page at an IPv6 address may connect
 * anywhere.
 */
export function contentPolicy(host: string, inlineScripts: string[] = [], anyPort = false): string {
  const hashes = inlineScripts.map(
    (text) => ` 'sha256-${createHash("sha256").update(text).digest("base64")}'`,
  );
  return [
    "default-src 'self'",
    `script-src 'self'${hashes.join("")}`,
    "style-src 'self' 'unsafe-inline'", // the plot and the slides set styles on elements
    "img-src 'self' data:",
    `connect-src 'self' ${connectSources(host, anyPort)}`,
    "frame-ancestors 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "object-src 'none'",
    // The page says ws: and http: as it does everywhere. Behind https, the browser makes wss: and https: of them.
    ...(host === publicHost() && isForwardedByHttps() ? ["upgrade-insecure-requests"] : []),
  ].join("; ");
}

function connectSources(host: string, anyPort: boolean): string {
  const name = host.replace(/:\d+$/, "");
  // A policy can't name an IPv6 address.
  if (name.startsWith("[")) return "http: ws:";
  // All goes through the port that is forwarded. For some browsers 'self' doesn't include its WebSockets.
  if (publicHost()) return `http://${host} ws://${host} wss://${host}`;
  const { CABLE_PORT } = process.env;
  const ports = anyPort ? ["*"] : [readPort("PORT"), ...(CABLE_PORT ? [CABLE_PORT] : [])];
  // The WebSocket that reloads the page: for some browsers 'self' doesn't include it.
  return [`ws://${host}`, ...ports.map((port) => `http://${name}:${port} ws://${name}:${port}`)].join(" ");
}

/** Whether a page says `<html data-ports="any">`: lesson 9's lanes get their ports when their page is open already. */
export function needsAnyPort(html: string): boolean {
  return /<html[^>]* data-ports="any"/.test(html);
}

/** The text of each script that is written into a page itself. */
export function inlineScripts(html: string): string[] {
  return [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>(.*?)<\/script>/gis)].map(([, text = ""]) => text);
}

let speakerScripts: string[] | undefined;

/** The script of reveal.js's speaker view, a window that inherits the policy of the slides. */
export function speakerViewScripts(): string[] {
  speakerScripts ??= inlineScripts(speakerView());
  return speakerScripts;
}

/** The page that reveal.js writes into that window: a string literal in its plugin. */
function speakerView(): string {
  const plugin = join(root, "node_modules", "reveal.js", "dist", "plugin", "notes.mjs");
  const [, literal = '""'] =
    readFileSync(plugin, "utf8").match(/document\.write\(("(?:[^"\\]|\\.)*")\)/) ?? [];
  return runInNewContext(literal);
}
