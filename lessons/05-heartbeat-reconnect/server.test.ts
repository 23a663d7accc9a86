// Tests of lesson 5's server.
import { expect, test } from "vitest";
import { everySocketServer } from "../../shared/machinery/testing/every-server.ts";
import { Client, rawWebSocket, startServer } from "../../shared/machinery/testing/lesson.ts";

everySocketServer("05-heartbeat-reconnect");

/** 15 s and 10 s are too long for a test. The ratio stays. */
const quick = { PING_EVERY_MS: "600", GRACE_MS: "400" };

test("counts once a second", async () => {
  const { port } = await startServer("05-heartbeat-reconnect");
  const ada = await Client.open(port);
  const { text } = await ada.hears("hello");
  expect(text).toMatch(/^Hello there #\d+$/);
  await ada.hears("hello", (message) => message.text !== text, 2_000);
});

test("terminates a client that answers no pings in time, presence falls, and the others stay", async () => {
  const { port } = await startServer("05-heartbeat-reconnect", quick);
  const ada = await Client.open(port);
  const silent = await rawWebSocket(port);
  await ada.hears("presence", ({ here }) => here === 2);
  const began = performance.now();
  // It reads everything and answers nothing, as a page behind a dead network.
  silent.resume();
  await new Promise((resolve) => silent.on("close", resolve));
  await ada.hears("presence", ({ here }) => here === 1);
  expect(performance.now() - began).toBeLessThan(3 * 1_000);
  await ada.hears("hello", ({ text }) => text === "Hello there #4");
  expect(ada.socket.readyState).toBe(1);
});

test("sends a beat that scripts can see with each ping, and to a client that asks", async () => {
  const { port } = await startServer("05-heartbeat-reconnect", quick);
  await (await Client.open(port)).hears("beat");
  const other = await startServer("05-heartbeat-reconnect");
  const asking = await Client.open(other.port);
  asking.send({ type: "beat" });
  await asking.hears("beat", undefined, 1_000);
});

// Windows can't pause a process.
test.runIf(process.platform !== "win32")(
  "terminates nobody after it was paused for longer than the grace period",
  async () => {
    const server = await startServer("05-heartbeat-reconnect", quick);
    const clients = await Promise.all(Array.from({ length: 20 }, () => Client.open(server.port)));
    for (let n = 0; n < 4; n++) {
      const pinged = Promise.all(
        clients.map(({ socket }) => new Promise((resolve) => socket.once("ping", resolve))),
      );
      await pinged;
      server.child.kill("SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, 700));
      server.child.kill("SIGCONT");
    }
    await clients[0]?.hears("hello");
    expect(clients.map(({ socket }) => socket.readyState)).toEqual(Array(20).fill(1));
  },
);

test("names the log in the greeting, another one after each start", async () => {
  const names = [];
  for (let n = 0; n < 2; n++) {
    const { port } = await startServer("05-heartbeat-reconnect");
    names.push((await (await Client.open(port)).hears("greeting")).log);
  }
  expect(new Set(names).size).toBe(2);
});
