// Tests of lesson 3's server.
import { expect, test } from "vitest";
import { everySocketServer } from "../../shared/machinery/testing/every-server.ts";
import { Client, heavyText, rawWebSocket, startServer } from "../../shared/machinery/testing/lesson.ts";

everySocketServer("03-chat");

test("sends each message to every client, with ids that rise by one", async () => {
  const { port } = await startServer("03-chat");
  const [ada, grace] = [await Client.open(port), await Client.open(port)];
  ada.send({ type: "say", from: "Ada", text: "Hello" });
  ada.send({ type: "say", from: "Ada", text: "Anybody here?" });
  for (const client of [ada, grace]) {
    await client.receives("message", ({ id }) => id === 2);
    expect(client.received).toEqual([
      { type: "message", id: 1, from: "Ada", text: "Hello", at: expect.any(Number) },
      { type: "message", id: 2, from: "Ada", text: "Anybody here?", at: expect.any(Number) },
    ]);
  }
});

test("deletes a client from the Set when it closes, cleanly or not", async () => {
  const server = await startServer("03-chat");
  const [clean, unclean] = [await Client.open(server.port), await Client.open(server.port)];
  clean.socket.close(1000, "see you");
  await server.prints(/close 1000 see you: 1 here/);
  unclean.socket.terminate();
  await server.prints(/close 1006 : 0 here/);
});

test("a page that stops reading is disconnected, and costs the others nothing", async () => {
  const server = await startServer("03-chat");
  const slow = await rawWebSocket(server.port);
  slow.pause();
  const ada = await Client.open(server.port);
  let said = 0;
  for (; said < 1_500 && !server.output().includes("close 1006"); said += 50) {
    for (let n = 0; n < 50; n++) ada.send({ type: "say", from: "Ada", text: heavyText });
    await ada.receives("message", ({ id }) => id === said + 50);
  }
  await server.prints(/close 1006 : 1 here/);
  expect(ada.received).toHaveLength(said);
  slow.destroy();
});
