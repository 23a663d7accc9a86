// Exercise 4, Rooms: a client that connects to /?room=tea receives what is said in that room, and nothing else.
import {
  cannotTell,
  check,
  expectForgotten,
  expectThat,
  fasterCheck,
  longCheck,
  pause,
  withCommas,
} from "../../shared/machinery/checks/checks.ts";
import { Client } from "../../shared/machinery/checks/client.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";

const tea = "/?room=tea";
const coffee = "/?room=coffee";

/** Names that somebody might give to the room of clients that don't name one. */
const likelyNames = [
  ...["undefined", "null", "main", "default", "lobby", "general", "all", "everyone", "everybody", "public"],
  ...["common", "shared", "global", "none", "no-room", "hall", "home", "chat", "room", "0", "1"],
];

const atTea = (server: LessonServer) =>
  Promise.all([Client.connect(server, "Ada", tea), Client.connect(server, "Grace", tea)]);

export const checks = [
  check("a message said in a room is received in that room", "Hint 1", async (server) => {
    const [ada, grace] = await atTea(server);
    ada.say("milk or lemon?");
    await ada.receives(
      "message",
      ({ text }) => text === "milk or lemon?",
      'receive "milk or lemon?", which she said herself',
    );
    await grace.receivesText("milk or lemon?");
  }),

  check("everyone receives the same message, with the same id", "Why", async (server) => {
    const people = await atTea(server);
    people[0].say("milk or lemon?");
    const ids: number[] = [];
    for (const person of people)
      ids.push((await person.receives("message", ({ text }) => text === "milk or lemon?")).id);
    expectThat(
      ids[0] === ids[1],
      "Ada and Grace to receive one message, with one id",
      `it had the id ${ids[0]} for Ada and ${ids[1]} for Grace: the log holds it more than once`,
    );
    people[1].say("both");
    const { id } = await people[0].receives("message", ({ text }) => text === "both");
    expectThat(
      id !== ids[0],
      "another id for Grace's answer. A page shows only one message with each id",
      `both messages have the id ${id}. A room needs one log, and not one for each client`,
    );
  }),

  check(
    "the greeting goes to the client that has just connected, and to nobody else",
    "Why",
    async (server) => {
      const people = await atTea(server);
      people[0].say("milk or lemon?");
      for (const person of people) {
        await person.receivesText("milk or lemon?");
        const greetings = person.received.filter(({ type }) => type === "greeting").length;
        expectThat(
          greetings === 1,
          `one greeting for ${person.name}, when she connects`,
          greetings === 0
            ? "she received none"
            : `she received ${greetings}. Send each greeting to the new client only`,
        );
      }
    },
  ),

  check("a message said in a room is received in no other room", "Hint 2", async (server) => {
    const ada = await Client.connect(server, "Ada", tea);
    const others = [await Client.connect(server, "Alan", coffee), await Client.connect(server, "Edsger")];
    ada.say("milk or lemon?");
    await ada.receivesText("milk or lemon?");
    for (const other of others) {
      other.say(`${other.name} speaks`);
      await other.receivesText(`${other.name} speaks`);
      expectThat(
        !other.hasReceived("milk or lemon?"),
        'only clients in the room "tea" to receive what Ada says there',
        `${other.name} received it ${other.name === "Alan" ? 'in the room "coffee"' : "without having named a room"}`,
      );
    }
    expectThat(
      !ada.hasReceived("Alan speaks") && !ada.hasReceived("Edsger speaks"),
      'nobody in the room "tea" to receive what is said outside of it',
      "Ada received it there",
    );
  }),

  check("typing reaches the others in the room, and nobody else", "Hint 2", async (server) => {
    const [ada, grace] = await atTea(server);
    const [alan, edsger] = [
      await Client.connect(server, "Alan", coffee),
      await Client.connect(server, "Edsger"),
    ];
    ada.send({ type: "typing", from: "Ada" });
    await grace.receives("typing", ({ from }) => from === "Ada", 'receive "typing" in Ada\'s room');
    const hasTyping = (client: Client, name = "Ada") =>
      client.received.some(({ type, from }) => type === "typing" && from === name);
    for (const other of [alan, edsger]) {
      other.say(`${other.name} speaks`);
      await other.receivesText(`${other.name} speaks`);
      expectThat(
        !hasTyping(other),
        'only clients in the room "tea" to receive "typing" from Ada, who is there',
        `${other.name} received it ${other.name === "Alan" ? 'in the room "coffee"' : "without having named a room"}`,
      );
    }
    expectThat(
      !hasTyping(ada),
      '"typing" to reach everyone in the room except Ada, who is typing',
      "Ada received it too",
    );
    const radia = await Client.connect(server, "Radia");
    edsger.send({ type: "typing", from: "Edsger" });
    const what = 'receive "typing" from Edsger. Neither of them has named a room';
    await radia.receives("typing", ({ from }) => from === "Edsger", what);
    for (const other of [ada, alan]) {
      other.say(`${other.name} speaks again`);
      await other.receivesText(`${other.name} speaks again`);
      expectThat(
        !hasTyping(other, "Edsger"),
        'only clients that name no room to receive "typing" from Edsger, who named none',
        `${other.name} received it in the room "${other === ada ? "tea" : "coffee"}"`,
      );
    }
  }),

  check("presence counts the clients in the same room", "Hint 3", async (server) => {
    // They arrive together, so that all rooms change within 50 ms.
    const [ada, grace, alan, edsger] = await Promise.all([
      Client.connect(server, "Ada", tea),
      Client.connect(server, "Grace", tea),
      Client.connect(server, "Alan", coffee),
      Client.connect(server, "Edsger"),
    ]);
    const receives = (client: Client, count: number) =>
      client.receives(
        "presence",
        ({ here }) => here === count,
        `receive "presence" with "here":${count}. Ada and Grace are in the room "tea", Alan is in "coffee", and Edsger named no room`,
      );
    await receives(grace, 2);
    await receives(alan, 1);
    await receives(edsger, 1);
    // The server sends this at most twenty times a second, so by now it has sent everything.
    await pause(150);
    for (const [client, count, where] of [
      [ada, 2, 'in the room "tea" with Grace'],
      [alan, 1, 'alone in the room "coffee"'],
      [edsger, 1, "the only one who named no room"],
    ] as const) {
      const numbers = client.received.filter(({ type }) => type === "presence").map(({ here }) => here);
      expectThat(
        numbers.at(-1) === count && Math.max(...numbers) === count,
        `"here":${count} as the last and the highest number for ${client.name}, who is ${where}`,
        `${client.name} received ${numbers.join(", then ")}`,
      );
    }
    grace.close();
    await ada.receives(
      "presence",
      (message) => message === ada.received.findLast(({ type }) => type === "presence") && message.here === 1,
      'receive "presence" with "here":1 after Grace has left',
    );
  }),

  check("fifty clients that arrive together cause only a few messages", "Hint 3", async (server) => {
    let [tookMs, times, allowed] = [0, 0, Number.POSITIVE_INFINITY];
    // On a busy computer they don't arrive together. Then fifty more try, in another room.
    for (let n = 1; n <= 3 && allowed > 25; n++) {
      const party = `/?room=party-${n}`;
      const ada = await Client.connect(server, "Ada", party);
      const began = performance.now();
      const guests = Array.from({ length: 50 }, (_, nth) => Client.connect(server, `Guest ${nth}`, party));
      const came = await Promise.all(guests);
      await ada.receives("presence", ({ here }) => here === 51, 'receive "presence" with "here":51');
      // A server that doesn't gather may send most of them a little later, and all of them before it reads this.
      await pause(100);
      ada.say("Are we all here?");
      await ada.receivesText("Are we all here?");
      tookMs = Math.round(performance.now() - began);
      times = ada.received.filter(({ type }) => type === "presence").length;
      allowed = 4 + tookMs / 50;
      await Promise.all([ada, ...came].map((client) => client.leaves()));
    }
    if (times <= allowed && allowed > 25) await cannotTell();
    expectThat(
      times <= allowed,
      `at most ${Math.floor(allowed)} presence messages for Ada while fifty clients connect in ${withCommas(tookMs)} ms: one every 50 ms`,
      `she received ${times}. Gather the changes, as presenceChanged did before`,
    );
  }),

  check("clients that don't name a room share one", "Hint 2", async (server) => {
    const [ada, grace] = [await Client.connect(server, "Ada"), await Client.connect(server, "Grace")];
    ada.say("in the hall");
    await grace.receivesText("in the hall");
    // If the shared room had a name, a client could enter it by that name.
    const enter = async (room: string) => {
      const alan = await Client.connect(server, "Alan", `/?room=${room}`);
      alan.say(`in the room ${room}`);
      await alan.receivesText(`in the room ${room}`);
      expectThat(
        !ada.hasReceived(`in the room ${room}`),
        "clients that name no room to share a room that has no name",
        `a client that connected to /?room=${room} reached them, so their room has that name`,
      );
    };
    await Promise.all(likelyNames.map(enter));
  }),

  fasterCheck("the server's tick reaches every room", "Hint 3", async (server) => {
    const people = [
      await Client.connect(server, "Ada", tea),
      await Client.connect(server, "Alan", coffee),
      await Client.connect(server, "Edsger"),
    ];
    const grace = await Client.connect(server, "Grace", tea);
    for (const person of [...people, grace])
      await person.receives("tick", () => true, "receive the tick", 2_000);
    // Everything sent together with the tick has arrived before this.
    grace.say("Did you get that?");
    await grace.receivesText("Did you get that?");
    const times: number[] = grace.received.filter(({ type }) => type === "tick").map(({ at }) => at);
    expectThat(
      times.every((at, n) => n === 0 || at - (times[n - 1] ?? 0) > 100),
      'one tick at a time for Grace, who is in the room "tea" with Ada',
      `she received ${times.length} of them together. Send the tick once for each room, and not once for each client`,
    );
  }),

  check("the room is found in any query: /?lang=en&room=tea&big", "Hint 1", async (server) => {
    const ada = await Client.connect(server, "Ada", tea);
    // %65 is the letter e.
    for (const path of ["/?lang=en&room=tea&big", "/?room=tea&lang=en", "/?room=t%65a"]) {
      const grace = await Client.connect(server, "Grace", path);
      ada.say(`to ${path}`);
      await grace.receives(
        "message",
        ({ text }) => text === `to ${path}`,
        `receive what Ada says in the room "tea". Grace is connected to ${path}, which is the same room`,
      );
    }
    const bare = await Client.connect(server, "Alan", "/?classroom=tea");
    const edsger = await Client.connect(server, "Edsger");
    edsger.say("no room here");
    await bare.receives(
      "message",
      ({ text }) => text === "no room here",
      "receive what Edsger says, who names no room. Alan is connected to /?classroom=tea, which names none either",
    );
  }),

  check("a room may have any name, even constructor and __proto__", "Hint 3", async (server) => {
    const pathTo = (room: string) => `/?room=${encodeURIComponent(room)}`;
    const similar = await Promise.all(
      ["Tea", "tea ☕", "茶"].map(async (room) => ({
        room,
        alan: await Client.connect(server, "Alan", pathTo(room)),
      })),
    );
    for (const room of ["constructor", "__proto__", "Kaffee und Kuchen ☕", "tea", "咖啡"]) {
      const path = pathTo(room);
      const [ada, grace] = [
        await Client.connect(server, "Ada", path),
        await Client.connect(server, "Grace", path),
      ];
      ada.say(`in ${room}`);
      await grace.receivesText(`in ${room}`);
    }
    // This isn't the encoding of any name. The server must go on, whichever room that is.
    await Client.connect(server, "Radia", "/?room=%E2%98");
    for (const { room, alan } of similar) {
      alan.say("Alan speaks");
      await alan.receivesText("Alan speaks");
      for (const other of ["tea", "咖啡"])
        expectThat(
          !alan.hasReceived(`in ${other}`),
          `nobody in the room "${room}" to receive what is said in the room "${other}"`,
          "Alan received it. Compare the names of rooms as they are",
        );
    }
  }),

  longCheck(
    "a room that is empty is forgotten, and so are the clients that left",
    "Hint 3",
    async (server) => {
      const ada = await Client.connect(server, "Ada", tea);
      await expectForgotten(
        server,
        async (n) => {
          const visitor = await Client.connect(server, `Visitor ${n}`, `/?room=${n}`);
          visitor.say("hello");
          await visitor.receivesText("hello");
          await visitor.leaves();
        },
        "the server to forget clients that connect, each to a room of its own, say one thing and leave",
        "Remove a client from every Set and Map when it closes, and a room when its last client leaves",
        {
          // The log keeps what was said.
          mayBeKept: async (n) => {
            ada.say(`hello ${n}`);
            await ada.receivesText(`hello ${n}`);
          },
        },
      );
    },
  ),
];
