// Exercise 5, Too fast: whoever says more than ten things in a second is closed with 1013, and may come back.
import { check, eventually, expectThat, pause } from "../../shared/machinery/checks/checks.ts";
import { Client } from "../../shared/machinery/checks/client.ts";

function flood(person: Client, count = 30) {
  for (let n = 1; n <= count; n++) person.say(`${n} of ${count}`);
}

const isClosed = (person: Client) =>
  eventually(
    () => person.closed,
    `${person.name}'s connection to be closed after thirty messages at once`,
    () => `it stayed open, and ${said(person, person.name)} of them were heard`,
  );

const said = (person: Client, by: string) =>
  person.received.filter(({ type, from }) => type === "message" && String(from).startsWith(by)).length;

const meanings: Record<number, string> = {
  1005: ": it was closed without a code",
  1006: ": the connection was ended without a goodbye",
  1008: ": the page takes it for final and never comes back",
};

export const checks = [
  check("whoever says more than ten things in a second is closed", "Hint 1", async (server) => {
    const ada = await Client.connect(server, "Ada");
    flood(ada);
    await isClosed(ada);
  }),

  check("the code is one after which a page comes back: 1013, try again later", "Hint 2", async (server) => {
    const ada = await Client.connect(server, "Ada");
    flood(ada);
    const { code } = await isClosed(ada);
    expectThat(code === 1013, "the close code 1013", `${code}${meanings[code] ?? ""}`);
  }),

  check("ten things in a second are not too many", "Hint 2", async (server) => {
    const ada = await Client.connect(server, "Ada");
    flood(ada, 10);
    await ada.receivesText("10 of 10");
    await pause(200);
    expectThat(!ada.closed, "Ada to stay after ten messages", ada.describe());
  }),

  check("nor are fourteen in three seconds", "Hint 3", async (server) => {
    const ada = await Client.connect(server, "Ada");
    for (let n = 1; n <= 14; n++) {
      ada.say(`${n} of 14`);
      await pause(200);
      expectThat(
        !ada.closed,
        "Ada, who says five things a second, to stay",
        `${ada.describe()} at the ${n}th`,
      );
    }
  }),

  check("each is counted apart: a room full of people may say more than ten", "Hint 1", async (server) => {
    const people: Client[] = [];
    for (const name of ["Ada", "Grace", "Alan", "Edsger"]) people.push(await Client.connect(server, name));
    for (const person of people) flood(person, 6);
    for (const person of people) {
      await people[0]?.receives("message", ({ from }) => from === person.name, `hear ${person.name}`);
      await pause(50);
      expectThat(!person.closed, `${person.name}, who said six things, to stay`, person.describe());
    }
  }),

  check("the others hear ten of a flood, and stay", "Hint 2", async (server) => {
    const [ada, grace] = [await Client.connect(server, "Ada"), await Client.connect(server, "Grace")];
    flood(ada);
    await isClosed(ada);
    grace.say("Where is Ada?");
    await grace.receivesText("Where is Ada?");
    expectThat(
      said(grace, "Ada") <= 10,
      "at most ten of the thirty to reach Grace",
      `${said(grace, "Ada")} did`,
    );
  }),

  check("whoever comes back may speak again", "Hint 1", async (server) => {
    const ada = await Client.connect(server, "Ada");
    flood(ada);
    await isClosed(ada);
    const again = await Client.connect(server, "Ada");
    again.say("Sorry.");
    await eventually(
      () => again.hasReceived("Sorry."),
      'Ada, back on a new connection, to hear "Sorry."',
      () => again.describe("message"),
    );
  }),
];
