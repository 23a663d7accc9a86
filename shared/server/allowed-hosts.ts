// Which host names and origins belong to this workshop, and where its servers listen. Everything else is refused.
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/** Names of this machine: always these three, and with LAN=1 its addresses on the network (LAN_HOSTS, set by the launcher). */
export const hostNames = ["localhost", "127.0.0.1", "[::1]", ...(process.env.LAN_HOSTS?.split(",") ?? [])];

/**
 * Whether a Host header (RFC 9110 §7.2) is one of our names, with any port. Another name that leads here is DNS
 * rebinding: a foreign site made its own name point to this machine, to read our answers as its own.
 */
export function isAllowedHost(host: string): boolean {
  const [, name = ""] = /^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(host) ?? [];
  return hostNames.includes(name.toLowerCase());
}

/** Whether an Origin header (RFC 6454) is that of the workshop's pages: http, one of our names, and PAGE_PORT. */
export function isAllowedOrigin(origin: string, pagePort = process.env.PAGE_PORT ?? "8000"): boolean {
  return hostNames.some((name) => new URL(`http://${name}:${pagePort}`).origin === origin.toLowerCase());
}

/**
 * All values of a header, in the order in which they came. Node's own `headersDistinct` throws for a request with a header
 * that is named `__proto__`, up to Node 20.20.1 (CVE-2026-21710). One such request would end the process.
 */
export function headerValues({ rawHeaders }: Pick<IncomingMessage, "rawHeaders">, name: string): string[] {
  return rawHeaders.filter((_, n) => n % 2 === 1 && rawHeaders[n - 1]?.toLowerCase() === name);
}

/** HOST, if it is an address of a network. Some shells (conda, csh) put a name of their own there. */
const networkHost = ({ HOST = "" }: NodeJS.ProcessEnv) =>
  isIP(HOST) > 0 && !["127.0.0.1", "::1"].includes(HOST) ? HOST : undefined;

/** Whether HOST asks for a network that the launcher has not opened with LAN=1. Then it has no effect. */
export function isHostIgnored(env = process.env): boolean {
  return networkHost(env) !== undefined && !env.LAN_HOSTS;
}

/**
 * The addresses to listen on. Always this machine's own two, because `localhost` is 127.0.0.1 to some programs and ::1
 * to others. And HOST, if the launcher has opened the lesson to that network.
 */
export function listenAddresses(env = process.env): string[] {
  const host = isHostIgnored(env) ? undefined : networkHost(env);
  if (!host) return ["127.0.0.1", "::1"];
  // 0.0.0.0 includes 127.0.0.1, and :: includes everything.
  if (host === "::") return [host];
  return host === "0.0.0.0" ? [host, "::1"] : ["127.0.0.1", "::1", host];
}
