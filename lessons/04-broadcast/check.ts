// Exercise 4, Rooms: whoever connects to /?room=tea hears what is said at tea, and nothing of what is said elsewhere.
import { check, expectThat, pause } from "../../shared/machinery/checks/checks.ts";
import { Client } from "../../shared/machinery/checks/client.ts";

const tea = "/?room=tea";

export const checks = [
  check("what is said in a room is heard in that room", "Hint 1", async (server) => {
    const [ada, grace] = [
      await Client.connect(server, "Ada", tea),
      await Client.connect(server, "Grace", tea),
    ];
    ada.say("milk or lemon?");
    await ada.receivesText("milk or lemon?");
    await grace.receivesText("milk or lemon?");
  }),

  check("it is the same message for all who hear it", "Why", async (server) => {
    const people = [await Client.connect(server, "Ada", tea), await Client.connect(server, "Grace", tea)];
    people[0]?.say("milk or lemon?");
    const ids: number[] = [];
    for (const person of people)
      ids.push((await person.receives("message", ({ text }) => text === "milk or lemon?")).id);
    expectThat(
      ids[0] === ids[1],
      "Ada and Grace to hear one message, with one id",
      `it had the id ${ids[0]} for Ada and ${ids[1]} for Grace: the log holds it more than once`,
    );
  }),

  check("and nowhere else", "Hint 2", async (server) => {
    const ada = await Client.connect(server, "Ada", tea);
    const others = [
      await Client.connect(server, "Alan", "/?room=coffee"),
      await Client.connect(server, "Edsger"),
    ];
    ada.say("milk or lemon?");
    await ada.receivesText("milk or lemon?");
    for (const other of others) {
      other.say(`${other.name} speaks`);
      await other.receivesText(`${other.name} speaks`);
      expectThat(
        !other.hasReceived("milk or lemon?"),
        'what Ada says in the room "tea" to stay there',
        `${other.name} heard it ${other.name === "Alan" ? 'in the room "coffee"' : "without having named a room"}`,
      );
    }
    expectThat(
      !ada.hasReceived("Alan speaks") && !ada.hasReceived("Edsger speaks"),
      'nobody in the room "tea" to hear what is said outside of it',
      "Ada heard it there",
    );
  }),

  check("who is typing is told to the others in the room, and nowhere else", "Hint 2", async (server) => {
    const [ada, grace] = [
      await Client.connect(server, "Ada", tea),
      await Client.connect(server, "Grace", tea),
    ];
    const alan = await Client.connect(server, "Alan", "/?room=coffee");
    ada.send({ type: "typing", from: "Ada" });
    await grace.receives("typing", ({ from }) => from === "Ada", 'hear "typing" in the same room');
    alan.say("coffee, please");
    await alan.receivesText("coffee, please");
    const typingHeard = (person: Client) => person.received.some(({ type }) => type === "typing");
    expectThat(
      !typingHeard(alan),
      '"typing" to stay in the room "tea"',
      'Alan heard it in the room "coffee"',
    );
    expectThat(!typingHeard(ada), '"typing" to reach all but Ada, who types', "Ada heard it too");
  }),

  check("presence counts those in the same room", "Hint 3", async (server) => {
    const ada = await Client.connect(server, "Ada", tea);
    const alan = await Client.connect(server, "Alan", "/?room=coffee");
    const grace = await Client.connect(server, "Grace", tea);
    const hears = (person: Client, count: number) =>
      person.receives(
        "presence",
        ({ here }) => here === count,
        `be told that ${count} ${count === 1 ? "is" : "are"} here, in the same room`,
      );
    await hears(grace, 2);
    await hears(alan, 1);
    // Told at most twenty times a second: by now everything has been told.
    await pause(150);
    expectThat(
      ada.received.every(({ type, here }) => type !== "presence" || here <= 2),
      'two to be here for Ada, who is in the room "tea" with Grace',
      "she was told of three",
    );
    grace.close();
    await ada.receives(
      "presence",
      (message) => message === ada.received.findLast(({ type }) => type === "presence") && message.here === 1,
      "be told that 1 is here, once Grace has left",
    );
  }),

  check("those who name no room are together in one", "Hint 2", async (server) => {
    const [ada, grace] = [await Client.connect(server, "Ada"), await Client.connect(server, "Grace")];
    ada.say("in the hall");
    await grace.receivesText("in the hall");
  }),

  check("the server's tick is heard in every room", "Hint 3", async (server) => {
    const people = [
      await Client.connect(server, "Ada", tea),
      await Client.connect(server, "Alan", "/?room=coffee"),
      await Client.connect(server, "Edsger"),
    ];
    for (const person of people) await person.receives("tick", () => true, "hear the tick within 4 s", 4_000);
  }),

  check("a room may have any name, constructor and __proto__ too", "Hint 3", async (server) => {
    for (const room of ["constructor", "__proto__", "Kaffee und Kuchen ☕"]) {
      const path = `/?room=${encodeURIComponent(room)}`;
      const [ada, grace] = [
        await Client.connect(server, "Ada", path),
        await Client.connect(server, "Grace", path),
      ];
      ada.say(`in ${room}`);
      await grace.receivesText(`in ${room}`);
    }
  }),
];
