// Exercise 5, Too fast: whoever says more than ten things in a second is closed with 1013, and may come back.
import { expectThat, pause, promise, soon } from "../../shared/machinery/checks/claim.ts";
import { Person } from "../../shared/machinery/checks/talk.ts";

function flood(person: Person, count = 30) {
  for (let n = 1; n <= count; n++) person.says(`${n} of ${count}`);
}

const isClosed = (person: Person) =>
  soon(
    () => person.closed,
    `${person.name}'s connection to be closed after thirty messages at once`,
    () => `it stayed open, and ${said(person, person.name)} of them were heard`,
  );

const said = (person: Person, by: string) =>
  person.heard.filter(({ type, from }) => type === "message" && String(from).startsWith(by)).length;

const meanings: Record<number, string> = {
  1005: ": it was closed without a code",
  1006: ": the connection was ended without a goodbye",
  1008: ": the page takes it for final and never comes back",
};

export const promises = [
  promise("whoever says more than ten things in a second is closed", "Hint 1", async (server) => {
    const ada = await Person.comes(server, "Ada");
    flood(ada);
    await isClosed(ada);
  }),

  promise(
    "the code is one after which a page comes back: 1013, try again later",
    "Hint 2",
    async (server) => {
      const ada = await Person.comes(server, "Ada");
      flood(ada);
      const { code } = await isClosed(ada);
      expectThat(code === 1013, "the close code 1013", `${code}${meanings[code] ?? ""}`);
    },
  ),

  promise("ten things in a second are not too many", "Hint 2", async (server) => {
    const ada = await Person.comes(server, "Ada");
    flood(ada, 10);
    await ada.hearsSaid("10 of 10");
    await pause(200);
    expectThat(!ada.closed, "Ada to stay after ten messages", ada.tale());
  }),

  promise("nor are fourteen in three seconds", "Hint 3", async (server) => {
    const ada = await Person.comes(server, "Ada");
    for (let n = 1; n <= 14; n++) {
      ada.says(`${n} of 14`);
      await pause(200);
      expectThat(!ada.closed, "Ada, who says five things a second, to stay", `${ada.tale()} at the ${n}th`);
    }
  }),

  promise("each is counted apart: a room full of people may say more than ten", "Hint 1", async (server) => {
    const people: Person[] = [];
    for (const name of ["Ada", "Grace", "Alan", "Edsger"]) people.push(await Person.comes(server, name));
    for (const person of people) flood(person, 6);
    for (const person of people) {
      await people[0]?.hears("message", ({ from }) => from === person.name, `hear ${person.name}`);
      await pause(50);
      expectThat(!person.closed, `${person.name}, who said six things, to stay`, person.tale());
    }
  }),

  promise("the others hear ten of a flood, and stay", "Hint 2", async (server) => {
    const [ada, grace] = [await Person.comes(server, "Ada"), await Person.comes(server, "Grace")];
    flood(ada);
    await isClosed(ada);
    grace.says("Where is Ada?");
    await grace.hearsSaid("Where is Ada?");
    expectThat(
      said(grace, "Ada") <= 10,
      "at most ten of the thirty to reach Grace",
      `${said(grace, "Ada")} did`,
    );
  }),

  promise("whoever comes back may speak again", "Hint 1", async (server) => {
    const ada = await Person.comes(server, "Ada");
    flood(ada);
    await isClosed(ada);
    const again = await Person.comes(server, "Ada");
    again.says("Sorry.");
    await soon(
      () => again.heardSaid("Sorry."),
      'Ada, back on a new connection, to hear "Sorry."',
      () => again.tale("message"),
    );
  }),
];
