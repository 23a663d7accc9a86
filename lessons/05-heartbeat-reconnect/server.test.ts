// Tests of lesson 5's server.
import { beforeAll, expect, test } from "vitest";
import { everySocketServer } from "../../shared/machinery/testing/every-server.ts";
import {
  Client,
  type LessonServer,
  rawWebSocket,
  startServer,
  until,
} from "../../shared/machinery/testing/lesson.ts";
import { sideBySide } from "../../shared/machinery/testing/side-by-side.ts";

const lesson = "05-heartbeat-reconnect";
everySocketServer(lesson);

/** The usual 15 s and 10 s are too long for a test. */
const quick = { PING_EVERY_MS: "1000", GRACE_MS: "800" };

let quickServer: LessonServer;
let usualServer: LessonServer;
beforeAll(async () => {
  [quickServer, usualServer] = await Promise.all([startServer(lesson, quick), startServer(lesson)]);
});

sideBySide({
  "terminates a client that answers no pings in time, presence falls, and the others stay": async () => {
    const { port } = await startServer(lesson, quick);
    const ada = await Client.open(port);
    const silent = await rawWebSocket(port);
    await ada.receives("presence", ({ here }) => here === 2);
    const count = (type: string) => ada.received.filter((message) => message.type === type).length;
    const before = count("beat");
    // It reads everything and answers nothing, as a page behind a dead network.
    silent.resume();
    await new Promise((resolve) => silent.on("close", resolve));
    // Each ping comes with a beat: that of the ping which got no answer, and perhaps one more.
    expect(count("beat") - before).toBeLessThan(3);
    await until(() => ada.received.findLast(({ type }) => type === "presence").here === 1);
    const hellos = count("hello");
    await until(() => count("hello") > hellos);
    expect(ada.socket.readyState).toBe(1);
  },

  // Windows can't pause a process.
  ...(process.platform !== "win32" && {
    "terminates nobody after it was paused for longer than the grace period": async () => {
      const clients = await Promise.all(Array.from({ length: 20 }, () => Client.open(quickServer.port)));
      for (let n = 0; n < 3; n++) {
        await Promise.all(
          clients.map(({ socket }) => new Promise((resolve) => socket.once("ping", resolve))),
        );
        quickServer.child.kill("SIGSTOP");
        await new Promise((resolve) => setTimeout(resolve, 1_200));
        quickServer.child.kill("SIGCONT");
      }
      await clients[0]?.receives("hello");
      expect(clients.map(({ socket }) => socket.readyState)).toEqual(Array(20).fill(1));
    },
  }),

  "counts once a second": async () => {
    const ada = await Client.open(usualServer.port);
    const { text } = await ada.receives("hello");
    expect(text).toMatch(/^Hello there #\d+$/);
    await ada.receives("hello", (message) => message.text !== text, 10_000);
  },
});

test("sends a beat that scripts can see with each ping, and to a client that asks", async () => {
  await (await Client.open(quickServer.port)).receives("beat");
  const asking = await Client.open(usualServer.port);
  asking.send({ type: "beat" });
  // Unasked, it would take 15 s.
  await asking.receives("beat", undefined, 10_000);
});

test("names the log in the greeting, another one after each start", async () => {
  const [one, other] = await Promise.all(
    [quickServer, usualServer].map(async ({ port }) => (await Client.open(port)).receives("greeting")),
  );
  expect(one.log).toMatch(/\w/);
  expect(one.log).not.toBe(other.log);
});
