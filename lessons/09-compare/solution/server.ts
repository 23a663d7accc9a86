// Compare: a publisher. It sends everything four times: to lessons 1, 2, 8 and 7, as they are on your disk.
import { fork } from "node:child_process";
import { Agent, request } from "node:http";
import { WebSocket } from "ws";
import { stayConnected } from "../../../shared/pieces/stay-connected.ts";
import type { Order } from "../settings.ts";
import { textOf } from "../text.ts";

const burst = 5;
const publishers = new Map<number, (text: string) => unknown>(); // one for each server, by its port
let [perSecond, size, count, dueMs] = [1, 100, 0, 0];
let timer: NodeJS.Timeout;

// Another process runs the lessons, measures them, and serves this lesson's page. It ends when we disconnect.
const lanes = fork("shared/machinery/start.cjs", ["compare/lanes"], { execArgv: [] });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => lanes.connected && lanes.disconnect());
lanes.on("exit", (code) => process.exit(code ?? 1));

// That process sends an order when its lanes are open, and whenever a slider moves: how often, how much, and where.
lanes.on("message", (order: Order) => {
  for (const port of order.posts) publishers.set(port, publishers.get(port) ?? overHttp(port));
  for (const port of order.sockets) publishers.set(port, publishers.get(port) ?? overSocket(port));
  [perSecond, size, dueMs] = [order.perSecond, order.size, performance.now()];
  publishNext();
});

// At random moments, as people talk. On a fixed beat, every poll would be late by the same amount.
function publishNext() {
  clearTimeout(timer);
  // Five messages together, so the pause is five times as long.
  dueMs = Math.max(dueMs, performance.now() - 1_000) + (Math.random() * 2_000 * burst) / perSecond;
  timer = setTimeout(publish, dueMs - performance.now());
}

function publish() {
  for (let n = 0; n < burst; n++) {
    const text = textOf(++count, size);
    for (const say of publishers.values()) say(text);
    if (lanes.connected) lanes.send(count);
  }
  publishNext();
}

/** Lessons 1, 2 and 8 take messages as requests: one at a time, so none overtakes another. A failed one is lost. */
function overHttp(port: number) {
  const headers = { "Content-Type": "application/json" };
  const to = { port, method: "POST", headers, agent: new Agent({ keepAlive: true, maxSockets: 1 }) };
  return (text: string) => {
    const signal = AbortSignal.timeout(10_000);
    const post = request({ ...to, path: "/messages", signal }, (answer) => answer.resume());
    post.on("error", () => {}).end(JSON.stringify({ from: "Ada", text }));
  };
}

/** Lesson 7 takes a message over a WebSocket. */
function overSocket(port: number) {
  const unsent: string[] = []; // until it is open
  const handlers = { onopen: () => unsent.splice(0).forEach(send), onmessage() {}, onstate() {} };
  const socket = stayConnected(`ws://127.0.0.1:${port}`, handlers, { WebSocket });
  const send = (message: string) => socket.send(message) || (unsent.length < 100 && unsent.push(message));
  return (text: string) => send(JSON.stringify({ type: "say", from: "Ada", text }));
}
