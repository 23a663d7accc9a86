// Exercise 3, Whispers: what begins with @Grace is for Grace alone, and for whoever says it.
import { check, eventually, expectThat } from "../../shared/machinery/checks/checks.ts";
import { Client } from "../../shared/machinery/checks/client.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";

/** Three people who have said something, each heard by all. */
async function threePeople(server: LessonServer): Promise<[Client, Client, Client]> {
  const people = [
    await Client.connect(server, "Ada"),
    await Client.connect(server, "Grace"),
    await Client.connect(server, "Alan"),
  ] as [Client, Client, Client];
  for (const person of people) {
    person.say(`${person.name} is here`);
    for (const each of people) await each.receivesText(`${person.name} is here`);
  }
  return people;
}

/** Something that everybody hears: whatever was to come before it has come. */
async function afterwards(speaker: Client, ...people: Client[]) {
  speaker.say("and now to all");
  for (const person of people) await person.receivesText("and now to all");
}

const whisper = "@Grace lunch?";

export const checks = [
  check("what begins with @Grace is heard by Grace", "Hint 1", async (server) => {
    const [ada, grace] = await threePeople(server);
    ada.say(whisper);
    await grace.receivesText(whisper);
  }),

  check("nobody else hears it", "Hint 2", async (server) => {
    const [ada, grace, alan] = await threePeople(server);
    ada.say(whisper);
    await afterwards(ada, grace, alan);
    expectThat(!alan.hasReceived(whisper), `"${whisper}" to stay between Ada and Grace`, "Alan heard it too");
  }),

  check("whoever says it sees it in their own list, once", "Hint 2", async (server) => {
    const [ada, , alan] = await threePeople(server);
    ada.say(whisper);
    await ada.receivesText(whisper);
    ada.say("@Ada buy milk");
    await ada.receivesText("@Ada buy milk");
    await afterwards(ada, alan);
    const times = ada.received.filter(({ text }) => text === "@Ada buy milk").length;
    expectThat(times === 1, "Ada to hear once what she whispers to herself", `she heard it ${times} times`);
  }),

  check("everybody of that name hears it, also who took the name a moment ago", "Hint 1", async (server) => {
    const [ada, grace, alan] = await threePeople(server);
    alan.send({ type: "say", from: "Grace", text: "call me Grace" });
    await ada.receivesText("call me Grace");
    ada.say(whisper);
    const hearing = "hear what Ada whispers: both spoke as Grace last";
    for (const [each, who] of [
      [grace, "Grace"],
      [alan, "Alan, who calls himself Grace now,"],
    ] as const)
      await eventually(
        () => each.hasReceived(whisper),
        `${who} to ${hearing}`,
        () => each.describe("message"),
      );
  }),

  check("who has taken another name is no longer called by the old one", "Hint 1", async (server) => {
    const [ada, grace, alan] = await threePeople(server);
    grace.send({ type: "say", from: "Barbara", text: "call me Barbara" });
    await ada.receivesText("call me Barbara");
    ada.say(whisper);
    await afterwards(ada, grace, alan);
    expectThat(
      !grace.hasReceived(whisper),
      `"${whisper}" not to reach one who has called herself Barbara since`,
      "she heard it",
    );
  }),

  check("what is said to all still reaches all, an @ in the middle too", "Hint 2", async (server) => {
    const [ada, grace, alan] = await threePeople(server);
    ada.say("write to ada@example.org");
    for (const person of [ada, grace, alan]) await person.receivesText("write to ada@example.org");
  }),

  check(
    "a whisper to somebody who is not here is refused, by name, and sent to nobody",
    "Hint 3",
    async (server) => {
      const [ada, grace, alan] = await threePeople(server);
      ada.say("@Edsger lunch?");
      await ada.receives(
        "refused",
        ({ reason }) => String(reason).includes("Edsger"),
        'be told by a message of type "refused" that Edsger is not here',
      );
      await afterwards(ada, grace, alan);
      const hearer = [ada, grace, alan].find((each) => each.hasReceived("@Edsger lunch?"));
      expectThat(
        !hearer,
        "nothing to be sent to anybody when Edsger is not here",
        `${hearer?.name} heard "@Edsger lunch?"`,
      );
    },
  ),

  check("nor is somebody here who has left", "Hint 3", async (server) => {
    const [ada, grace] = await threePeople(server);
    grace.close();
    // The server needs a moment to hear of it: until then the whisper is taken.
    for (let n = 0; n < 4 && !ada.received.some(({ type }) => type === "refused"); n++) {
      ada.say(whisper);
      await ada.receives("refused", () => true, "hear", 250).catch(() => {});
    }
    await ada.receives(
      "refused",
      ({ reason }) => String(reason).includes("Grace"),
      'be told by a message of type "refused" that Grace is not here any more',
    );
  }),
];
