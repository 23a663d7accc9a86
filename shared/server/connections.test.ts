// What one client may take from the others: its turn, and a bounded share of the memory.
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { atEnd } from "../machinery/testing/clean-up.ts";
import { Client, raw, rawWebSocket, until } from "../machinery/testing/lesson.ts";
import { countTurns } from "../machinery/testing/turns.ts";
import { Allowance } from "./allowance.ts";
import { BoundedServer, tolerateUnread } from "./connections.ts";

async function startServer() {
  const server = new BoundedServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  atEnd(() => server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

describe("requests that come together", () => {
  /** A server that writes down, for each request, its path and in which turn of the event loop it came. */
  async function writingServer() {
    const { server, port } = await startServer();
    const came: { path: string; turn: number }[] = [];
    const turn = countTurns();
    server.on("request", ({ url = "" }, response) => {
      came.push({ path: url, turn: turn() });
      response.end();
    });
    const open = async () => {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      atEnd(() => socket.destroy());
      const send = (path: string) => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      const ask = async (path: string) => {
        send(path);
        await once(socket, "data");
      };
      return { socket, send, ask };
    };
    return { came, open };
  }

  test("are answered one in each turn of the event loop, so that new connections are accepted in between", async () => {
    const { came, open } = await writingServer();
    const clients = await Promise.all(Array.from({ length: 50 }, open));
    await Promise.all(clients.map(({ ask }) => ask("/")));
    expect(came).toHaveLength(50);
    expect(new Set(came.map(({ turn }) => turn)).size).toBe(50);
  });

  test("are answered first on connections that have asked for little", async () => {
    const { came, open } = await writingServer();
    const busy = await Promise.all(Array.from({ length: 20 }, open));
    for (let n = 0; n < 10; n++) await Promise.all(busy.map(({ ask }) => ask("/busy")));
    const [other, before] = [await open(), came.length];
    await Promise.all([...busy.map(({ ask }) => ask("/busy")), other.ask("/other")]);
    // One of the busy ones had its turn before the others came, and every second turn is for the one that came first.
    expect(came.slice(before).findIndex(({ path }) => path === "/other")).toBeLessThanOrEqual(2);
  });

  test("of a busy connection don't wait until others stop opening new connections", async () => {
    const { server, port } = await startServer();
    server.on("request", (_request, response) => response.end());
    const request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const page = connect(port, "127.0.0.1");
    atEnd(() => page.destroy());
    const ask = async () => {
      page.write(request);
      await once(page, "data");
    };
    for (let n = 0; n < 20; n++) await ask();
    let opened = 0;
    let isOver = false;
    const attack = async () => {
      while (!isOver && opened < 3_000) {
        const socket = connect(port, "127.0.0.1", () => socket.write(request)).on("error", () => {});
        await once(socket, "data");
        socket.destroy();
        opened++;
      }
    };
    const attacks = Array.from({ length: 20 }, attack);
    await until(() => opened >= 100);
    const before = opened;
    for (let n = 0; n < 5; n++) await ask();
    // About 20 requests wait before each of ours. If new connections always came first, ours would be answered last.
    const during = opened - before;
    isOver = true;
    await Promise.all(attacks);
    expect(during).toBeLessThan(1_000);
  });

  test("in one packet are not parsed after the second one", async () => {
    const { server, port } = await startServer();
    const arrived = vi.spyOn(server, "emit");
    server.on("request", (_request, response) => response.end());
    await raw(port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1_000));
    const requests = arrived.mock.calls.filter(([event]) => event === "request");
    expect(requests.length).toBe(2);
    expect(await raw(port, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).toMatch(
      /^HTTP\/1.1 200 /,
    );
  });

  test("beyond the allowance of their connection are refused with 429, and the connection stays open", async () => {
    const { server, port } = await startServer();
    let answered = 0;
    server.on("request", (_request, response) => {
      answered++;
      response.end();
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    atEnd(() => agent.destroy());
    const ask = async (method: string) => {
      const headers = { Origin: "http://localhost:8000", "Content-Type": "application/json" };
      const sent = request({ port, host: "127.0.0.1", method, headers, agent });
      sent.end(method === "POST" ? "{}" : undefined);
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      return { status: response.statusCode, headers: response.headers, body: await text(response) };
    };
    expect((await ask("GET")).status).toBe(200);
    const [connection] = server.open.values();
    if (!connection) throw new Error("no connection");
    // A page asks ten times a second. This is as if it had asked thousands of times.
    connection.allowance = new Allowance(1, 0);
    expect((await ask("GET")).status).toBe(200);
    for (const method of ["GET", "POST", "GET"]) {
      const refused = await ask(method);
      expect(refused.status).toBe(429);
      expect(refused.headers["retry-after"]).toBe("1");
      expect(refused.headers["access-control-allow-origin"]).toBe("http://localhost:8000");
      expect(JSON.parse(refused.body).error).toMatch(/wait a second, then send at most 200 a second/);
    }
    expect(answered).toBe(2);
    expect(server.open.size).toBe(1);
    connection.allowance = new Allowance(1, 0);
    expect((await ask("GET")).status).toBe(200);
  });

  test("don't keep the others waiting when their connections close before their turn", async () => {
    const { came, open } = await writingServer();
    const clients = await Promise.all(Array.from({ length: 20 }, open));
    const other = await open();
    for (const { send, socket } of clients) {
      send("/");
      socket.resetAndDestroy();
    }
    await other.ask("/other");
    expect(came.at(-1)?.path).toBe("/other");
  });
});

/** A server with two clients: one that reads, and one that has read nothing since its handshake. */
async function readerAndIdler() {
  const { server, port } = await startServer();
  const sockets = new WebSocketServer({ server });
  const reader = await Client.open(port);
  const accepted = once(sockets, "connection");
  const unread = await rawWebSocket(port);
  unread.pause();
  atEnd(() => unread.destroy());
  const [idler] = await accepted;
  return { idler, reader, ended: once(idler, "close") };
}

/** Sends until more than `bytes` wait in this process: the system takes some megabytes before that. */
function send(idler: Client["socket"], bytes: number) {
  while (idler.bufferedAmount <= bytes) idler.send("x".repeat(10_000));
}

test.concurrent("ends a WebSocket whose client has read nothing for 15 s, however little waits for it", async () => {
  const { idler, reader, ended } = await readerAndIdler();
  idler.on("error", () => {});
  send(idler, 0);
  const began = performance.now();
  await ended;
  const seconds = (performance.now() - began) / 1_000;
  expect(seconds).toBeGreaterThan(13);
  expect(seconds).toBeLessThan(25);
  expect(reader.socket.readyState).toBe(1);
  reader.socket.close();
});

test.concurrent("ends a WebSocket for whose client more than 4 MiB wait", async () => {
  const { idler, reader, ended } = await readerAndIdler();
  const began = performance.now();
  send(idler, 4 * 1024 * 1024);
  await ended;
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(reader.socket.readyState).toBe(1);
  reader.socket.close();
});

test("leaves a connection alone whose unread bytes are bounded elsewhere", async () => {
  const { server, port } = await startServer();
  const sockets = new WebSocketServer({ server });
  const idle = async () => {
    const accepted = once(sockets, "connection");
    const unread = await rawWebSocket(port);
    unread.pause();
    atEnd(() => unread.destroy());
    const [client, { socket }] = await accepted;
    return { client, socket };
  };
  const [tolerated, other] = [await idle(), await idle()];
  tolerateUnread(tolerated.socket);
  const ended = once(other.client, "close");
  for (const { client } of [tolerated, other]) send(client, 4 * 1024 * 1024);
  await ended;
  expect(tolerated.socket.destroyed).toBe(false); // ws would say so only later
  expect(tolerated.client.readyState).toBe(1);
});
