// Which host names and origins belong to this workshop. Everything else is refused, wherever it knocks.
import { isIP } from "node:net";

/** Names of this machine: always these three, and with LAN=1 its addresses in the network (LAN_HOSTS, set by the launcher). */
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

/** Where to listen: this machine only, unless HOST is an address. Some shells (conda, csh) put a name of their own there. */
export function listenHost({ HOST = "" } = process.env): string {
  return isIP(HOST) ? HOST : "127.0.0.1";
}
