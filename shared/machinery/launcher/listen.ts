// Where the pages and the cable listen: on this computer, and with LAN on the addresses that the launcher has found.
import { createServer, type Server } from "node:net";

/** 127.0.0.1 first, since some programs mean that by "localhost" and others ::1. */
export function listenAddresses({ LAN_HOSTS } = process.env): string[] {
  return ["127.0.0.1", "::1", ...(LAN_HOSTS ? LAN_HOSTS.split(",") : [])];
}

/** Codes of an address family or an address that this computer does not have. */
const absent = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT"]);

/**
 * Listens on further addresses for a server that listens on one already. A computer without IPv6 is no fault.
 * Resolves with a function that stops; rejects (EADDRINUSE) when a port is taken.
 */
export async function alsoListen(
  server: Server,
  port: number,
  hosts: string[],
  options: { allowHalfOpen?: boolean; noDelay?: boolean; backlog?: number } = {},
): Promise<() => void> {
  const others: Server[] = [];
  const listen = (host: string) =>
    new Promise<void>((resolve, reject) => {
      const other = createServer(options, (socket) => void server.emit("connection", socket));
      other.once("error", (error: NodeJS.ErrnoException) =>
        host === "::1" && absent.has(error.code ?? "") ? resolve() : reject(error),
      );
      other.listen({ port, host, ...(options.backlog && { backlog: options.backlog }) }, () => {
        other.on("error", () => {}); // out of file descriptors, for example: one connection is lost
        others.push(other);
        resolve();
      });
    });
  const stop = () => {
    for (const other of others) other.close();
  };
  await Promise.all(hosts.map(listen)).catch((error) => {
    stop();
    throw error;
  });
  return stop;
}
