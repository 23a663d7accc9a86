// Exercise 5, Too fast: a client that sends more than ten messages in a second is closed with 1013, and may return.
import {
  CheckFailed,
  cannotTell,
  check,
  eventually,
  expectForgotten,
  expectThat,
  fasterCheck,
  inBackground,
  longCheck,
  pause,
  slowerCheck,
} from "../../shared/machinery/checks/checks.ts";
import { Client, silentClient } from "../../shared/machinery/checks/client.ts";

function flood(client: Client, count = 30, more = "") {
  for (let n = 1; n <= count; n++) client.say(`${n} of ${count}${more && `, ${more}`}`);
}

const isClosed = (client: Client) =>
  eventually(
    () => client.closed,
    `the server to close ${client.name}'s connection after she sent thirty messages together`,
    () => `it stayed open, and ${receivedFrom("Ada", client)} of them were passed on`,
  );

/** How many messages of somebody a client has received. */
const receivedFrom = (name: string, client: Client) =>
  client.received.filter(({ type, from }) => type === "message" && String(from).startsWith(name)).length;

/** When each of a client's own messages arrived, by the server's clock. */
const timesOf = (client: Client): number[] =>
  client.received.filter(({ type, from }) => type === "message" && from === client.name).map(({ at }) => at);

/** Sends `first` messages together, and two more after a pause. The server must close a client that does so. */
async function isStopped(client: Client, first: number, pauseMs: number) {
  flood(client, first);
  await pause(pauseMs);
  flood(client, 2);
  await client.isUpToDate();
  if (client.closed) return;
  const times = timesOf(client);
  const shortest = Math.min(...times.slice(10).map((time, n) => time - (times[n] ?? 0)));
  // On a busy computer the messages may arrive more slowly than they were sent.
  if (times.length > 10 && shortest > 950) await cannotTell();
  throw new CheckFailed(
    `${client.name}, who sent ${first} messages, and two more ${pauseMs} ms later, to be closed`,
    "the connection stayed open. Count what came in the last second. A count that starts again at fixed times isn't enough, nor is an average",
  );
}

/**
 * Sends ten messages together, and two more 0.9 s after the first. The server must close a client that does so.
 * @returns whether it did: false where this computer was too slow
 */
async function isStoppedLater(client: Client): Promise<boolean> {
  flood(client, 10);
  await client.isUpToDate();
  // The server's clock is this computer's.
  await pause((timesOf(client)[0] ?? 0) + 905 - Date.now());
  flood(client, 2);
  await client.isUpToDate();
  if (client.closed) return true;
  const [first = 0, , , , , , , , , , eleventh = 0] = timesOf(client);
  if (eleventh - first > 980) return false;
  throw new CheckFailed(
    `${client.name}, who sent ten messages together, and two more 0.9 s later, to be closed`,
    "the connection stayed open. A message must count for a whole second, and not for less",
  );
}

/** Says ten things. One second of its server, whose clocks run five times as fast, never contains more than nine. */
async function speaksOn(client: Client) {
  for (let n = 1; n <= 10; n++) {
    client.say(`${n} of 10`);
    await client.isUpToDate();
    await pause(25);
  }
}

/** Sends twelve messages, one every 170 ms. No second contains more than six. */
async function speaksEvenly(client: Client) {
  for (let n = 1; n <= 12; n++) {
    client.say(`${n} of 12`);
    await pause(170);
  }
  await client.isUpToDate();
  const times = timesOf(client);
  // On a busy computer they may arrive together.
  if (client.closed && (times.at(-1) ?? 0) - (times.at(-10) ?? 0) < 1_000) await cannotTell();
  expectThat(
    !client.closed,
    `${client.name}, who sends one message every 170 ms, twelve in all, to stay connected`,
    `${client.describe()}. Messages that are older than a second must not count, even if she never stops for a second`,
  );
}

const meanings: Record<number, string> = {
  1005: ". It was closed without a code",
  1006: ". The connection ended without a close frame",
  1008: ". A page takes that as final and never reconnects",
};

