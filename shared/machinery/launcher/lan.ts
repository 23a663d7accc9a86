// LAN=1: a lesson that others on the network can join. Finds this computer's addresses, and draws them as QR codes.
import { networkInterfaces } from "node:os";
import { renderSVG, renderUnicodeCompact } from "uqr";

/**
 * The addresses under which others on this network reach this computer, the likeliest first; none without LAN.
 * LAN=1 takes those of all interfaces, LAN=192.168.1.23 only that one. Throws a line for the user.
 */
export function lanAddresses(wanted = process.env.LAN ?? ""): string[] {
  if (wanted === "" || wanted === "0") return [];
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const own = all
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);
  if (wanted === "1") {
    if (own.length === 0) throw new Error("LAN=1 needs a network, but this computer isn't connected to one.");
    return own.sort((a, b) => likely(b) - likely(a));
  }
  // All of 127.0.0.0/8 is this computer, though its interface names only one address of it.
  if (own.includes(wanted) || /^127(\.\d{1,3}){3}$/.test(wanted)) return [wanted];
  throw new Error(`LAN=${wanted} isn't an address of this computer. It has: ${own.join(", ") || "none"}.`);
}

/** Networks of homes and offices come before those of virtual machines and containers. */
const likely = (address: string) => [/^172\./, /^10\./, /^192\.168\./].findIndex((net) => net.test(address));

/** What the terminal prints for LAN=1: the address, its QR code, and what it means. */
export function describeLan(address: string, others: string[]): string {
  const code = renderUnicodeCompact(address, { border: 2 });
  return [
    "",
    "  Open to this network (LAN=1):",
    "",
    `            ${address}`,
    ...(others.length ? [`            or, if that doesn't answer: ${others.join("  ")}`] : []),
    "",
    code.replace(/^/gm, "  "),
    "",
    "  Everybody on this network can now read the workshop's files and write into",
    "  the chat, unencrypted and without a password. Don't do this on a network that",
    "  you don't trust. Ctrl-C closes it.",
    "",
  ].join("\n");
}

/** The address as a QR code, for a page: a data URL. */
export function drawQr(address: string): string {
  return `data:image/svg+xml,${encodeURIComponent(renderSVG(address, { border: 2 }))}`;
}
