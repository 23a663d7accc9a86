// The control connection: what a panel may do. Nobody else may do anything.
import { once } from "node:events";
import { request } from "node:http";
import { beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { control } from "./control.ts";
import type { FromPanel, ToPanel } from "./protocol.ts";
import type { Cable } from "./proxy.ts";
import { aWhile, cableBetween, type Ends, later } from "./testing.ts";

const pagePort = 8123;
let ends: Ends;
let cable: Cable;
let port: number;

beforeEach(async () => {
  ends = await cableBetween();
  cable = ends.cable;
  const one = await control({ port: 0, pagePort, cable });
  later(() => one.end());
  port = one.port;
});

type Panel = {
  socket: WebSocket;
  messages: ToPanel[];
  next<Type extends ToPanel["type"]>(type: Type, matches?: (message: Of<Type>) => boolean): Promise<Of<Type>>;
  ask(command: FromPanel | Record<string, unknown> | string): Promise<Of<"reply">>;
};
type Of<Type> = Extract<ToPanel, { type: Type }>;

async function panel(origin = `http://localhost:${pagePort}`): Promise<Panel> {
  const socket = new WebSocket(`ws://localhost:${port}/cable`, { origin });
  later(() => socket.terminate());
  const messages: ToPanel[] = [];
  socket.on("message", (data) => {
    messages.push(JSON.parse(String(data)));
    socket.emit("told");
  });
  await once(socket, "open");
  let replies = 0;
  return {
    socket,
    messages,
    async next(type, matches = () => true) {
      for (;;) {
        const found = messages.find((one) => one.type === type && matches(one as never));
        if (found) return found as never;
        await once(socket, "told");
      }
    },
    async ask(command) {
      socket.send(typeof command === "string" ? command : JSON.stringify(command));
      replies++;
      for (;;) {
        const all = messages.filter((one) => one.type === "reply");
        if (all.length === replies) return all.at(-1) as Of<"reply">;
        await once(socket, "told");
      }
    },
  };
}

/** The status that an attempt to open a panel gets. */
function status(headers: Record<string, string | string[]>, path = "/cable"): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const attempt = request({
      port,
      host: "127.0.0.1",
      path,
      headers: {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        Host: `localhost:${port}`,
        Origin: `http://localhost:${pagePort}`,
        ...headers,
      },
    });
    attempt.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    attempt.on("response", (response) => resolve(response.resume().statusCode));
    attempt.on("error", reject);
    attempt.end();
  });
}

describe("only the workshop's page may send commands to the cable", () => {
  test("by each of its names", async () => {
    for (const name of ["localhost", "127.0.0.1", "[::1]"])
      expect(await status({ Host: `${name}:${port}`, Origin: `http://${name}:${pagePort}` })).toBe(101);
  });

  test.each([
    "http://evil.example",
    "http://localhost",
    `https://localhost:${pagePort}`,
    `http://localhost:${pagePort + 1}`,
    `http://localhost:${pagePort}.evil.example`,
    `http://evil.example:${pagePort}`,
    `http://localhost:${pagePort}/`,
    "null",
    "",
  ])("a foreign Origin gets 403: %s", async (origin) => {
    expect(await status({ Origin: origin })).toBe(403);
  });

  test("two Origins, or none, get 403", async () => {
    const right = `http://localhost:${pagePort}`;
    expect(await status({ Origin: [right, right] })).toBe(403);
    expect(await status({ Origin: [] })).toBe(403);
  });

  test.each(["evil.example", "localhost", "localhost:1", "evil.example:PORT", "localhost.evil.example:PORT"])(
    "a foreign Host gets 403: %s",
    async (host) => {
      expect(await status({ Host: host.replace("PORT", String(port)) })).toBe(403);
    },
  );

  test("a foreign page changes nothing, with or without an upgrade", async () => {
    const { page, server } = await ends.pair();
    const socket = new WebSocket(`ws://localhost:${port}/cable`, { origin: "http://evil.example" });
    socket.on("open", () => socket.send('{"command":"reset"}'));
    const [error] = await once(socket, "error");
    expect(String(error)).toContain("403");
    const response = await fetch(`http://127.0.0.1:${port}/cable`, {
      method: "POST",
      body: '{"command":"reset"}',
    });
    expect(response.status).toBe(403);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    page.socket.write("untouched");
    await server.gets("untouched");
  });

  test("another path gets 404", async () => {
    expect(await status({}, "/")).toBe(404);
    expect(await status({}, "/cable/../cable")).toBe(404);
    expect(await status({ Connection: "close", Upgrade: [] })).toBe(426);
  });
});

