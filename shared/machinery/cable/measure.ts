// Measures what the cable costs: the same traffic directly and through it, in turns, in one run.
// node --import tsx shared/machinery/cable/measure.ts
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { WebSocket, WebSocketServer } from "ws";
import { createCable } from "./proxy.ts";

const rounds = 5;
const clients = 50;

if (process.argv[2] === "server") server();
else if (process.argv[2] === "cable") await cable(Number(process.argv[3]));
else await measure();

/** Echoes what begins with "e" to its sender, and sends anything else to everyone. */
function server(): void {
  const sockets = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false }, () => {
    const address = sockets.address();
    process.send?.(typeof address === "object" ? address?.port : 0);
  });
  sockets.on("connection", (client) =>
    client.on("message", (data: Buffer) => {
      if (data[0] === 0x65) client.send(data, { binary: false });
      else for (const other of sockets.clients) other.send(data, { binary: false });
    }),
  );
}

async function cable(targetPort: number): Promise<void> {
  process.send?.((await createCable({ listenPort: 0, targetPort })).port);
}

async function measure(): Promise<void> {
  const [serverProcess, straight] = await start("server");
  const [cableProcess, through] = await start("cable", String(straight));
  try {
    await compare(straight, through, "round trip of one message, median, ms", roundTrip);
    await compare(
      straight,
      through,
      `1,000 messages/s to ${clients} clients: deliveries/s`,
      paced("deliveries"),
    );
    await compare(
      straight,
      through,
      `1,000 messages/s to ${clients} clients: median latency, ms`,
      paced("latency"),
    );
    await compare(straight, through, `as many as possible to ${clients} clients: deliveries/s`, saturated);
  } finally {
    cableProcess.kill();
    serverProcess.kill();
  }
}

type Measurement = (port: number) => Promise<number>;

/** The two take turns, so that a busy moment of the machine affects both. */
async function compare(straight: number, through: number, what: string, measurement: Measurement) {
  const figures: [number[], number[]] = [[], []];
  await measurement(straight);
  await measurement(through);
  for (let round = 0; round < rounds; round++) {
    figures[0].push(await measurement(straight));
    figures[1].push(await measurement(through));
  }
  const [a, b] = figures.map(median) as [number, number];
  const show = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(3));
  console.log(`${what}: straight ${show(a)}, through the cable ${show(b)}, ratio ${(b / a).toFixed(3)}`);
}

async function roundTrip(port: number): Promise<number> {
  const [socket] = await connected(port, 1);
  if (!socket) return 0;
  const times: number[] = [];
  for (let count = 0; count < 1000; count++) {
    const before = performance.now();
    socket.send("e a message of some forty characters, more");
    await new Promise((resolve) => socket.once("message", resolve));
    times.push(performance.now() - before);
  }
  socket.terminate();
  return median(times);
}

/** 1,000 messages a second for two seconds, each to 50 clients. */
function paced(figure: "deliveries" | "latency"): Measurement {
  return async (port) => {
    const sockets = await connected(port, clients);
    const times: number[] = [];
    let lastMs = 0;
    for (const socket of sockets)
      socket.on("message", (data) => {
        lastMs = performance.now();
        times.push(lastMs - Number(data.toString().slice(1)));
      });
    const startMs = performance.now();
    const messages = 2000;
    for (let sent = 0; sent < messages; ) {
      // Timers fire late: send everything that is due by now.
      for (const due = performance.now() - startMs; sent < Math.min(messages, due); sent++)
        sockets[0]?.send(`b${performance.now()}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const giveUpMs = performance.now() + 5000;
    while (times.length < messages * clients && performance.now() < giveUpMs)
      await new Promise((resolve) => setTimeout(resolve, 5));
    for (const socket of sockets) socket.terminate();
    return figure === "latency" ? median(times) : times.length / ((lastMs - startMs) / 1000);
  };
}

/** Deliveries per second with 20 messages on their way to 50 clients at any time, 1,000 in all. */
async function saturated(port: number): Promise<number> {
  const sockets = await connected(port, clients);
  const messages = 1000;
  const before = performance.now();
  await new Promise<void>((resolve) => {
    let delivered = 0;
    let sent = 0;
    const send = () => sent++ < messages && sockets[0]?.send("b a message of some forty characters, more");
    for (const socket of sockets)
      socket.on("message", () => {
        delivered++;
        if (delivered % clients === 0) send();
        if (delivered === messages * clients) resolve();
      });
    for (let count = 0; count < 20; count++) send();
  });
  const seconds = (performance.now() - before) / 1000;
  for (const socket of sockets) socket.terminate();
  return (messages * clients) / seconds;
}

function connected(port: number, count: number): Promise<WebSocket[]> {
  return Promise.all(
    Array.from({ length: count }, () => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
      return new Promise<WebSocket>((resolve, reject) => {
        socket.on("open", () => resolve(socket));
        socket.on("error", reject);
      });
    }),
  );
}

function start(...args: string[]): Promise<[ChildProcess, number]> {
  const child = fork(fileURLToPath(import.meta.url), args, { execArgv: ["--import", "tsx"] });
  return new Promise((resolve) => child.once("message", (port) => resolve([child, Number(port)])));
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
