// Ports, names and addresses of this computer.
import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import { lanAddresses } from "../launcher/lan.ts";
import { readPort, type Variable, whyNotFree } from "../launcher/ports.ts";
import { whatRunsAt } from "../launcher/what-runs.ts";
import type { Finding } from "./finding.ts";

export function ports(): Promise<Finding[]> {
  return Promise.all([portOf("PORT", "a lesson's server"), portOf("PAGE_PORT", "the pages")]);
}

async function portOf(variable: Variable, use: string): Promise<Finding> {
  let port: number;
  try {
    port = readPort(variable);
  } catch (error) {
    return { about: variable, verdict: "stop", found: (error as Error).message };
  }
  const about = `Port ${port}`;
  const fault = await whyNotFree(variable, port);
  if (!fault) return { about, verdict: "ok", found: `free, for ${use}` };
  const running = await whatRunsAt(port);
  if (running) return { about, verdict: "note", found: `used by this workshop itself (${running})` };
  if (!/taken/.test(fault)) return { about, verdict: "stop", found: fault };
  const advice = `Stop that program, or set ${variable} to another port, as the README says.`;
  return { about, verdict: "stop", found: "taken by another program.", advice };
}

/** Browsers know what localhost is without asking. Other programs ask the system. */
export async function localhostName(find = lookup): Promise<Finding> {
  const about = "localhost";
  const found = await find("localhost", { all: true }).catch(() => []);
  const addresses = found.map(({ address }) => address);
  const foreign = addresses.filter((address) => !/^(127\.|::1$)/.test(address));
  if (addresses.length > 0 && foreign.length === 0)
    return { about, verdict: "ok", found: `means this computer: ${addresses.join(", ")}` };
  return {
    about,
    verdict: "note",
    found: foreign.length > 0 ? `means ${foreign.join(", ")} here.` : "this computer does not know the name.",
    advice: "The system's hosts file should say: 127.0.0.1 localhost",
  };
}

/** By their names. macOS has several utun without a VPN, which have no IPv4 address then. */
const isVpn = (name: string) =>
  /^(tun|tap|ppp|wg|utun|ipsec|gpd|zt|tailscale|nordlynx|proton|cscotun)|vpn|wireguard|anyconnect|globalprotect|forti|tailscale|zerotier/i.test(
    name,
  );

export function vpn(interfaces = networkInterfaces()): Finding {
  const about = "VPN";
  const found = Object.entries(interfaces).flatMap(([name, list = []]) => {
    const address = list.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
    return isVpn(name) && address ? [`${name} (${address})`] : [];
  });
  if (found.length === 0) return { about, verdict: "ok", found: "none seems to be connected" };
  return {
    about,
    verdict: "note",
    found: `${found.join(", ")} seems to be a VPN.`,
    advice: "Most leave localhost alone. Others in the room may not reach you while it is connected.",
  };
}

/** The address that LAN=1 would open, and the others that it would offer. */
export function localNetwork(): Finding {
  const about = "Network";
  try {
    const [first, ...others] = lanAddresses("1");
    const found = `${first}, with LAN=1`;
    return {
      about,
      verdict: "ok",
      found: others.length > 0 ? `${found}, or one of ${others.join(", ")}` : found,
    };
  } catch {
    return { about, verdict: "ok", found: "none, and no lesson needs one. LAN=1 does." };
  }
}
