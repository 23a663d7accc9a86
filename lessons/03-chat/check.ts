// Exercise 3, Whispers: what begins with @Grace is for Grace alone, and for whoever says it.
import { expectThat, promise, soon } from "../../shared/machinery/checks/claim.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";
import { Person } from "../../shared/machinery/checks/talk.ts";

/** Three people who have said something, each heard by all. */
async function threePeople(server: LessonServer): Promise<[Person, Person, Person]> {
  const people = [
    await Person.comes(server, "Ada"),
    await Person.comes(server, "Grace"),
    await Person.comes(server, "Alan"),
  ] as [Person, Person, Person];
  for (const person of people) {
    person.says(`${person.name} is here`);
    for (const each of people) await each.hearsSaid(`${person.name} is here`);
  }
  return people;
}

/** Something that everybody hears: whatever was to come before it has come. */
async function afterwards(speaker: Person, ...people: Person[]) {
  speaker.says("and now to all");
  for (const person of people) await person.hearsSaid("and now to all");
}

const whisper = "@Grace lunch?";

export const promises = [
  promise("what begins with @Grace is heard by Grace", "Hint 1", async (server) => {
    const [ada, grace] = await threePeople(server);
    ada.says(whisper);
    await grace.hearsSaid(whisper);
  }),

  promise("nobody else hears it", "Hint 2", async (server) => {
    const [ada, grace, alan] = await threePeople(server);
    ada.says(whisper);
    await afterwards(ada, grace, alan);
    expectThat(!alan.heardSaid(whisper), `"${whisper}" to stay between Ada and Grace`, "Alan heard it too");
  }),

  promise("whoever says it sees it in their own list, once", "Hint 2", async (server) => {
    const [ada, , alan] = await threePeople(server);
    ada.says(whisper);
    await ada.hearsSaid(whisper);
    ada.says("@Ada buy milk");
    await ada.hearsSaid("@Ada buy milk");
    await afterwards(ada, alan);
    const times = ada.heard.filter(({ text }) => text === "@Ada buy milk").length;
    expectThat(times === 1, "Ada to hear once what she whispers to herself", `she heard it ${times} times`);
  }),

  promise(
    "everybody of that name hears it, also who took the name a moment ago",
    "Hint 1",
    async (server) => {
      const [ada, grace, alan] = await threePeople(server);
      alan.send({ type: "say", from: "Grace", text: "call me Grace" });
      await ada.hearsSaid("call me Grace");
      ada.says(whisper);
      const hearing = "hear what Ada whispers: both spoke as Grace last";
      for (const [each, who] of [
        [grace, "Grace"],
        [alan, "Alan, who calls himself Grace now,"],
      ] as const)
        await soon(
          () => each.heardSaid(whisper),
          `${who} to ${hearing}`,
          () => each.tale("message"),
        );
    },
  ),

  promise("who has taken another name is no longer called by the old one", "Hint 1", async (server) => {
    const [ada, grace, alan] = await threePeople(server);
    grace.send({ type: "say", from: "Barbara", text: "call me Barbara" });
    await ada.hearsSaid("call me Barbara");
    ada.says(whisper);
    await afterwards(ada, grace, alan);
    expectThat(
      !grace.heardSaid(whisper),
      `"${whisper}" not to reach one who has called herself Barbara since`,
      "she heard it",
    );
  }),

  promise("what is said to all still reaches all, an @ in the middle too", "Hint 2", async (server) => {
    const [ada, grace, alan] = await threePeople(server);
    ada.says("write to ada@example.org");
    for (const person of [ada, grace, alan]) await person.hearsSaid("write to ada@example.org");
  }),

  promise(
    "a whisper to somebody who is not here is refused, by name, and sent to nobody",
    "Hint 3",
    async (server) => {
      const [ada, grace, alan] = await threePeople(server);
      ada.says("@Edsger lunch?");
      await ada.hears(
        "refused",
        ({ reason }) => String(reason).includes("Edsger"),
        'be told by a message of type "refused" that Edsger is not here',
      );
      await afterwards(ada, grace, alan);
      const hearer = [ada, grace, alan].find((each) => each.heardSaid("@Edsger lunch?"));
      expectThat(
        !hearer,
        "nothing to be sent to anybody when Edsger is not here",
        `${hearer?.name} heard "@Edsger lunch?"`,
      );
    },
  ),

  promise("nor is somebody here who has left", "Hint 3", async (server) => {
    const [ada, grace] = await threePeople(server);
    grace.leaves();
    // The server needs a moment to hear of it: until then the whisper is taken.
    for (let n = 0; n < 4 && !ada.heard.some(({ type }) => type === "refused"); n++) {
      ada.says(whisper);
      await ada.hears("refused", () => true, "hear", 250).catch(() => {});
    }
    await ada.hears(
      "refused",
      ({ reason }) => String(reason).includes("Grace"),
      'be told by a message of type "refused" that Grace is not here any more',
    );
  }),
];