describe("a panel", () => {
  test("first receives the state, then what has passed and what passes", async () => {
    const { page, server } = await ends.pair();
    const one = await panel();
    const { state } = await one.next("hello");
    expect(state).toMatchObject({ refusing: false, faults: {}, open: 1, server: { process: "running" } });
    await one.next("entries", ({ entries }) => entries[0]?.kind === "connection-open");
    page.socket.write("GET / HTTP/1.1\r\n\r\n");
    await server.gets("GET");
    const { entries } = await one.next("entries", ({ entries }) => entries[0]?.kind === "request");
    expect(entries[0]).toMatchObject({ id: 2, method: "GET" });
  });

  test("sends commands, and gets their numbers back", async () => {
    const { page, server } = await ends.pair();
    const one = await panel();
    expect(await one.ask({ id: 7, command: "freeze", direction: "up" })).toEqual({
      type: "reply",
      id: 7,
      ok: true,
    });
    await one.next("state", ({ state }) => state.faults.freeze === "up");
    page.socket.write("late");
    await aWhile();
    expect(server.text()).toBe("");
    expect(await one.ask({ command: "heal", frozen: "deliver" })).toEqual({ type: "reply", ok: true });
    await server.gets("late");
    for (const command of [
      { command: "delay", ms: 5, jitterMs: 1, connection: 1 },
      { command: "throttle", bytesPerSecond: 1000 },
      { command: "throttle", bytesPerSecond: null },
      { command: "refuse" },
      { command: "heal" },
      { command: "close" },
      { command: "reset" },
    ])
      expect(await one.ask(command)).toMatchObject({ ok: true });
  });

  test("sees its commands and those of others among the entries", async () => {
    const one = await panel();
    const other = await panel(`http://127.0.0.1:${pagePort}`);
    await one.ask({ command: "delay", ms: 10 });
    const { entries } = await other.next("entries");
    expect(entries.at(-1)).toMatchObject({ kind: "command", text: "delay, ms 10" });
  });

  test("sees a command before what it causes", async () => {
    await ends.pair();
    expect(await (await panel()).ask({ command: "reset" })).toMatchObject({ ok: true });
    const kinds = () => cable.entries().map(({ kind }) => kind);
    await expect.poll(kinds).toContain("connection-end");
    expect(kinds().indexOf("command")).toBeLessThan(kinds().indexOf("connection-end"));
  });

  test.each([
    ["{", "Not JSON"],
    ["[]", "Not a command"],
    ["null", "Not a command"],
    ['"freeze"', "Not a command"],
    ["{}", "No such command. The commands are: close, reset"],
    ['{"command":"constructor"}', "No such command"],
    ['{"command":"freeze","direction":"sideways"}', 'direction has to be "both" or "up" or "down".'],
    ['{"command":"freeze","direction":["up"]}', "direction has to be"],
    ['{"command":"freeze","until":1}', 'freeze has no field "until". It may have: connection, direction.'],
    ['{"command":"freeze","__proto__":{}}', "has no field"],
    ['{"command":"refuse","toString":1}', "It may have: none."],
    ['{"command":"reset","connection":"1"}', "connection has to be a whole number"],
    ['{"command":"reset","connection":99}', "Connection 99 isn't open. Open connections: none."],
    ['{"command":"delay"}', "delay needs ms: a whole number from 0 to 60000 ms."],
    ['{"command":"delay","ms":-1}', "ms has to be"],
    ['{"command":"delay","ms":1e9}', "ms has to be"],
    ['{"command":"throttle","bytesPerSecond":0}', "bytesPerSecond has to be"],
    ['{"command":"heal","frozen":"maybe"}', 'frozen has to be "deliver" or "drop".'],
    ['{"command":"stop","forMs":1e12}', "forMs has to be"],
    ['{"command":"kill"}', "The cable didn't start the server"],
    ['{"command":"reset","id":"x"}', "id has to be a whole number"],
  ])("is told what is wrong with %s", async (text, error) => {
    const one = await panel();
    expect(await one.ask(text)).toMatchObject({ ok: false, error: expect.stringContaining(error) });
    expect(await one.ask({ command: "reset", id: 3 })).toEqual({ type: "reply", id: 3, ok: true });
  });

  test("that sends too much is disconnected, and the cable goes on", async () => {
    const one = await panel();
    one.socket.send("x".repeat(5000));
    const [code] = await once(one.socket, "close");
    expect(code).toBe(1009);
    expect(await (await panel()).ask({ command: "reset" })).toMatchObject({ ok: true });
  });

  test("gets 200 entries at a time, with the number of those left out", async () => {
    const one = await panel();
    for (let count = 1; count <= 1000; count++) cable.note({ kind: "command", text: String(count) });
    const { entries, leftOut } = await one.next("entries");
    expect(entries).toHaveLength(200);
    expect(leftOut).toBe(800);
    expect(entries.at(-1)).toMatchObject({ text: "1000" });
  });

  test("that does not read is disconnected", async () => {
    const one = await panel();
    one.socket.pause();
    const closed = once(one.socket, "close");
    const big = "x".repeat(50_000);
    // Fifteen times 10 MB, as fast as the cable sends them on.
    for (let n = 0; n < 15; n++) {
      for (let count = 0; count < 200; count++) cable.note({ kind: "command", text: big });
      await aWhile(100);
    }
    one.socket.resume();
    const [code] = await closed;
    expect(code).toBe(1006);
  });
});
