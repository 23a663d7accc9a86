// Looks into a Node.js process over its debugger: is it in an endless loop, and on which line? What does it still hold?
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
 * Where a process is stuck in an endless loop: "lessons/03-chat/server.ts:17", or "" when the line is unknown.
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

/** How many things of each kind a process holds: { WebSocket: 2, "entries in Maps": 7 }. */
export type Holdings = Record<string, number>;

/** What a process holds, once everything that nobody uses anymore has been removed. It is exact. */
export function holdingsOf(pid: number, stderr: () => string): Promise<Holdings | undefined> {
  return debug(pid, stderr, (process) => process.holdings());
}

/**
 * What a process sends to one of its clients stays in its memory from now on, or goes out `again`.
 * @param port the client's own port
 * @returns whether the process has such a client, undefined when its debugger doesn't answer
 */
export function holdBack(pid: number, stderr: () => string, port: number, again = false): Promise<unknown> {
  // Not in Node's documentation either. `cork` is: https://nodejs.org/api/stream.html#writablecork
  const socket = `process._getActiveHandles().find(({ remotePort }) => remotePort === ${port})`;
  return debug(pid, stderr, (process) =>
    process.evaluate(
      `(socket => { socket?.${again ? "uncork" : "cork"}(); return socket !== undefined })(${socket})`,
    ),
  );
}

/**
 * Stops the clock of a process: from now on, everything in it happens in the same millisecond. Its timers run on.
 * @returns true, or undefined when its debugger doesn't answer
 */
export function stopClock(pid: number, stderr: () => string): Promise<unknown> {
  return debug(pid, stderr, (process) =>
    process.evaluate("{ const now = Date.now(); Date.now = () => now; } true"),
  );
}

/**
 * `Math.random()` of a process begins again: from now on it returns what it returned after the last call of this.
 * @returns true, or undefined when its debugger doesn't answer
 */
export function repeatRandom(pid: number, stderr: () => string): Promise<unknown> {
  // Park and Miller's generator: any numbers will do.
  const next = "(n = (n * 16_807) % 2_147_483_647) / 2_147_483_647";
  return debug(pid, stderr, (process) =>
    process.evaluate(`{ let n = 1; Math.random = () => ${next}; } true`),
  );
}

/**
 * Runs in the process that is looked into, with all its objects as `this`, so it must use nothing from around it, and have
 * no function with a name: tsx would call a helper. Objects are counted by their class, and what needs no object of its
 * own, such as a number in a Set, by where it is kept.
 * @param variables of the program: only there, text and objects without a prototype are found
 */
function countByKind(this: object[], ...variables: unknown[]): Holdings {
  const counts: Holdings = {};
  // The loop comes to what is added to the Set meanwhile, too.
  const holders = new Set<object>([variables]);
  for (const holder of holders)
    for (const value of Object.values(holder))
      if (typeof value === "object" && value && !Object.getPrototypeOf(value)) holders.add(value);
  holders.delete(variables);
  for (const each of [...this, ...holders]) {
    const prototype = Object.getPrototypeOf(each) ?? Object.prototype;
    const made = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value?.name;
    // The bundler may have made _WebSocket or WebSocket2 of a WebSocket.
    const kind = typeof each === "function" ? "functions" : String(made).replace(/^_|\d+$/g, "");
    counts[kind] = (counts[kind] ?? 0) + 1;
    let [place, entries] = ["", 0];
    // Of these, the first 20 don't count: each request has some, and a few requests may not have ended yet.
    if (Array.isArray(each)) {
      const objects = Object.values(each).filter((value) => typeof value === "object" && value).length;
      counts["objects in arrays"] = (counts["objects in arrays"] ?? 0) + Math.max(0, objects - 20);
      [place, entries] = ["elements in arrays", Math.max(0, each.length - objects - 20)];
    } else if (prototype === Object.prototype)
      [place, entries] = ["fields in objects", Math.max(0, Object.keys(each).length - 20)];
    else
      try {
        if (each instanceof Map) [place, entries] = ["entries in Maps", each.size];
        if (each instanceof Set) [place, entries] = ["entries in Sets", each.size];
      } catch {} // Map.prototype is no Map
    if (place) counts[place] = (counts[place] ?? 0) + entries;
  }
  counts["characters in texts"] = variables.filter((each) => typeof each === "string").join("").length;
  return counts;
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

/** In the debugger's protocol: an object that it can look into, or a value. */
type Value = { objectId?: string; value?: unknown; description?: string };
type Property = { name: string; value?: Value };
type Properties = { result?: Property[]; internalProperties?: Property[] };
type Found = { result?: Value; objects?: Value };
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

  async holdings(): Promise<Holdings | undefined> {
    const objectGroup = "holdings";
    const call = (method: string, params: object) => this.#call(method, params) as Promise<Found | undefined>;
    // A debugger makes the process keep every line that it has printed.
    await this.#call("Runtime.discardConsoleEntries");
    const prototype = await call("Runtime.evaluate", { expression: "Object.prototype", objectGroup });
    // This removes what nobody uses anymore, and then finds every object there is.
    const all = await call("Runtime.queryObjects", {
      prototypeObjectId: prototype?.result?.objectId,
      objectGroup,
    });
    const onAll = (functionDeclaration: string, options: object) =>
      call("Runtime.callFunctionOn", {
        objectId: all?.objects?.objectId,
        functionDeclaration,
        objectGroup,
        ...options,
      });
    // A lesson's server is compiled into one module. Each of its functions leads to the module's variables.
    const isServe = 'typeof each === "function" && /^serve(Listener)?$/.test(each.name)';
    const serve = await onAll(`function () { return this.find((each) => ${isServe}) }`, {});
    const counted = await onAll(String(countByKind), {
      arguments: (await this.#variablesAround(serve?.result)).map(({ objectId, value }) =>
        objectId ? { objectId } : { value },
      ),
      returnByValue: true,
    });
    await this.#call("Runtime.releaseObjectGroup", { objectGroup });
    return counted?.result?.value as Holdings | undefined;
  }

  /** What is in the variables of the module in which a function is. Only those that its functions use can be seen. */
  async #variablesAround(inside: Value | undefined): Promise<Value[]> {
    const propertiesOf = async (value: Value | undefined) =>
      (await this.#call("Runtime.getProperties", {
        objectId: value?.objectId,
        ownProperties: true,
      })) as Properties | undefined;
    const ofFunction = await propertiesOf(inside);
    const scopes = ofFunction?.internalProperties?.find(({ name }) => name === "[[Scopes]]")?.value;
    const all = (await propertiesOf(scopes))?.result ?? [];
    const module = all.find(({ value }) => value?.description?.startsWith("Module"))?.value;
    return ((await propertiesOf(module))?.result ?? []).flatMap(({ value }) => value ?? []);
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
