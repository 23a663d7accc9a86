// Exercise 6, Still Ada: a page that is away for a moment keeps its name, and nobody else gets it meanwhile.
import { check, expectThat, pause } from "../../shared/machinery/checks/checks.ts";
import { Client } from "../../shared/machinery/checks/client.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";

/** Somebody who connects and resumes, as a page does; without `page`, as one that does not say which it is. */
async function comes(server: LessonServer, name: string, page?: string): Promise<Client> {
  const person = await Client.connect(server, name);
  person.send({ type: "resume", after: 0, page });
  await person.receives("replay");
  return person;
}

let said = 0;

/** Says something as Ada, and tells under which name it stands in Grace's list. */
async function nameOf(person: Client, grace: Client): Promise<string> {
  const text = `I am Ada, ${++said}`;
  person.send({ type: "say", from: "Ada", text });
  const { from } = await grace.receives("message", (message) => message.text === text, `hear "${text}"`);
  return from;
}

async function expectName(name: string, person: Client, grace: Client, why: string) {
  const from = await nameOf(person, grace);
  expectThat(from === name, `"from":"${name}": ${why}`, `it was "from":"${from}"`);
}

/** Leaves, and the server has had time to see it. */
async function leaves(person: Client) {
  person.close();
  await pause(300);
}

const people = async (server: LessonServer) => ({
  grace: await comes(server, "Grace", "grace1"),
  ada: await comes(server, "Ada", "ada1"),
});

export const checks = [
  check("while Ada is away for two seconds, nobody else gets her name", "Hint 1", async (server) => {
    const { grace, ada } = await people(server);
    await nameOf(ada, grace);
    ada.close();
    await pause(2_000);
    const why = "two seconds are not three, and Ada's page may come back";
    await expectName("Ada (2)", await comes(server, "Ada", "other1"), grace, why);
  }),

  check("whoever comes back is called what it was called before", "Hint 1", async (server) => {
    const { grace, ada } = await people(server);
    await nameOf(ada, grace);
    await leaves(ada);
    await nameOf(await comes(server, "Ada", "other1"), grace);
    await expectName("Ada", await comes(server, "Ada", "ada1"), grace, "the page ada1 had that name before");
  }),

  check("a page that comes back over its old socket keeps its name, too", "Hint 2", async (server) => {
    const { grace, ada } = await people(server);
    await nameOf(ada, grace);
    // The old socket still stands: the server has not noticed that the network was gone.
    await comes(server, "Ada", "ada1");
    await pause(3_700);
    await expectName("Ada (2)", await comes(server, "Ada", "other1"), grace, "Ada is here, on a new socket");
  }),

  check("somebody else does not become Ada by coming in her place", "Hint 1", async (server) => {
    const { grace, ada } = await people(server);
    await nameOf(ada, grace);
    const other = await comes(server, "Ada", "other1");
    await expectName("Ada (2)", other, grace, "Ada is here, and other1 is another page");
  }),

  check("whoever stays away gives the name up: after four seconds it is free", "Hint 3", async (server) => {
    const { grace, ada } = await people(server);
    await nameOf(ada, grace);
    ada.close();
    await pause(4_000);
    await expectName("Ada", await comes(server, "Ada", "other1"), grace, "nobody has come back for it");
  }),

  check("whoever came back in time keeps the name, also after that", "Hint 3", async (server) => {
    const { grace, ada } = await people(server);
    await nameOf(ada, grace);
    await leaves(ada);
    await comes(server, "Ada", "ada1");
    await pause(3_700);
    await expectName("Ada (2)", await comes(server, "Ada", "other1"), grace, "Ada came back, and is here");
  }),

  check("a socket that never told its page gives its name back at once", "Hint 2", async (server) => {
    const grace = await comes(server, "Grace", "grace1");
    const stranger = await comes(server, "Ada");
    await nameOf(stranger, grace);
    await leaves(stranger);
    await expectName("Ada", await comes(server, "Ada", "other1"), grace, "nobody could come back for it");
  }),
];
