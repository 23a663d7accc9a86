// What stay-connected.ts promises, against networks and servers that fail in each known way.
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { Freezer } from "../machinery/testing/freezer.ts";
import { until } from "../machinery/testing/lesson.ts";
import { freePort } from "../machinery/testing/process.ts";
import { backOffMs, defaults, isFinal, type State, stayConnected } from "./stay-connected.ts";

/** A twentieth of the real times. */
const quick = {
  ...Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, value / 20])),
  WebSocket,
};

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
  test("is random between zero and a limit that doubles up to the cap", () => {
    for (let attempt = 0; attempt < 10; attempt++) {
      const limit = Math.min(defaults.capMs, defaults.baseMs * 2 ** attempt);
      const pauses = Array.from({ length: 2_000 }, () => backOffMs(attempt));
      expect(Math.min(...pauses)).toBeLessThan(limit * 0.05);
      expect(Math.max(...pauses)).toBeLessThanOrEqual(limit);
      expect(Math.max(...pauses)).toBeGreaterThan(limit * 0.95);
    }
  });

  test("spreads 200 pages over a ten-second outage: at most 20 % of attempts in any 100 ms, all back in time", () => {
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

test("reconnects when the server is back", async () => {
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

test("makes ever longer pauses for a server that accepts and closes again", async () => {
  const port = await freePort();
  server(port, (socket) => socket.close(1011));
  const page = client(port);
  await until(() => page.count("reconnecting") >= 5);
  const attempts = page.states
    .filter(({ name }) => name === "reconnecting")
    .map((state) => "attempt" in state && state.attempt);
  expect(attempts.slice(0, 5)).toEqual([1, 2, 3, 4, 5]);
});

test("starts over with the shortest pause after a connection that lasted", async () => {
  const port = await freePort();
  const sockets = server(port);
  const page = client(port, { baseMs: 10, stableMs: 150 });
  for (let n = 1; n <= 3; n++) {
    await until(() => page.count("open") === n);
    await new Promise((resolve) => setTimeout(resolve, 250));
    for (const socket of sockets.clients) socket.terminate();
    await until(() => page.count("open") === n + 1);
  }
  for (const state of page.states) if (state.name === "reconnecting") expect(state.attempt).toBe(1);
});

test("leaves a silent network in time, without waiting for a close event", async () => {
  const [port, serverPort] = [await freePort(), await freePort()];
  server(serverPort);
  const network = await Freezer.start(port, serverPort);
  const page = client(port);
  await until(() => page.last()?.name === "open");
  const began = performance.now();
  network.freeze();
  await until(() => page.last().name === "reconnecting");
  // A busy computer may be late. The close event would take 30 s.
  expect(performance.now() - began).toBeLessThan(((defaults.silenceMs + defaults.answerMs) / 20) * 4);
  network.thaw();
  await until(() => page.last().name === "open");
});

test("doesn't reconnect when the network pauses briefly", async () => {
  const [port, serverPort] = [await freePort(), await freePort()];
  server(serverPort);
  const network = await Freezer.start(port, serverPort);
  const page = client(port, { answerMs: 5_000 });
  await until(() => page.last()?.name === "open");
  network.freeze();
  // Longer than the silence after which it asks for a sign of life.
  await new Promise((resolve) => setTimeout(resolve, defaults.silenceMs / 20 + 100));
  network.thaw();
  await until(() => page.connection.sinceReceivedMs() < 500);
  expect(page.states.map(({ name }) => name)).toEqual(["connecting", "open"]);
  expect(network.opened).toBe(1);
});

test("asks a quiet server for a sign of life before it gives up", async () => {
  const port = await freePort();
  let asked = 0;
  server(port, (socket) => socket.on("message", () => asked++));
  const page = client(port);
  await until(() => asked >= 2);
  expect(page.states.map(({ name }) => name)).toEqual(["connecting", "open"]);
});

test.each(["connecting", "open", "reconnecting"])(
  "stays closed when a handler closes it while it is %s",
  async (when) => {
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
        // Not the first time, since stayConnected has to return before.
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
  },
);

test("gives up a handshake that is never answered", async () => {
  const port = await freePort();
  const mute = createServer().listen(port, "127.0.0.1");
  closing.push(() => mute.close());
  const page = client(port);
  await until(() => page.last()?.name === "connecting");
  const began = performance.now();
  await until(() => page.last().name === "reconnecting");
  expect(performance.now() - began).toBeLessThan((defaults.handshakeMs / 20) * 5);
});

test("takes 1008 and 4000 to 4499 as final, and no other code", async () => {
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

test("ends a pause on tryNow, which does nothing during a handshake", async () => {
  const port = await freePort();
  const page = client(port, { baseMs: 1e9, capMs: 1e9 });
  await until(() => page.last()?.name === "reconnecting");
  server(port);
  page.connection.tryNow();
  page.connection.tryNow();
  await until(() => page.last().name === "open");
  expect(page.count("connecting")).toBe(2);
});

test("returns false from send when there is no connection", async () => {
  const port = await freePort();
  const page = client(port);
  expect(page.connection.send("Hello")).toBe(false);
  server(port);
  await until(() => page.last()?.name === "open");
  expect(page.connection.send("Hello")).toBe(true);
});

test("returns false from send when the network takes no more", async () => {
  const [port, serverPort] = [await freePort(), await freePort()];
  server(serverPort);
  const network = await Freezer.start(port, serverPort);
  const page = client(port, { unsentLimit: 1_000, silenceMs: 60_000 });
  await until(() => page.last()?.name === "open");
  network.freeze();
  let sent = 0;
  while (page.connection.send("x".repeat(100_000)) && sent < 200) sent++;
  expect(sent).toBeLessThan(200);
});

test("asks for the address before every attempt, and stops when there is no address anymore", async () => {
  const port = await freePort();
  const tokens: string[] = [];
  const sockets = new WebSocketServer({ port, host: "127.0.0.1" });
  closing.push(() => sockets.close());
  sockets.on("connection", (socket, request) => {
    tokens.push(request.url ?? "");
    socket.close(1011);
  });
  let asked = 0;
  const states: State[] = [];
  const connection = stayConnected(
    async () => {
      asked++;
      if (asked === 2) throw new Error("the login server is away");
      return asked < 4 ? `ws://127.0.0.1:${port}/?token=${asked}` : undefined;
    },
    { onopen: () => {}, onmessage: () => {}, onstate: (state) => states.push(state) },
    { ...quick, baseMs: 20 },
  );
  closing.push(() => connection.close());
  await until(() => states.at(-1)?.name === "closed");
  expect(tokens).toEqual(["/?token=1", "/?token=3"]);
});

test("gives up after a limited number of attempts that never opened", async () => {
  const port = await freePort();
  const page = client(port, { baseMs: 10, attemptLimit: 3 });
  await until(() => page.last()?.name === "closed");
  expect(page.count("connecting")).toBe(3);
});

test("spreads attempts over a moment when the network returns for every page together", async () => {
  const port = await freePort();
  const pages = Array.from({ length: 20 }, () => client(port, { baseMs: 1e9, capMs: 1e9 }));
  await until(() => pages.every((page) => page.last()?.name === "reconnecting"));
  const times: number[] = [];
  server(port, () => times.push(performance.now()));
  for (const { connection } of pages) connection.tryNow(1_000);
  await until(() => times.length === 20);
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(300);
});
