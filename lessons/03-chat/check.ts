// Exercise 3, Whispers: a message that begins with @Grace goes to Grace and to its sender, and to nobody else.
import {
  check,
  eventually,
  expectForgotten,
  expectThat,
  longCheck,
  pause,
} from "../../shared/machinery/checks/checks.ts";
import { Client } from "../../shared/machinery/checks/client.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";

/** Three people. Each has said something that all three have received. */
async function threePeople(server: LessonServer): Promise<[Client, Client, Client]> {
  const people: [Client, Client, Client] = [
    await Client.connect(server, "Ada"),
    await Client.connect(server, "Grace"),
    await Client.connect(server, "Alan"),
  ];
  for (const [n, person] of people.entries()) {
    const text = `${person.name} is here`;
    person.say(text);
    for (const [nth, each] of people.entries()) {
      const even = nth > n ? `, although ${each.name} has said nothing yet` : "";
      await each.receives("message", (message) => message.text === text, `receive "${text}"${even}`);
    }
  }
  return people;
}

let sent = 0;

/** Sends something that everybody receives. By then, everything sent before has arrived, too. */
async function afterwards(sender: Client, ...people: Client[]) {
  const text = `to all, ${++sent}`;
  sender.say(text);
  for (const person of people)
    await person.receivesText(text).catch((error: unknown) => {
      expectThat(!sender.closed, `${sender.name} to stay connected after each message`, sender.describe());
      throw error;
    });
  return text;
}

const whisper = "@Grace lunch?";

/** Waits until a whisper has reached somebody. `who`: the receiver, as the expectation names them. */
const reaches = (sender: Client, receiver: Client, text = whisper, who = receiver.name) =>
  eventually(
    () => receiver.hasReceived(text),
    `${who} to receive "${text}", which ${sender.name} sent`,
    () => {
      const refusal = sender.received.findLast(({ type }) => type === "refused");
      if (refusal) return `it was refused: "${refusal.reason}"`;
      const other = receiver.received.findLast((message) => message.text === text);
      return other
        ? `it came, but with "type":"${other.type}". A page shows messages whose type is "message"`
        : receiver.describe("message");
    },
  );

/** Sends a whisper to somebody who isn't here, then a text to all. Returns the text. By then, the whisper was refused. */
async function isRefused(ada: Client, to: string, when = "") {
  const before = ada.received.length;
  ada.say(`@${to} lunch?`);
  const next = await afterwards(ada, ada);
  const refused = ada.received.slice(before).filter(({ type }) => type === "refused");
  const instead = ada.hasReceived(`@${to} lunch?`) ? "it was sent, and she received it" : "she received none";
  expectThat(
    refused.some(({ reason }) => String(reason).includes(to)),
    `Ada to receive a message of type "refused" with "${to}" in its reason, after she sent "@${to} lunch?"${when}`,
    refused.length > 0 ? `she received ${JSON.stringify(refused.at(-1))}` : instead,
  );
  return next;
}

