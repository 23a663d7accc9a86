// Tests of lesson 4's server.
import { expect, test } from "vitest";
import { everySocketServer } from "../../shared/machinery/testing/every-server.ts";
import { Client, rawWebSocket, startServer, until } from "../../shared/machinery/testing/lesson.ts";

everySocketServer("04-broadcast");

test("greets a client that says nothing", async () => {
  const { port } = await startServer("04-broadcast");
  const ada = await Client.open(port);
  await ada.hears("greeting");
  expect(ada.heard[0].type).toBe("greeting");
});

test("sends everyone a tick every three seconds", async () => {
  const { port } = await startServer("04-broadcast");
  const clients = [await Client.open(port), await Client.open(port)];
  for (const client of clients) {
    const { at: first } = await client.hears("tick");
    const { at: second } = await client.hears("tick", ({ at }) => at > first);
    expect(second - first).toBeGreaterThan(2_000);
    expect(second - first).toBeLessThan(4_500);
  }
});

test("tells everyone how many are here when a client closes or crashes", async () => {
  const { port } = await startServer("04-broadcast");
  const [ada, grace, alan] = [await Client.open(port), await Client.open(port), await Client.open(port)];
  await ada.hears("presence", ({ here }) => here === 3);
  grace.socket.close();
  await ada.hears("presence", ({ here }) => here === 2);
  alan.socket.terminate();
  await ada.hears("presence", ({ here }) => here === 1);
});

test("sends a few presence messages when a hundred clients arrive together", async () => {
  const { port } = await startServer("04-broadcast");
  const clients = await Promise.all(Array.from({ length: 100 }, () => Client.open(port)));
  await Promise.all(clients.map((client) => client.hears("presence", ({ here }) => here === 100)));
  // Whatever is still on its way arrives.
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(clients[0]?.heard.filter(({ type }) => type === "presence").length).toBeLessThan(50);
});

test("tells everyone except Ada that Ada is typing", async () => {
  const { port } = await startServer("04-broadcast");
  const [ada, grace] = [await Client.open(port), await Client.open(port)];
  ada.send({ type: "typing", from: "Ada" });
  ada.send({ type: "say", from: "Ada", text: "Hello" });
  expect(await grace.hears("typing")).toEqual({ type: "typing", from: "Ada" });
  await ada.hears("message");
  expect(ada.heard.some(({ type }) => type === "typing")).toBe(false);
});

test("marks a second client of the same name until the name is free", async () => {
  const { port } = await startServer("04-broadcast");
  const [ada, other] = [await Client.open(port), await Client.open(port)];
  ada.send({ type: "say", from: "Ada", text: "I am Ada" });
  await ada.hears("message");
  other.send({ type: "say", from: "ADA ", text: "So am I" });
  expect((await ada.hears("message", ({ id }) => id === 2)).from).toBe("ADA (2)");
  ada.socket.close();
  await other.hears("presence", ({ here }) => here === 1);
  other.send({ type: "say", from: "Ada", text: "Now I am" });
  expect((await other.hears("message", ({ id }) => id === 3)).from).toBe("Ada");
});

test("disconnects a client that leaves more than 1 MiB unread, and presence falls", async () => {
  const { port } = await startServer("04-broadcast");
  const slow = await rawWebSocket(port);
  slow.pause();
  const ada = await Client.open(port);
  await ada.hears("presence", ({ here }) => here === 2);
  const text = "👩‍👩‍👧‍👦".repeat(500);
  for (let n = 0; n < 1_500; n++) {
    ada.send({ type: "say", from: "Ada", text });
    if (n % 50 === 49) await until(() => ada.heard.some(({ id }) => id === n + 1));
  }
  await ada.hears("presence", ({ here }) => here === 1);
  slow.destroy();
});
