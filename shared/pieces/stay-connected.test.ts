// Promises of the socket that comes back, kept against networks and servers that fail in each known way.
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { Freezer } from "../machinery/testing/freezer.ts";
import { until } from "../machinery/testing/lesson.ts";
import { freePort } from "../machinery/testing/process.ts";
import { backOffMs, defaults, isFinal, type State, stayConnected } from "./stay-connected.ts";

/** A twentieth of the real times. */
const quick = Object.fromEntries(
  Object.entries(defaults).map(([name, value]) => [name, typeof value === "number" ? value / 20 : WebSocket]),
);

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

function client(port: number, options = {}) {
  const states: State[] = [];
  let opened = 0;
  const connection = stayConnected(
    `ws://127.0.0.1:${port}`,
    { onopen: () => opened++, onmessage: () => {}, onstate: (state) => states.push(state) },
    { ...quick, ...options },
  );
  closing.push(() => connection.close());
  return {
    connection,
    states,
    opened: () => opened,
    last: () => states.at(-1) as State,
    count: (name: string) => states.filter((state) => state.name === name).length,
  };
}

function server(port: number, onConnection: (socket: WebSocket) => void = () => {}) {
  const sockets = new WebSocketServer({ port, host: "127.0.0.1" });
  sockets.on("connection", (socket) => {
    socket.on("error", () => {});
    socket.on("message", () => socket.send('{"type":"beat"}'));
    onConnection(socket);
  });
  closing.push(() => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
  });
  return sockets;
}

describe("back-off", () => {
  test("is random between nothing and a limit that doubles up to the cap", () => {
    for (let attempt = 0; attempt < 10; attempt++) {
      const limit = Math.min(defaults.capMs, defaults.baseMs * 2 ** attempt);
      const pauses = Array.from({ length: 2_000 }, () => backOffMs(attempt));
      expect(Math.min(...pauses)).toBeLessThan(limit * 0.05);
      expect(Math.max(...pauses)).toBeLessThanOrEqual(limit);
      expect(Math.max(...pauses)).toBeGreaterThan(limit * 0.95);
    }
  });

  test("spreads 200 pages over an outage of ten seconds: at most 20 % of attempts in any 100 ms, all back in time", () => {
    const slots = new Map<number, number>();
    let attempts = 0;
    for (let page = 0; page < 200; page++) {
      let now = 0;
      for (let attempt = 0; now < 10_000; attempt++) {
        now += backOffMs(attempt);
        const slot = Math.floor(now / 100);
        slots.set(slot, (slots.get(slot) ?? 0) + 1);
        attempts++;
      }
      expect(now).toBeLessThan(10_000 + defaults.capMs);
    }
    expect(Math.max(...slots.values()) / attempts).toBeLessThan(0.2);
    expect(attempts / 200).toBeLessThan(8);
  });
});

test("comes back when the server does, and starts over once it has stood", async () => {
  const port = await freePort();
  const first = server(port);
  const page = client(port);
  await until(() => page.last()?.name === "open");
  for (const socket of first.clients) socket.terminate();
  await new Promise((resolve) => first.close(resolve));
  await until(() => page.count("reconnecting") >= 3);
  server(port);
  await until(() => page.last().name === "open");
  expect(page.last()).toMatchObject({ attempt: expect.any(Number) });
});

test("a server that accepts and closes, again and again, meets ever longer pauses", async () => {
  const port = await freePort();
  server(port, (socket) => socket.close(1011));
  const page = client(port);
  await until(() => page.count("reconnecting") >= 5);
  const attempts = page.states
    .filter(({ name }) => name === "reconnecting")
    .map((state) => "attempt" in state && state.attempt);
  expect(attempts.slice(0, 5)).toEqual([1, 2, 3, 4, 5]);
});

test("a connection that has stood long enough starts over from the first pause", async () => {
  const port = await freePort();
  const sockets = server(port);
  const page = client(port, { baseMs: 10, standsMs: 150 });
  for (let n = 1; n <= 3; n++) {
    await until(() => page.count("open") === n);
    await new Promise((resolve) => setTimeout(resolve, 250));
    for (const socket of sockets.clients) socket.terminate();
    await until(() => page.count("open") === n + 1);
  }
  for (const state of page.states) if (state.name === "reconnecting") expect(state.attempt).toBe(1);
});