export const checks = [
  check("Grace receives a message that begins with @Grace", "Hint 1", async (server) => {
    const [ada, grace] = await threePeople(server);
    for (const text of [whisper, "@Grace"]) {
      ada.say(text);
      await reaches(ada, grace, text);
    }
  }),

  check("nobody else receives it", "Hint 2", async (server) => {
    const [ada, grace, alan] = await threePeople(server);
    const twin = await Client.connect(server, "Ada");
    twin.say("another Ada");
    await ada.receivesText("another Ada");
    const silent = await Client.connect(server, "Edsger");
    // One right after the other: a whisper must not depend on the one before.
    for (const text of [whisper, "@Grace"]) ada.say(text);
    await afterwards(ada, grace, alan, twin, silent);
    for (const text of [whisper, "@Grace"])
      for (const [who, other] of [
        ["Alan", alan],
        ["another client with the name Ada", twin],
        ["a client that has said nothing yet", silent],
      ] as const)
        expectThat(
          !other.hasReceived(text),
          `only Grace and the client that sent it to receive "${text}", which Ada sent`,
          `${who} received it too${text === whisper ? "" : `, but not "${whisper}", which she sent right before`}`,
        );
  }),

  check("the sender receives it too, once", "Hint 2", async (server) => {
    const [ada, , alan] = await threePeople(server);
    ada.say(whisper);
    await reaches(ada, ada, whisper, "Ada herself");
    ada.say("@Ada buy milk");
    await reaches(ada, ada, "@Ada buy milk", "Ada herself");
    await afterwards(ada, alan);
    const refusal = ada.received.find(({ type }) => type === "refused");
    expectThat(
      !refusal,
      "no refusal for Ada, because both of her whispers have reached somebody",
      `she received ${JSON.stringify(refusal)}. Refuse a whisper only when no client has that name`,
    );
    const times = ada.received.filter(({ text }) => text === "@Ada buy milk").length;
    expectThat(
      times === 1,
      'Ada to receive "@Ada buy milk", which she sent to herself, once',
      `she received it ${times} times`,
    );
  }),

  check("each whisper has an id of its own, so that a page shows it", "Hint 2", async (server) => {
    const [ada, grace] = await threePeople(server);
    for (const text of [whisper, "@Grace or later?"]) {
      ada.say(text);
      await reaches(ada, grace, text);
    }
    await afterwards(ada, grace);
    const idOf = ({ received }: Client) => received.find(({ text }) => text === whisper)?.id;
    expectThat(
      !ada.hasReceived(whisper) || idOf(ada) === idOf(grace),
      `Ada and Grace to receive "${whisper}" as one message, with one id`,
      `it had the id ${idOf(ada)} for Ada and ${idOf(grace)} for Grace. Call log.add once for each message, before the loop`,
    );
    const ids = grace.received.filter(({ type }) => type === "message").map(({ id }) => id ?? "none");
    expectThat(
      new Set(ids).size === ids.length,
      "a different id in each message that Grace receives. A page shows only one message with each id",
      `the ids were ${ids.join(", ")}. Let log.add give a whisper its id, too`,
    );
  }),

  check("everybody with that name receives it, even if the name is new", "Hint 1", async (server) => {
    const [ada, grace, alan] = await threePeople(server);
    alan.send({ type: "say", from: "Grace", text: "call me Grace" });
    await ada.receivesText("call me Grace");
    ada.say(whisper);
    await reaches(ada, grace);
    await reaches(ada, alan, whisper, 'Alan, who sent his last message with "from":"Grace",');
  }),

  check("a client's name is known, even if it has only whispered", "Hint 1", async (server) => {
    const [ada, grace] = [await Client.connect(server, "Ada"), await Client.connect(server, "Grace")];
    grace.say("Grace is here");
    await ada.receivesText("Grace is here");
    // The first thing that she says.
    ada.say(whisper);
    await reaches(ada, grace);
    grace.say("@Ada at noon?");
    await reaches(grace, ada, "@Ada at noon?", "Ada, who has sent one whisper and nothing else,");
  }),

  check("somebody who has taken another name no longer has the old one", "Hint 1", async (server) => {
    const [ada, grace, alan] = await threePeople(server);
    grace.send({ type: "say", from: "Barbara", text: "call me Barbara" });
    await ada.receivesText("call me Barbara");
    ada.say(whisper);
    await afterwards(ada, grace, alan);
    expectThat(
      !grace.hasReceived(whisper),
      `nobody to receive "${whisper}" after Grace sent a message with "from":"Barbara"`,
      "she received it",
    );
    await isRefused(ada, "Grace", ", but Grace has become Barbara, and nobody else is called Grace");
  }),

  check("a name is compared as a whole: Ann doesn't receive what is for Anna", "Hint 2", async (server) => {
    const ann = await Client.connect(server, "Ann");
    const anna = await Client.connect(server, "Anna");
    const alan = await Client.connect(server, "Alan");
    for (const person of [ann, anna]) {
      person.say(`${person.name} is here`);
      await alan.receivesText(`${person.name} is here`);
    }
    for (const [name, other] of [
      ["Anna", ann],
      ["Ann", anna],
    ] as const) {
      alan.say(`@${name} lunch?`);
      await afterwards(alan, ann, anna);
      expectThat(
        !other.hasReceived(`@${name} lunch?`),
        `nobody but Alan and ${name} to receive Alan's "@${name} lunch?"`,
        `${other.name} received it too: one name begins like the other`,
      );
    }
  }),

  check("a name ends at the first space, and may have any other characters", "Hint 1", async (server) => {
    const [alan, grace] = [await Client.connect(server, "Alan"), await Client.connect(server, "Grace")];
    for (const name of ["José", "Ada2", "Ада", "Jean-Luc", "O'Neill", "Jr.", "Ada🦊"]) {
      const person = await Client.connect(server, name);
      person.say(`${name} is here`);
      await alan.receivesText(`${name} is here`);
      alan.say(`@${name} lunch?`);
      await reaches(alan, person, `@${name} lunch?`);
      await afterwards(alan, grace);
      expectThat(
        !grace.hasReceived(`@${name} lunch?`),
        `nobody but Alan and ${name} to receive Alan's "@${name} lunch?"`,
        "Grace received it too: it was taken for a message to everyone",
      );
    }
  }),

  check("a message for everyone still reaches everyone, even with an @ inside", "Hint 2", async (server) => {
    const [ada, grace, alan] = await threePeople(server);
    for (const text of [
      "write to ada@example.org",
      "tell @Grace that lunch is ready",
      "@ noon in the hall",
    ]) {
      ada.say(text);
      for (const person of [ada, grace, alan]) await person.receivesText(text);
    }
  }),

  check(
    "a whisper to somebody who isn't here is refused, by name, and sent to nobody",
    "Hint 3",
    async (server) => {
      const [ada, grace, alan] = await threePeople(server);
      // The last two are names of what every object has.
      for (const name of ["Edsger", "constructor", "__proto__"]) {
        await isRefused(ada, name);
        await afterwards(ada, grace, alan);
        const receiver = [ada, grace, alan].find((each) => each.hasReceived(`@${name} lunch?`));
        expectThat(
          !receiver,
          `nobody to receive "@${name} lunch?" while nobody has that name`,
          `${receiver?.name} received it`,
        );
      }
    },
  ),

  check("a whisper that is refused isn't added to the log", "Hint 3", async (server) => {
    const [ada] = await threePeople(server);
    const next = await isRefused(ada, "Edsger");
    const { id } = ada.received.find(({ text }) => text === next);
    expectThat(
      id === 4,
      'id 4 for the message that follows the refused "@Edsger lunch?": three were said before it',
      `it has id ${id}. Check first whether anybody is there, then call log.add`,
    );
  }),

  check("a whisper to somebody who has left is refused", "Hint 3", async (server) => {
    const [ada, grace] = await threePeople(server);
    await grace.leaves();
    // The server needs a moment to notice. Until then the whisper is accepted.
    for (let n = 0; n < 10 && !ada.received.some(({ type }) => type === "refused"); n++) {
      await pause(10 * n);
      ada.say(whisper);
      await afterwards(ada, ada);
    }
    await isRefused(ada, "Grace");
  }),

  longCheck("a client that has left is forgotten, and so is its name", "Hint 3", async (server) => {
    const ada = await Client.connect(server, "Ada");
    await expectForgotten(
      server,
      async (n) => {
        const client = await Client.connect(server, `Visitor ${n}`);
        client.say("hello");
        await client.receivesText("hello");
        await client.leaves();
      },
      "the server to forget clients that connect, say one thing and leave",
      "Remove a client from every Set and Map when it closes",
      {
        // The log keeps what was said.
        mayBeKept: async (n) => {
          ada.say(`hello ${n}`);
          await ada.receivesText(`hello ${n}`);
        },
      },
    );
  }),
];
