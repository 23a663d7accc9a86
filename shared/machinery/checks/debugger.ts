// Looks into a Node.js process over its debugger: is it in an endless loop, and in which line? How much memory does it use?
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { placesIn } from "./bundle.ts";

/** Options for a process in which a loop may be looked for: its debugger gets any free port when it is needed. */
export const debuggable = ["--inspect-port=127.0.0.1:0"];

/** Where the debugger of a process says that it listens, among what it printed to stderr. */
const address = /Debugger listening on (ws:\/\/\S+)/;

/** A process that computes for so long, and turns to nothing else, is in an endless loop. */
const loopMs = 400;

/**
 * Where a process is stuck in an endless loop: "lessons/03-chat/server.ts:17", or "" when the line can't be told.
 * Undefined when its event loop still turns.
 * @param stderr what the process has printed so far
 */
export function findLoop(pid: number, stderr: () => string): Promise<string | undefined> {
  return debug(pid, stderr, async (process) => {
    await process.evaluate(
      "globalThis.__begun = process.cpuUsage(); setImmediate(() => { __begun = undefined; })",
    );
    // By its own CPU time: on a busy computer a process may not get any for a while.
    const cpuMs = "globalThis.__begun && process.cpuUsage(__begun).user / 1_000";
    for (let spent: unknown = 0; Number(spent) < loopMs; await pause(100)) {
      spent = await process.evaluate(cpuMs);
      if (typeof spent !== "number") return;
    }
    return (await process.location()) ?? "";
  });
}

/** Bytes that a process needs for its objects, once everything that nobody uses any more has been removed. */
export function memoryOf(pid: number, stderr: () => string): Promise<number | undefined> {
  return debug(pid, stderr, (process) => process.memory());
}

/** Undefined, too, when the debugger of that process doesn't answer. */
async function debug<Answer>(
  pid: number,
  stderr: () => string,
  ask: (process: Debugger) => Promise<Answer>,
): Promise<Answer | undefined> {
  let debug: Debugger | undefined;
  try {
    // Not in Node's documentation. `node inspect -p` does it this way: SIGUSR1, and its equivalent on Windows.
    if (!address.test(stderr()))
      (process as unknown as { _debugProcess(pid: number): void })._debugProcess(pid);
    const url = await soon(() => stderr().match(address)?.[1]);
    if (!url) return;
    debug = await Debugger.connect(url);
    return await ask(debug);
  } catch {
    return;
  } finally {
    debug?.close();
  }
}

type Place = { scriptId: string; lineNumber: number; columnNumber: number };

class Debugger {
  readonly #socket: WebSocket;
  readonly #messages: { id?: number; method?: string; result?: unknown; params?: unknown }[] = [];
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => this.#messages.push(JSON.parse(data.toString())));
    socket.on("error", () => {});
  }

  static async connect(url: string): Promise<Debugger> {
    const socket = new WebSocket(url);
    const connected = new Debugger(socket);
    await soon(() => socket.readyState === WebSocket.OPEN);
    return connected;
  }

  async #call(method: string, params?: object): Promise<unknown> {
    const id = ++this.#lastId;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return (await soon(() => this.#messages.find((message) => message.id === id)))?.result;
  }

  async evaluate(expression: string): Promise<unknown> {
    const answer = (await this.#call("Runtime.evaluate", { expression })) as { result?: { value?: unknown } };
    return answer?.result?.value;
  }

  /** Where the process is now, in a file of a lesson. */
  async location(): Promise<string | undefined> {
    await this.#call("Debugger.enable");
    await this.#call("Debugger.pause");
    const paused = await soon(() => this.#messages.find(({ method }) => method === "Debugger.paused"));
    const { callFrames = [] } = (paused?.params ?? {}) as { callFrames?: { location: Place }[] };
    return callFrames
      .map(({ location }) => sourceOf(this.#urlOf(location.scriptId), location))
      .find((where) => where?.startsWith("lessons/"));
  }

  #urlOf(scriptId: string): string {
    const parsed = this.#messages.flatMap(({ method, params }) =>
      method === "Debugger.scriptParsed" ? [params as { scriptId: string; url: string }] : [],
    );
    return parsed.find((script) => script.scriptId === scriptId)?.url ?? "";
  }

  async memory(): Promise<number | undefined> {
    // An attached debugger keeps every line that was printed.
    await this.#call("Runtime.discardConsoleEntries");
    await this.#call("HeapProfiler.collectGarbage");
    return ((await this.#call("Runtime.getHeapUsage")) as { usedSize?: number })?.usedSize;
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** The line in the source from which a compiled line was made. */
function sourceOf(url: string, { lineNumber, columnNumber }: Place): string | undefined {
  if (!url.startsWith("file:")) return;
  return placesIn(fileURLToPath(url))(lineNumber, columnNumber)?.replace(/:\d+$/, "");
}

/** What `find` returns once it returns something; undefined after 10 s. */
async function soon<Found>(find: () => Found | undefined | false): Promise<Found | undefined> {
  for (const end = performance.now() + 10_000; performance.now() < end; await pause(10)) {
    const found = find();
    if (found) return found;
  }
}
