// Exercise 4, Rooms: whoever connects to /?room=tea hears what is said at tea, and nothing of what is said elsewhere.
import { expectThat, pause, promise } from "../../shared/machinery/checks/claim.ts";
import { Person } from "../../shared/machinery/checks/talk.ts";

const tea = "/?room=tea";

export const promises = [
  promise("what is said in a room is heard in that room", "Hint 1", async (server) => {
    const [ada, grace] = [await Person.comes(server, "Ada", tea), await Person.comes(server, "Grace", tea)];
    ada.says("milk or lemon?");
    await ada.hearsSaid("milk or lemon?");
    await grace.hearsSaid("milk or lemon?");
  }),

  promise("it is the same message for all who hear it", "Why", async (server) => {
    const people = [await Person.comes(server, "Ada", tea), await Person.comes(server, "Grace", tea)];
    people[0]?.says("milk or lemon?");
    const ids: number[] = [];
    for (const person of people)
      ids.push((await person.hears("message", ({ text }) => text === "milk or lemon?")).id);
    expectThat(
      ids[0] === ids[1],
      "Ada and Grace to hear one message, with one id",
      `it had the id ${ids[0]} for Ada and ${ids[1]} for Grace: the log holds it more than once`,
    );
  }),

  promise("and nowhere else", "Hint 2", async (server) => {
    const ada = await Person.comes(server, "Ada", tea);
    const others = [
      await Person.comes(server, "Alan", "/?room=coffee"),
      await Person.comes(server, "Edsger"),
    ];
    ada.says("milk or lemon?");
    await ada.hearsSaid("milk or lemon?");
    for (const other of others) {
      other.says(`${other.name} speaks`);
      await other.hearsSaid(`${other.name} speaks`);
      expectThat(
        !other.heardSaid("milk or lemon?"),
        'what Ada says in the room "tea" to stay there',
        `${other.name} heard it ${other.name === "Alan" ? 'in the room "coffee"' : "without having named a room"}`,
      );
    }
    expectThat(
      !ada.heardSaid("Alan speaks") && !ada.heardSaid("Edsger speaks"),
      'nobody in the room "tea" to hear what is said outside of it',
      "Ada heard it there",
    );
  }),

  promise("who is typing is told to the others in the room, and nowhere else", "Hint 2", async (server) => {
    const [ada, grace] = [await Person.comes(server, "Ada", tea), await Person.comes(server, "Grace", tea)];
    const alan = await Person.comes(server, "Alan", "/?room=coffee");
    ada.send({ type: "typing", from: "Ada" });
    await grace.hears("typing", ({ from }) => from === "Ada", 'hear "typing" in the same room');
    alan.says("coffee, please");
    await alan.hearsSaid("coffee, please");
    const typingHeard = (person: Person) => person.heard.some(({ type }) => type === "typing");
    expectThat(
      !typingHeard(alan),
      '"typing" to stay in the room "tea"',
      'Alan heard it in the room "coffee"',
    );
    expectThat(!typingHeard(ada), '"typing" to reach all but Ada, who types', "Ada heard it too");
  }),

  promise("presence counts those in the same room", "Hint 3", async (server) => {
    const ada = await Person.comes(server, "Ada", tea);
    const alan = await Person.comes(server, "Alan", "/?room=coffee");
    const grace = await Person.comes(server, "Grace", tea);
    const hears = (person: Person, count: number) =>
      person.hears(
        "presence",
        ({ here }) => here === count,
        `be told that ${count} ${count === 1 ? "is" : "are"} here, in the same room`,
      );
    await hears(grace, 2);
    await hears(alan, 1);
    // Told at most twenty times a second: by now everything has been told.
    await pause(150);
    expectThat(
      ada.heard.every(({ type, here }) => type !== "presence" || here <= 2),
      'two to be here for Ada, who is in the room "tea" with Grace',
      "she was told of three",
    );
    grace.leaves();
    await ada.hears(
      "presence",
      (message) => message === ada.heard.findLast(({ type }) => type === "presence") && message.here === 1,
      "be told that 1 is here, once Grace has left",
    );
  }),

  promise("those who name no room are together in one", "Hint 2", async (server) => {
    const [ada, grace] = [await Person.comes(server, "Ada"), await Person.comes(server, "Grace")];
    ada.says("in the hall");
    await grace.hearsSaid("in the hall");
  }),

  promise("the server's tick is heard in every room", "Hint 3", async (server) => {
    const people = [
      await Person.comes(server, "Ada", tea),
      await Person.comes(server, "Alan", "/?room=coffee"),
      await Person.comes(server, "Edsger"),
    ];
    for (const person of people) await person.hears("tick", () => true, "hear the tick within 4 s", 4_000);
  }),

  promise("a room may have any name, constructor and __proto__ too", "Hint 3", async (server) => {
    for (const room of ["constructor", "__proto__", "Kaffee und Kuchen ☕"]) {
      const path = `/?room=${encodeURIComponent(room)}`;
      const [ada, grace] = [
        await Person.comes(server, "Ada", path),
        await Person.comes(server, "Grace", path),
      ];
      ada.says(`in ${room}`);
      await grace.hearsSaid(`in ${room}`);
    }
  }),
];
