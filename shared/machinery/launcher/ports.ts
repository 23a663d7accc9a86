// The ports of the workshop, and whether they are free.
import { connect, createServer } from "node:net";

export type Variable = "PORT" | "PAGE_PORT";

const standard: Record<Variable, number> = { PORT: 8080, PAGE_PORT: 8000 };

/** The port that an environment variable asks for, or the usual one. Throws a line for the user. */
export function readPort(variable: Variable): number {
  const text = process.env[variable] ?? String(standard[variable]);
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535)
    throw new Error(`${variable} has to be a whole number from 1 to 65535, not "${text}".`);
  return port;
}

/**
 * Finds ports that nobody needs to know by heart: any that is free at this moment, among `count` from `first` on. They
 * should be below those that systems hand out by themselves, 32768 and up: between now and its use, an outgoing
 * connection could get one of those. Each call gets another port, since the port of an earlier call may not be in use
 * yet. Another process may look among the same ports: each begins somewhere else, or at `begin`.
 */
export function portsFrom(first: number, count: number, begin = Math.floor(Math.random() * count)) {
  let nth = begin;
  return async (): Promise<number> => {
    for (;;) {
      const port = first + (nth++ % count);
      if (!(await listenFault(port))) return port;
    }
  };
}

const behind = [29_000, 3_700] as const;
export const anyFreePort = portsFrom(...behind);

/**
 * The ports of a lesson behind its cable: for the same `port`, the same ones if they are free. So the drawers in pages
 * that are open find the cable again after the lesson was stopped and started.
 */
export const portsBehind = (port: number) => portsFrom(...behind, 2 * port);

/** A line for the user if nobody can listen on this port now. Undefined if it is free. */
export async function whyNotFree(variable: Variable, port: number): Promise<string | undefined> {
  // Both ways, since neither sees all: a server on the other address family, or on all addresses (Windows
  // lets a second one in), is found by connecting; a forbidden port only by listening.
  const [answers4, answers6, code] = await Promise.all([
    canConnect(port, "127.0.0.1"),
    canConnect(port, "::1"),
    listenFault(port),
  ]);
  if (answers4 || answers6) return describePortFault(variable, port, "EADDRINUSE");
  return code && describePortFault(variable, port, code);
}

/** One line for the user about a port on which nobody can listen, and what to do. */
export function describePortFault(variable: Variable, port: number, code: string): string {
  if (code === "EACCES")
    return `You may not use port ${port} on this computer. Set ${variable} to a port above 1023.`;
  if (code === "EADDRINUSE")
    return `Port ${port} is taken by another program, perhaps a lesson in another terminal: stop that one, or set ${variable} to another port.`;
  return `Nothing can listen on port ${port} (${code}). Set ${variable} to another port.`;
}

/** Whether something listens there. */
export function canConnect(port: number, host: string, withinMs = 300): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const answer = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.setTimeout(withinMs, () => answer(false));
    socket.on("connect", () => answer(true)).on("error", () => answer(false));
  });
}

function listenFault(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(undefined)));
  });
}
