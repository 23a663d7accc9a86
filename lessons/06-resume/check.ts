// Exercise 6, Ghosts: when a page connects again, the server ends the page's older socket.
import {
  cannotTell,
  check,
  eventually,
  expectForgotten,
  expectThat,
  longCheck,
  pause,
} from "../../shared/machinery/checks/checks.ts";
import { Client, silentClient } from "../../shared/machinery/checks/client.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";
import { expectQuiet } from "../../shared/machinery/checks/time.ts";

/** Somebody who connects and resumes as `page`, or without a page's name. */
async function comes(server: LessonServer, name: string, page?: string): Promise<Client> {
  const person = await Client.connect(server, name);
  person.send({ type: "resume", after: 0, page });
  await person.receives("replay");
  return person;
}

/** The server ends an older socket before it answers the newer one. So its end must have arrived here a few answers later. */
async function expectEnded(isEnded: () => unknown, newer: Client, expected: string, happened: string) {
  for (let n = 1; n <= 4 && !isEnded(); n++) await newer.isUpToDate();
  expectThat(Boolean(isEnded()), expected, happened);
}

const isEnded = (ghost: Client, newer: Client, happened = "it stayed open") =>
  expectEnded(
    () => ghost.closed,
    newer,
    `${ghost.name}'s older socket to be ended as soon as the same page sends resume on a new one`,
    happened,
  );

async function staysAndReceives(person: Client, speaker: Client, text: string) {
  // A server that ends this socket does so soon after a page has come.
  await pause(100);
  await person.isUpToDate();
  const beside = speaker === person ? "" : ` while ${speaker.name} is connected, too`;
  expectThat(!person.closed, `${person.name}'s newest connection to stay open${beside}`, person.describe());
  speaker.say(text);
  await person.receivesText(text);
}

/** @returns when the server took it: milliseconds of its clock */
async function says(person: Client, text: string): Promise<number> {
  person.say(text);
  return (await person.receives("message", (message) => message.text === text)).at;
}

export const checks = [
  check("when a page connects again, its older socket is ended", "Hint 1", async (server) => {
    const ghost = await comes(server, "Ada", "ada1");
    await isEnded(ghost, await comes(server, "Ada", "ada1"));
  }),

  check("an older socket is ended even if another page came in between", "Hint 1", async (server) => {
    const ghost = await comes(server, "Ada", "ada1");
    await comes(server, "Grace", "grace1");
    await isEnded(
      ghost,
      await comes(server, "Ada", "ada1"),
      "it stayed open, since Grace's page had come in between. Remember a socket for each page",
    );
  }),

  check("two pages don't end each other's sockets", "Hint 1", async (server) => {
    const [ada, grace] = [await comes(server, "Ada", "ada1"), await comes(server, "Grace", "grace1")];
    await staysAndReceives(ada, grace, "Hello, Ada");
    await staysAndReceives(grace, ada, "Hello, Grace");
  }),

  check("the new socket stays, and receives what is said", "Hint 1", async (server) => {
    await comes(server, "Ada", "ada1");
    const ada = await comes(server, "Ada", "ada1");
    await staysAndReceives(ada, await comes(server, "Grace", "grace1"), "Is Ada back?");
    ada.send({ type: "resume", after: 0, page: "ada1" });
    await ada.isUpToDate();
    expectThat(
      !ada.closed,
      "Ada's socket to stay open after a second resume on it, which is refused",
      `${ada.describe()}. It isn't an older socket, but the same one. Put your code below the lines that refuse a second resume`,
    );
  }),

  check("a socket that no longer answers is ended, too", "Hint 2", async (server) => {
    const grace = await comes(server, "Grace", "grace1");
    const ghost = silentClient(server, { type: "resume", after: 0, page: "ada1" });
    const hasResumed = () => ghost.hasReceived('"replay"');
    await eventually(hasResumed, "a replay for a socket that resumed as ada1", () => "none came");
    const expected = "a half-open socket to be ended as soon as its page sends resume on a new one";
    try {
      const before = await says(grace, "Is Ada back?");
      const ada = await comes(server, "Ada", "ada1");
      const after = await says(ada, "Here I am");
      await expectEnded(
        ghost.isEnded,
        ada,
        expected,
        "it was still open: the server waits for an answer that never comes",
      );
      const isLater = ghost.hasReceived("Here I am");
      expectThat(!isLater, expected, "it was ended later: it still received what Ada said after that");
      // On a slow computer, a server that ends the socket later may have done so before Ada spoke.
      if (after - before > 300) await cannotTell();
    } finally {
      ghost.giveUp();
    }
  }),

  check("a socket that still waits for the rest of its replay is ended, too", "Hint 1", async (server) => {
    const grace = await comes(server, "Grace", "grace1");
    for (let n = 1; n <= 60; n++) grace.say(`${n} of 60`);
    await grace.receivesText("60 of 60");
    const ghost = await Client.connect(server, "Ada");
    // From now on, nothing gets through to it. Without a debugger this can't be checked: some computers don't allow one.
    if (!(await server.holdBack(ghost.port))) return expectQuiet();
    ghost.send({ type: "resume", after: 0, page: "ada1" });
    ghost.say("Can you hear me?");
    await grace.receivesText("Can you hear me?");
    await isEnded(
      ghost,
      await comes(server, "Ada", "ada1"),
      "it stayed open. It had received only a part of 60 messages, so it wasn't live yet. Remember a socket as soon as it resumes",
    );
  }),

  check("the end of the old socket changes nothing for the new one", "Hint 3", async (server) => {
    const first = await comes(server, "Ada", "ada1");
    const second = await comes(server, "Ada", "ada1");
    await isEnded(first, second);
    await pause(100);
    const third = await comes(server, "Ada", "ada1");
    await isEnded(second, third, "the third connection didn't end the second");
    await staysAndReceives(third, third, "Third time lucky");
  }),

  check("a page may have any name, even constructor", "Hint 1", async (server) => {
    const grace = await comes(server, "Grace", "grace1");
    for (const page of ["constructor", "toString"]) {
      const ghost = await comes(server, "Ada", page);
      const ada = await comes(server, "Ada", page);
      await isEnded(ghost, ada);
      await staysAndReceives(ada, grace, `Hello, ${page}`);
    }
  }),

  check("clients that send no page stay connected", "Hint 1", async (server) => {
    const [ada, grace] = [await comes(server, "Ada"), await comes(server, "Grace")];
    await staysAndReceives(ada, grace, "We have no names");
    await staysAndReceives(grace, ada, "None at all");
  }),

  check("a page that has left can come back", "Hint 3", async (server) => {
    const before = await comes(server, "Ada", "ada1");
    await before.leaves();
    await pause(50);
    const ada = await comes(server, "Ada", "ada1");
    await staysAndReceives(ada, ada, "Back again");
  }),

  longCheck("a page that has left is forgotten, and so is its socket", "Hint 3", async (server) => {
    await expectForgotten(
      server,
      async (n) => {
        const ghost = await comes(server, "Visitor", `visitor${n}`);
        const visitor = await comes(server, "Visitor", `visitor${n}`);
        await isEnded(ghost, visitor);
        await visitor.leaves();
      },
      "the server to forget pages that connect once and leave",
      "Delete the page when its newest socket closes",
    );
  }),
];
