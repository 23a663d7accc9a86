// Exercise 7, Who is here: how many listen is told by an event of a name of its own, and without an id.

import { expectThat, pause, promise, soon } from "../../shared/machinery/checks/claim.ts";
import { Listener } from "../../shared/machinery/checks/listener.ts";
import { ask, post } from "../../shared/machinery/checks/talk.ts";

const last = (listener: Listener) => listener.named("presence").at(-1);

const toldOf = (listener: Listener, count: number) =>
  soon(
    () => last(listener)?.data === String(count),
    `an event "presence" with the data ${count}`,
    () => (last(listener) ? `the last one said ${last(listener)?.data}` : "no event of that name came"),
  );

export const promises = [
  promise("whoever listens is told how many do", "Hint 1", async (server) => {
    await toldOf(await Listener.comes(server), 1);
  }),

  promise("when one comes, those who were there are told", "Hint 2", async (server) => {
    const ada = await Listener.comes(server);
    await toldOf(ada, 1);
    const grace = await Listener.comes(server);
    await toldOf(ada, 2);
    await toldOf(grace, 2);
  }),

  promise("when one goes, those who stay are told", "Hint 2", async (server) => {
    const [ada, grace] = [await Listener.comes(server), await Listener.comes(server)];
    await toldOf(ada, 2);
    grace.goes();
    await toldOf(ada, 1);
  }),

  promise("presence is no message: no page takes it for something said", "Hint 1", async (server) => {
    const ada = await Listener.comes(server);
    await Listener.comes(server);
    await pause(300);
    await post(server, "Hello");
    await soon(
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

  promise("presence leaves the cursor where it is", "Hint 3", async (server) => {
    const ada = await Listener.comes(server);
    await post(server, "Hello");
    await soon(
      () => ada.ids.length === 1,
      "a message to come as before",
      () => "none came",
    );
    const before = ada.lastEventId;
    await Listener.comes(server);
    await toldOf(ada, 2);
    expectThat(
      ada.lastEventId === before,
      `${before} as the last id, that of the message, after presence was told`,
      `it was ${ada.lastEventId}: that is what the browser would ask for when it comes back`,
    );
  }),

  promise(
    "messages keep their numbers, and who comes back gets them and no more",
    "Hint 3",
    async (server) => {
      const ada = await Listener.comes(server);
      const start = ada.lastEventId;
      await post(server, "one");
      for (const _ of [1, 2, 3]) {
        const passing = await Listener.comes(server);
        await pause(150);
        passing.goes();
      }
      await pause(150);
      await post(server, "two");
      const again = await Listener.comes(server, start);
      await soon(
        () => again.ids.length >= 2,
        "two messages for whoever comes back",
        () => `${again.ids.length} came`,
      );
      expectThat(
        again.ids.join() === "1,2",
        "the messages 1 and 2",
        `the ids that came: ${again.ids.join(" ")}`,
      );
    },
  ),

  promise("who only asks for the head, or is told to stay away, is not counted", "Hint 2", async (server) => {
    const ada = await Listener.comes(server);
    await toldOf(ada, 1);
    await ask(server, "/events", { method: "HEAD" });
    await ask(server, "/events?until=0");
    await pause(300);
    const told = () => `the last one said ${last(ada)?.data}`;
    expectThat(last(ada)?.data === "1", "one to listen still, after a HEAD and a 204", told());
    await Listener.comes(server);
    await toldOf(ada, 2);
    await pause(300);
    expectThat(last(ada)?.data === "2", "two to listen, after a HEAD and a 204", told());
  }),

  promise("while nobody comes or goes, nothing is told", "Hint 2", async (server) => {
    const ada = await Listener.comes(server);
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

  promise("fifty who come at once are told of in a few events", "Hint 2", async (server) => {
    const ada = await Listener.comes(server);
    await Promise.all(Array.from({ length: 50 }, () => Listener.comes(server)));
    await toldOf(ada, 51);
    await pause(200); // all that is still on its way
    const times = ada.named("presence").length;
    expectThat(times <= 25, "at most 25 events for fifty who come at once", `there were ${times}`);
  }),
];
