// Who may talk to a lesson's server: our own page, under a name of this machine.
import { isIP } from "node:net";

/**
 * Names that mean this machine: always these three, and with LAN=1 its addresses in the network, which the launcher
 * has put into LAN_HOSTS. A foreign name that leads here is DNS rebinding.
 */
const names = ["localhost", "127.0.0.1", "[::1]", ...(process.env.LAN_HOSTS?.split(",") ?? [])];
const ours = `(${names.map((name) => name.replace(/[.[\]]/g, "\\$&")).join("|")})`;
const pagePort = process.env.PAGE_PORT ?? "8000";
const hostPattern = new RegExp(`^${ours}(:\\d{1,5})?$`, "i");
const originPattern = new RegExp(`^http://${ours}${pagePort === "80" ? "" : `:${pagePort}`}$`, "i");

/** Where to listen: this machine only, unless HOST is an address. Some shells (conda, csh) put a name of their own there. */
export function listenHost({ HOST = "" } = process.env): string {
  return isIP(HOST) ? HOST : "127.0.0.1";
}

/** Whether a Host header names this machine (RFC 9110 §7.2); the port does not matter. */
export function isOurHost(host: string): boolean {
  return hostPattern.test(host);
}

/** Whether an Origin header is that of the workshop's pages (RFC 6454): same scheme, same machine, PAGE_PORT. */
export function isOurPage(origin: string): boolean {
  return originPattern.test(origin);
}
