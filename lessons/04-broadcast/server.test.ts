// Tests of lesson 4's server.
import { afterEach, beforeAll, expect, test } from "vitest";
import { everySocketServer } from "../../shared/machinery/testing/every-server.ts";
import {
  Client,
  heavyText,
  type LessonServer,
  rawWebSocket,
  startServer,
} from "../../shared/machinery/testing/lesson.ts";
import { sideBySide } from "../../shared/machinery/testing/side-by-side.ts";

everySocketServer("04-broadcast");

// One server for all tests, with nobody in the room when a test begins.
let server: LessonServer;
beforeAll(async () => {
  server = await startServer("04-broadcast");
});

const clients: Client[] = [];
async function enter(): Promise<Client> {
  const client = await Client.open(server.port);
  clients.push(client);
  return client;
}
afterEach(async () => {
  for (const { socket } of clients) socket.close();
  await Promise.all(clients.splice(0).map(({ closed }) => closed));
});

sideBySide({
  "sends everyone a tick every three seconds": async () => {
    const { port } = await startServer("04-broadcast");
    for (const client of [await Client.open(port), await Client.open(port)]) {
      const { at: first } = await client.receives("tick");
      const { at: second } = await client.receives("tick", ({ at }) => at > first);
      expect(second - first).toBeGreaterThan(2_000);
      expect(second - first).toBeLessThan(4_500);
    }
  },
});

test("greets a client that says nothing", async () => {
  const ada = await enter();
  await ada.receives("greeting");
  expect(ada.received[0].type).toBe("greeting");
});

test("tells everyone how many are here when a client closes or crashes", async () => {
  const [ada, grace, alan] = [await enter(), await enter(), await enter()];
  await ada.receives("presence", ({ here }) => here === 3);
  grace.socket.close();
  await ada.receives("presence", ({ here }) => here === 2);
  alan.socket.terminate();
  await ada.receives("presence", ({ here }) => here === 1);
});

test("sends a few presence messages when a hundred clients arrive together", async () => {
  await Promise.all(Array.from({ length: 100 }, enter));
  await Promise.all(clients.map((client) => client.receives("presence", ({ here }) => here === 100)));
  // Messages that are still on their way arrive.
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(clients[0]?.received.filter(({ type }) => type === "presence").length).toBeLessThan(50);
});

test("tells everyone except Ada that Ada is typing", async () => {
  const [ada, grace] = [await enter(), await enter()];
  ada.send({ type: "typing", from: "Ada" });
  ada.send({ type: "say", from: "Ada", text: "Hello" });
  expect(await grace.receives("typing")).toEqual({ type: "typing", from: "Ada" });
  await ada.receives("message");
  expect(ada.received.some(({ type }) => type === "typing")).toBe(false);
});

test("marks a second client of the same name until the name is free", async () => {
  const [ada, other] = [await enter(), await enter()];
  ada.send({ type: "say", from: "Ada", text: "I am Ada" });
  await ada.receives("message");
  other.send({ type: "say", from: "ADA ", text: "So am I" });
  expect((await ada.receives("message", ({ text }) => text === "So am I")).from).toBe("ADA (2)");
  ada.socket.close();
  await other.receives("presence", ({ here }) => here === 1);
  other.send({ type: "say", from: "Ada", text: "Now I am" });
  expect((await other.receives("message", ({ text }) => text === "Now I am")).from).toBe("Ada");
});

test("disconnects a client that leaves more than 1 MiB unread, and presence goes down", async () => {
  const slow = await rawWebSocket(server.port);
  slow.pause();
  const ada = await enter();
  await ada.receives("presence", ({ here }) => here === 2);
  const isAlone = () => ada.received.findLast(({ type }) => type === "presence").here === 1;
  for (let round = 1; round <= 30 && !isAlone(); round++) {
    for (let n = 0; n < 50; n++) ada.send({ type: "say", from: "Ada", text: heavyText });
    ada.send({ type: "say", from: "Ada", text: `round ${round}` });
    await ada.receives("message", ({ text }) => text === `round ${round}`);
  }
  await ada.receives("presence", ({ here }) => here === 1);
  slow.destroy();
});
