// Exercise 7, Who is here: how many listen is told by an event of a name of its own, and without an id.

import { check, eventually, expectThat, pause } from "../../shared/machinery/checks/checks.ts";
import { postMessage, request } from "../../shared/machinery/checks/client.ts";
import { EventStream } from "../../shared/machinery/checks/event-stream.ts";

const last = (listener: EventStream) => listener.named("presence").at(-1);

const toldOf = (listener: EventStream, count: number) =>
  eventually(
    () => last(listener)?.data === String(count),
    `an event "presence" with the data ${count}`,
    () => (last(listener) ? `the last one said ${last(listener)?.data}` : "no event of that name came"),
  );

export const checks = [
  check("whoever listens is told how many do", "Hint 1", async (server) => {
    await toldOf(await EventStream.open(server), 1);
  }),

  check("when one comes, those who were there are told", "Hint 2", async (server) => {
    const ada = await EventStream.open(server);
    await toldOf(ada, 1);
    const grace = await EventStream.open(server);
    await toldOf(ada, 2);
    await toldOf(grace, 2);
  }),

  check("when one goes, those who stay are told", "Hint 2", async (server) => {
    const [ada, grace] = [await EventStream.open(server), await EventStream.open(server)];
    await toldOf(ada, 2);
    grace.close();
    await toldOf(ada, 1);
  }),

  check("presence is no message: no page takes it for something said", "Hint 1", async (server) => {
    const ada = await EventStream.open(server);
    await EventStream.open(server);
    await pause(300);
    await postMessage(server, "Hello");
    await eventually(
      () => ada.ids.includes(1),
      "a message to come as before",
      () => "none came",
    );
    const strange = ada.named("message").find(({ data }) => !data.includes('"text"'));
    expectThat(
      !strange,
      "nothing but messages in events without a name",
      `there was one with the data ${strange?.data}`,
    );
  }),

  check("presence leaves the cursor where it is", "Hint 3", async (server) => {
    const ada = await EventStream.open(server);
    await postMessage(server, "Hello");
    await eventually(
      () => ada.ids.length === 1,
      "a message to come as before",
      () => "none came",
    );
    const before = ada.lastEventId;
    await EventStream.open(server);
    await toldOf(ada, 2);
    expectThat(
      ada.lastEventId === before,
      `${before} as the last id, that of the message, after presence was told`,
      `it was ${ada.lastEventId}: that is what the browser would ask for when it comes back`,
    );
  }),

  check("messages keep their numbers, and who comes back gets them and no more", "Hint 3", async (server) => {
    const ada = await EventStream.open(server);
    const start = ada.lastEventId;
    await postMessage(server, "one");
    for (const _ of [1, 2, 3]) {
      const passing = await EventStream.open(server);
      await pause(150);
      passing.close();
    }
    await pause(150);
    await postMessage(server, "two");
    const again = await EventStream.open(server, start);
    await eventually(
      () => again.ids.length >= 2,
      "two messages for whoever comes back",
      () => `${again.ids.length} came`,
    );
    expectThat(
      again.ids.join() === "1,2",
      "the messages 1 and 2",
      `the ids that came: ${again.ids.join(" ")}`,
    );
  }),

  check("who only asks for the head, or is told to stay away, is not counted", "Hint 2", async (server) => {
    const ada = await EventStream.open(server);
    await toldOf(ada, 1);
    await request(server, "/events", { method: "HEAD" });
    await request(server, "/events?until=0");
    await pause(300);
    const told = () => `the last one said ${last(ada)?.data}`;
    expectThat(last(ada)?.data === "1", "one to listen still, after a HEAD and a 204", told());
    await EventStream.open(server);
    await toldOf(ada, 2);
    await pause(300);
    expectThat(last(ada)?.data === "2", "two to listen, after a HEAD and a 204", told());
  }),

  check("while nobody comes or goes, nothing is told", "Hint 2", async (server) => {
    const ada = await EventStream.open(server);
    await toldOf(ada, 1);
    await pause(300);
    const before = ada.named("presence").length;
    await pause(1_300);
    const more = ada.named("presence").length - before;
    expectThat(
      more === 0,
      "silence about who is here while it stays the same",
      `${more} events in a second or so`,
    );
  }),

  check("fifty who come at once are told of in a few events", "Hint 2", async (server) => {
    const ada = await EventStream.open(server);
    await Promise.all(Array.from({ length: 50 }, () => EventStream.open(server)));
    await toldOf(ada, 51);
    await pause(200); // all that is still on its way
    const times = ada.named("presence").length;
    expectThat(times <= 25, "at most 25 events for fifty who come at once", `there were ${times}`);
  }),
];