export const checks = [
  check("a client that sends more than ten messages in a second is closed", "Hint 1", async (server) => {
    const ada = await Client.connect(server, "Ada");
    flood(ada);
    await isClosed(ada);
  }),

  check("the code is 1013, try again later, so the page reconnects", "Hint 2", async (server) => {
    const ada = await Client.connect(server, "Ada");
    flood(ada);
    const { code } = await isClosed(ada);
    expectThat(
      code === 1013,
      "the close code 1013 after thirty messages, sent together",
      `${code}${meanings[code] ?? ""}`,
    );
  }),

  check("the connection ends when the page has answered the close frame", "Hint 2", async (server) => {
    const say = { type: "say", from: "Ada", text: "hello" };
    const ada = silentClient(server, ...new Array(30).fill(say));
    // 1013 is 0x03F5: these two bytes are in the close frame, and never in JSON.
    const hasCode = () => ada.hasReceived("\x03\xF5");
    try {
      const expected = "a close frame with 1013 for a client that sent thirty messages together";
      await eventually(
        () => hasCode() || ada.isEnded(),
        expected,
        () => "none came",
      );
      await pause(250);
      expectThat(
        !ada.isEnded(),
        `${expected}, and then an open connection until that client answers`,
        "the server ended the connection before, so a page may miss the code. close() alone is enough: it ends the connection when the page has answered",
      );
    } finally {
      ada.giveUp();
    }
  }),

  check("ten messages in a second are not too many", "Hint 2", async (server) => {
    const ada = await Client.connect(server, "Ada");
    flood(ada, 10);
    await ada.receives(
      "message",
      ({ text }) => text === "10 of 10",
      "receive all of her ten messages, sent together",
    );
    await ada.isUpToDate();
    expectThat(!ada.closed, "Ada to stay connected after ten messages, sent together", ada.describe());
  }),

  check("each client has its own count: four people may send more than ten", "Hint 1", async (server) => {
    const people: Client[] = [];
    for (const name of ["Ada", "Grace", "Alan", "Edsger"]) people.push(await Client.connect(server, name));
    for (const person of people) flood(person, 6);
    for (const person of people) {
      await people[0]?.receives(
        "message",
        ({ from }) => from === person.name,
        `receive a message from ${person.name}`,
      );
      await person.isUpToDate();
      expectThat(
        !person.closed,
        `${person.name} to stay connected. Four people sent six messages each`,
        person.describe(),
      );
    }
  }),

  longCheck("twelve messages in two seconds are not too many either", "Hint 3", async (server) => {
    const [ada, grace] = [await Client.connect(server, "Ada"), await Client.connect(server, "Grace")];
    const evenly = inBackground(speaksEvenly(grace));
    // Six and six, so far apart that no second contains more than six.
    for (const half of ["first", "second"]) {
      flood(ada, 6, `${half} half`);
      await ada.receives(
        "message",
        ({ text }) => text === `6 of 6, ${half} half`,
        `receive the ${half} six of her messages. She sends six together, and six more a second later`,
      );
      await ada.isUpToDate();
      expectThat(
        !ada.closed,
        "Ada, who sends six messages together, and six more a second later, to stay connected",
        `${ada.describe()}, in the ${half} half`,
      );
      if (half === "first") await pause(1_050);
    }
    await evenly;
  }),

  check("a beat isn't a chat message, and doesn't count", "Exercise", async (server) => {
    const ada = await Client.connect(server, "Ada");
    for (let n = 1; n <= 30; n++) ada.send({ type: "beat" });
    ada.say("still here");
    await ada.receives(
      "message",
      ({ text }) => text === "still here",
      "receive her one chat message, sent after thirty beats",
    );
    await ada.isUpToDate();
    expectThat(
      !ada.closed,
      "Ada to stay connected after thirty beats and one chat message, sent together",
      ada.describe(),
    );
  }),

  longCheck("the limit holds for any second, wherever it begins", "Hint 3", async (server) => {
    // They start at different moments. A count that restarts at fixed times misses the flood of at least one. The last one
    // is silent for so long that an average would allow it a flood.
    const stopped = [0, 200, 400, 600, 800, 1_500].map(async (afterMs, n) => {
      const client = await Client.connect(server, `Ada${n}`);
      await pause(afterMs);
      await isStopped(client, 10, 300);
    });
    // Three more send one message first, in case a count starts with it. That second ends between two of their floods.
    const afterOne = [900, 700, 500].map(async (firstMs, n) => {
      const alan = await Client.connect(server, `Alan${n}`);
      alan.say("the first");
      await pause(firstMs);
      await isStopped(alan, 9, 1_100 - firstMs);
    });
    // And three whose second has nearly ended. On a busy computer it may be over before they can send more.
    const later = [0, 150, 300].map(async (afterMs, n) => {
      const grace = await Client.connect(server, `Grace${n}`);
      await pause(afterMs);
      return isStoppedLater(grace);
    });
    const [inTime] = await Promise.all([Promise.all(later), ...stopped, ...afterOne]);
    if (!inTime.some(Boolean)) await cannotTell();
  }),

  check("the others receive ten messages of a flood, and stay connected", "Hint 2", async (server) => {
    const [ada, grace] = [await Client.connect(server, "Ada"), await Client.connect(server, "Grace")];
    flood(ada);
    await isClosed(ada);
    grace.say("Where is Ada?");
    await grace.receivesText("Where is Ada?");
    const count = receivedFrom("Ada", grace);
    expectThat(
      count <= 10,
      "Grace to receive at most ten of the thirty messages that Ada sent",
      `${count} came`,
    );
  }),

  slowerCheck("a client that reconnects may speak again", "Hint 1", async (server) => {
    const ada = await Client.connect(server, "Ada");
    flood(ada);
    await isClosed(ada);
    const again = await Client.connect(server, "Ada");
    again.say("Sorry.");
    await eventually(
      () => again.hasReceived("Sorry."),
      'Ada to receive her own "Sorry." on a new connection, after the first one was closed',
      () => again.describe("message"),
    );
  }),

  check("a client that has left is forgotten, and so is its count", "Hint 1", async (server) => {
    const stay = Array.from({ length: 20 }, (_, n) => Client.connect(server, `Ada${n}`));
    const here = await Promise.all(stay);
    const sayHello = async (client: Client | undefined) => {
      client?.say("hello");
      await client?.isUpToDate();
    };
    await expectForgotten(
      server,
      async (n) => {
        const visitor = await Client.connect(server, `Visitor ${n}`);
        await sayHello(visitor);
        await visitor.leaves();
      },
      "the server to forget clients that connect, say one thing and leave",
      'Keep the count in a variable inside the "connection" listener, or remove it when the client closes. End its timers, too',
      // The log keeps what was said.
      { mayBeKept: (n) => sayHello(here[n % 20]) },
    );
  }),

  fasterCheck(
    "while a client stays, messages older than a second are forgotten",
    "Hint 3",
    async (server) => {
      const comeIn = (names: string[]) => Promise.all(names.map((name) => Client.connect(server, name)));
      const four = await comeIn(["Ada", "Grace", "Alan", "Edsger"]);
      const guests = await comeIn(Array.from({ length: 20 }, (_, n) => `Guest ${n}`));
      await expectForgotten(
        server,
        async (n) => {
          // Every 40th time, four people send ten each. At first they send more often, because the first twenty entries
          // of a list don't count. From 120 on, only Ada sends, but more often: so a list that is cut only now and then
          // has been cut by the end. They don't send their ten together, because a server may count the messages of each
          // tenth of a second.
          if (n % (n < 40 || n >= 120 ? 10 : 40) > 0) return;
          await Promise.all((n < 120 ? four : four.slice(0, 1)).map(speaksOn));
        },
        "the server to forget the times of messages that are older than a second, while four people stay and send eight each second",
        "Remove old times. If you only skip them when you count, there are more and more of them as long as a client stays",
        {
          // The log keeps what was said.
          mayBeKept: async (n) => {
            guests[n % 20]?.say("hello");
            await guests[n % 20]?.isUpToDate();
          },
        },
      );
    },
  ),
];