test("a network that falls silent is left within the budget, without waiting for a close event", async () => {
  const [port, serverPort] = [await freePort(), await freePort()];
  server(serverPort);
  const network = await Freezer.start(port, serverPort);
  const page = client(port);
  await until(() => page.last()?.name === "open");
  const began = performance.now();
  network.freeze();
  await until(() => page.last().name === "reconnecting");
  expect(performance.now() - began).toBeLessThan(((defaults.silenceMs + defaults.answerMs) / 20) * 1.6);
  network.thaw();
  await until(() => page.last().name === "open");
});

test("a short pause of the network is no reason to reconnect", async () => {
  const [port, serverPort] = [await freePort(), await freePort()];
  server(serverPort);
  const network = await Freezer.start(port, serverPort);
  const page = client(port);
  await until(() => page.last()?.name === "open");
  network.freeze();
  // A twentieth of five seconds, and longer than the silence before it asks once more.
  await new Promise((resolve) => setTimeout(resolve, defaults.silenceMs / 20 + 100));
  network.thaw();
  await new Promise((resolve) => setTimeout(resolve, defaults.answerMs / 20 + 200));
  expect(page.states.map(({ name }) => name)).toEqual(["connecting", "open"]);
  expect(network.opened).toBe(1);
});

test("a quiet server is asked once more before it is judged", async () => {
  const port = await freePort();
  let asked = 0;
  server(port, (socket) => socket.on("message", () => asked++));
  const page = client(port);
  await until(() => asked >= 2);
  expect(page.states.map(({ name }) => name)).toEqual(["connecting", "open"]);
});

test.each(["connecting", "open", "reconnecting"])("closed while it says %s, it stays away", async (when) => {
  const port = await freePort();
  let handshakes = 0;
  const sockets = server(port, (socket) => {
    handshakes++;
    if (when === "reconnecting") socket.terminate();
  });
  const states: string[] = [];
  const connection = stayConnected(
    `ws://127.0.0.1:${port}`,
    {
      onopen: () => states.push("onopen"),
      onmessage: () => {},
      // Later than at once, since stayConnected has to return first: the second time round.
      onstate: ({ name }) => {
        states.push(name);
        if (name === when && (name !== "connecting" || states.length > 1)) connection.close();
      },
    },
    { ...quick, baseMs: 20 },
  );
  closing.push(() => connection.close());
  if (when === "connecting") await until(() => states.includes("onopen"));
  if (when === "connecting") for (const socket of sockets.clients) socket.terminate();
  await until(() => states.at(-1) === "closed");
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(states.at(-1)).toBe("closed");
  expect(states.filter((name) => name === "onopen")).toHaveLength(1);
  expect(handshakes).toBe(1);
  expect(sockets.clients.size).toBe(0);
});

test("a handshake that is never answered is given up", async () => {
  const port = await freePort();
  const mute = createServer().listen(port, "127.0.0.1");
  closing.push(() => mute.close());
  const page = client(port);
  await until(() => page.last()?.name === "connecting");
  const began = performance.now();
  await until(() => page.last().name === "reconnecting");
  expect(performance.now() - began).toBeLessThan((defaults.handshakeMs / 20) * 5);
});

test("1008 and 4000 to 4499 end it for good, every other code does not", async () => {
  expect([1000, 1001, 1006, 1011, 1012, 1013, 4500].filter(isFinal)).toEqual([]);
  const port = await freePort();
  for (const code of [1008, 4001]) {
    const sockets = server(port, (socket) => socket.close(code, "enough"));
    const page = client(port);
    await until(() => page.last()?.name === "closed");
    expect(page.last()).toEqual({ name: "closed", code, reason: "enough" });
    // Neither time nor the network's return brings it back.
    page.connection.tryNow();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(page.count("connecting")).toBe(1);
    await new Promise((resolve) => sockets.close(resolve));
  }
});

test("tryNow ends a pause at once, and is harmless while a handshake is under way", async () => {
  const port = await freePort();
  const page = client(port, { baseMs: 1e9, capMs: 1e9 });
  await until(() => page.last()?.name === "reconnecting");
  server(port);
  page.connection.tryNow();
  page.connection.tryNow();
  await until(() => page.last().name === "open");
  expect(page.count("connecting")).toBe(2);
});

test("what cannot be sent is not lost in silence: send returns false", async () => {
  const port = await freePort();
  const page = client(port);
  expect(page.connection.send("Hello")).toBe(false);
  server(port);
  await until(() => page.last()?.name === "open");
  expect(page.connection.send("Hello")).toBe(true);
});
