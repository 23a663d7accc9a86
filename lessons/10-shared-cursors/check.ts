// Exercise 10, Area of interest: a page that shows a part of the board receives only the pointers in that part.
import {
  check,
  eventually,
  expectForgotten,
  expectThat,
  longCheck,
} from "../../shared/machinery/checks/checks.ts";
import { Client } from "../../shared/machinery/checks/client.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";
import { expectQuiet } from "../../shared/machinery/checks/time.ts";
import { fromBytes, type Position } from "./positions.ts";

const whole = { type: "look", left: 0, top: 0, right: 65_535, bottom: 65_535 };
const leftHalf = { ...whole, right: 32_767 };
const rightHalf = { ...whole, left: 32_768 };
const upperHalf = { ...whole, bottom: 32_767 };

/** Somebody who has joined. */
class Person {
  readonly client: Client;
  readonly id: number;
  #beats = 0;
  /** What came in answer to "look". */
  readonly #answers = new Set<object>();

  private constructor(client: Client, id: number) {
    this.client = client;
    this.id = id;
  }

  static async join(server: LessonServer, name: string, look?: object, wishes = {}): Promise<Person> {
    const client = await Client.connect(server, name);
    client.send({ type: "join", name, ...wishes });
    const { id } = await client.receives("welcome");
    const person = new Person(client, id);
    if (look) await person.looks(look);
    return person;
  }

  /** Sends "look". A server may answer with positions that it remembers. They count for nothing here. */
  async looks(look: object): Promise<void> {
    const before = this.client.received.length;
    this.client.send(look);
    await this.settle();
    for (const answer of this.client.received.slice(before)) this.#answers.add(answer);
  }

  /** When a beat comes back, everything that the server sent before it has arrived, too. */
  async settle(): Promise<void> {
    this.client.send({ type: "beat" });
    this.#beats++;
    await eventually(
      () => this.client.received.filter(({ type }) => type === "beat").length >= this.#beats,
      `${this.client.name} to receive the answer to "beat"`,
      () => this.client.describe(),
    );
  }

  /** All positions of somebody's pointer that have arrived here, as "x y". */
  placesOf({ id }: Person): string[] {
    return this.client.received
      .filter((message) => !this.#answers.has(message))
      .flatMap(({ type, pointers, bytes }): Position[] =>
        type === "binary" ? fromBytes(new Uint8Array(bytes).buffer) : type === "moved" ? pointers : [],
      )
      .filter((position) => position.id === id)
      .map(({ x, y }) => `${x} ${y}`);
  }
}

/** A board with Ada, who moves, and Edsger, who never sends "look", and so receives everything. */
async function board(server: LessonServer) {
  const ada = await Person.join(server, "Ada");
  const edsger = await Person.join(server, "Edsger");
  /** Moves Ada's or Edsger's pointer, and waits until that has been sent to everybody. */
  const moveOf = async (person: Person, x: number, y: number, ...readers: Person[]) => {
    person.client.send({ type: "move", x, y });
    await eventually(
      () => edsger.placesOf(person).includes(`${x} ${y}`),
      `Edsger, who never sent "look", to receive ${person === edsger ? "his own" : "Ada's"} pointer at ${x}, ${y}`,
      () => edsger.client.describe(),
    );
    for (const reader of readers) await reader.settle();
  };
  /** The same with Ada's pointer. */
  const move = (x: number, y: number, ...readers: Person[]) => moveOf(ada, x, y, ...readers);
  return { ada, edsger, move, moveOf };
}

const expectPlaces = (reader: Person, of: Person, expected: string[], why: string) => {
  const places = reader.placesOf(of);
  expectThat(
    places.join() === expected.join(),
    `${reader.client.name} to receive ${expected.length > 0 ? `${of.client.name}'s pointer at ${expected.join(", then ")}` : `no position of ${of.client.name}'s pointer`}. ${why}`,
    places.length > 0 ? `${reader.client.name} received ${places.join(", then ")}` : "nothing came",
  );
};

export const checks = [
  check("a page that shows the left half receives a pointer there", "Hint 1", async (server) => {
    const { ada, move } = await board(server);
    const grace = await Person.join(server, "Grace", leftHalf);
    await ada.looks(leftHalf);
    await move(1_000, 60_000, grace, ada);
    expectPlaces(grace, ada, ["1000 60000"], "She shows the left half, x from 0 to 32767");
    expectPlaces(
      ada,
      ada,
      ["1000 60000"],
      "She shows the left half, too. Her own pointer is treated like the others",
    );
  }),

  check("a page that shows the left half receives no pointer that is elsewhere", "Hint 1", async (server) => {
    const { ada, move } = await board(server);
    const grace = await Person.join(server, "Grace", leftHalf);
    const alan = await Person.join(server, "Alan", upperHalf);
    await move(50_000, 50_000, grace, alan);
    expectPlaces(grace, ada, [], "She shows the left half, and x is 50000");
    expectPlaces(alan, ada, [], "He shows the upper half, and y is 50000");
  }),

  check("each page has a part of its own", "Hint 1", async (server) => {
    const { ada, move } = await board(server);
    const grace = await Person.join(server, "Grace", leftHalf);
    const alan = await Person.join(server, "Alan", rightHalf);
    // What she looks at herself makes no difference to the others.
    await ada.looks({ type: "look", left: 60_000, top: 0, right: 65_535, bottom: 100 });
    await move(1_000, 60_000, grace, alan, ada);
    expectPlaces(grace, ada, ["1000 60000"], "Alan looked at the right half after her");
    expectPlaces(alan, ada, [], "He shows the right half. Grace shows the left one");
    expectPlaces(ada, ada, [], "It is outside her own part. Her own pointer is treated like the others");
  }),

  check("the edges belong to the part", "Hint 1", async (server) => {
    const { ada, edsger, move, moveOf } = await board(server);
    const grace = await Person.join(server, "Grace", {
      type: "look",
      left: 10,
      top: 20,
      right: 30,
      bottom: 40,
    });
    // Each pointer comes from outside: another check tests one that leaves.
    const why = "Her part goes from 10, 20 to 30, 40";
    await move(31, 40, grace);
    await move(30, 40, grace);
    expectPlaces(grace, ada, ["30 40"], why);
    await moveOf(edsger, 10, 19, grace);
    await moveOf(edsger, 10, 20, grace);
    expectPlaces(grace, edsger, ["10 20"], why);
  }),

  check("a pointer that leaves the part is sent once more, and then no longer", "Hint 2", async (server) => {
    const { ada, edsger, move, moveOf } = await board(server);
    const grace = await Person.join(server, "Grace", leftHalf);
    const alan = await Person.join(server, "Alan", leftHalf);
    await move(1_000, 0, grace);
    // Another pointer that was never there must make no difference.
    await moveOf(edsger, 50_000, 7, grace);
    for (const x of [40_000, 50_000, 60_000]) await move(x, 0, grace);
    expectPlaces(
      grace,
      ada,
      ["1000 0", "40000 0"],
      "Without the first position outside, Ada's pointer would stay on Grace's screen. Edsger's pointer, which moved in between, was never in her part",
    );
    await move(2_000, 0, grace);
    expectPlaces(grace, ada, ["1000 0", "40000 0", "2000 0"], "It has come back");
    await grace.client.leaves();
    await move(40_001, 0, alan);
    expectPlaces(
      alan,
      ada,
      ["1000 0", "40000 0", "2000 0", "40001 0"],
      "Grace, who showed the same part, has left. Remember for each page what is on its own screen",
    );
  }),

  check("a pointer that leaves quickly leaves the screen, too", "Hint 2", async (server) => {
    const { ada, move } = await board(server);
    const grace = await Person.join(server, "Grace", leftHalf);
    // Several times: now and then a frame begins between the two moves.
    for (let n = 1; n <= 4; n++) {
      await move(n, 0, grace);
      ada.client.send({ type: "move", x: 40_000 + n, y: 0 });
      await move(50_000 + n, 0, grace);
      const place = grace.placesOf(ada).at(-1);
      expectThat(
        place === `${40_000 + n} 0` || place === `${50_000 + n} 0`,
        "Grace, who shows the left half, to receive one position of Ada's pointer outside it. The pointer made two moves there, in the time of one frame",
        `the last position that she received was ${place}. Remember what each page has on its screen`,
      );
    }
  }),

  check("a page receives only the newest position of a pointer in each frame", "Hint 3", async (server) => {
    const { ada, edsger, move } = await board(server);
    const readers = [
      await Person.join(server, "Grace", leftHalf),
      await Person.join(server, "Alan", leftHalf, { binary: true }),
    ];
    // A few frames at most begin while these arrive.
    for (let x = 1; x < 40; x++) ada.client.send({ type: "move", x, y: 0 });
    await move(40, 0, ...readers, edsger);
    for (const reader of readers) {
      const places = reader.placesOf(ada);
      expectThat(
        places.length <= 20 && places.at(-1) === "40 0",
        `${reader.client.name} to receive only the newest position of Ada's pointer in each frame, 20 frames a second. The pointer made 40 moves within a moment, all in the left half`,
        `${reader.client.name} received ${places.length} positions, and the last one was ${places.at(-1)}`,
      );
    }
  }),

  check("a part applies to every way of receiving, in JSON and in binary", "Hint 3", async (server) => {
    const { ada, move } = await board(server);
    const readers: Person[] = [];
    for (const together of [true, false])
      for (const binary of [true, false])
        readers.push(
          await Person.join(
            server,
            `${together ? "Together" : "Each"}, ${binary ? "binary" : "JSON"}`,
            leftHalf,
            { together, binary },
          ),
        );
    for (const x of [50_000, 1_000, 40_000, 60_000]) await move(x, 0, ...readers);
    for (const reader of readers)
      expectPlaces(reader, ada, ["1000 0", "40000 0"], "The name says how this client receives");
  }),

  check("a frame holds only the pointers that its reader sees", "Hint 3", async (server) => {
    const { ada, edsger, move } = await board(server);
    const readers = [
      await Person.join(server, "Grace", leftHalf),
      await Person.join(server, "Alan", leftHalf, { binary: true }),
    ];
    // Several times: now and then a frame begins between the two moves.
    for (let n = 1; n <= 5; n++) {
      edsger.client.send({ type: "move", x: n, y: 7 });
      await move(50_000 + n, 0, ...readers);
      for (const reader of readers)
        await eventually(
          () => reader.placesOf(edsger).includes(`${n} 7`),
          `${reader.client.name}, who shows the left half, to receive Edsger's pointer at ${n}, 7`,
          () => reader.client.describe("moved"),
        );
    }
    for (const reader of readers)
      expectPlaces(reader, ada, [], "It moved on the right, at the same time as Edsger's on the left");
  }),

  check("a page receives nothing while pointers move only outside its part", "Hint 2", async (server) => {
    const { move } = await board(server);
    const grace = await Person.join(server, "Grace", leftHalf);
    const alan = await Person.join(server, "Alan", leftHalf, { binary: true });
    for (const x of [50_000, 50_001, 50_002]) await move(x, 0, grace, alan);
    for (const { client } of [grace, alan]) {
      const frames = client.received.filter(({ type }) => type === "moved" || type === "binary");
      expectThat(
        frames.length === 0,
        `no message to ${client.name} while pointers move outside the left half`,
        `${frames.length} came, and the first one was ${frames[0]?.bytes ? `binary, with ${frames[0].bytes.length} bytes` : JSON.stringify(frames[0])}`,
      );
    }
  }),

  check("a page may look elsewhere at any time, and at the whole board again", "Hint 3", async (server) => {
    const { ada, move } = await board(server);
    const grace = await Person.join(server, "Grace", leftHalf);
    await move(50_000, 0, grace);
    await grace.looks(rightHalf);
    await move(50_001, 0, grace);
    expectPlaces(grace, ada, ["50001 0"], "She showed the left half first, and then the right one");
    await grace.looks(whole);
    for (const x of [1_000, 60_000]) await move(x, 0, grace);
    expectPlaces(grace, ada, ["50001 0", "1000 0", "60000 0"], "She shows the whole board now");
  }),

  check("a page that looks again still receives a pointer that leaves", "Hint 3", async (server) => {
    const { ada, move } = await board(server);
    const grace = await Person.join(server, "Grace", leftHalf);
    await move(1_000, 0, grace);
    await grace.looks(leftHalf);
    await move(50_000, 0, grace);
    expectPlaces(
      grace,
      ada,
      ["1000 0", "50000 0"],
      "She sent the same look again while Ada's pointer was in her part",
    );
    await grace.looks(whole);
    await move(2_000, 0, grace);
    await grace.looks({ ...leftHalf, bottom: 32_767 });
    for (const y of [60_000, 60_001]) await move(2_000, y, grace);
    expectPlaces(
      grace,
      ada,
      ["1000 0", "50000 0", "2000 0", "2000 60000"],
      "She looked at the whole board, and then at the upper left quarter. Ada's pointer was in both, and left the quarter",
    );
  }),

  check("a page that has unread data is left out until it has read it", "Hint 1", async (server) => {
    const { ada, move } = await board(server);
    const grace = await Person.join(server, "Grace", leftHalf);
    const alan = await Person.join(server, "Alan");
    await move(1_000, 0, grace);
    // Without a debugger this can't be checked: some computers don't allow one.
    if (!(await server.holdBack(grace.client.port))) return expectQuiet();
    ada.client.send({ type: "ripple", n: 1, x: 1, y: 1 }); // an event, so it waits for her
    for (let x = 1_001; x <= 1_008; x++) await move(x, 0);
    await move(50_000, 0);
    await eventually(
      () => alan.placesOf(ada).includes("50000 0"),
      "Alan to receive Ada's pointer at 50000, 0. Only Grace has unread data, so only she is left out",
      () => alan.client.describe(),
    );
    await server.holdBack(grace.client.port, "again");
    await grace.settle();
    const places = grace.placesOf(ada).slice(1);
    expectThat(
      places.length <= 2,
      "Grace to be left out while she has unread data. Ada's pointer moved nine times in the meantime",
      `when Grace read again, she received ${places.join(", then ")}. Keep the condition on client.bufferedAmount`,
    );
    await move(50_001, 0, grace);
    const last = grace.placesOf(ada).at(-1) ?? "";
    expectThat(
      last.startsWith("50"),
      "Grace, who shows the left half, to receive a position of Ada's pointer outside it. The pointer left while she had unread data",
      `the last position that she received was ${last}`,
    );
  }),

  check("a page that joins again, with another name, keeps its part", "Hint 3", async (server) => {
    const { ada, move } = await board(server);
    const grace = await Person.join(server, "Grace", leftHalf);
    await move(1_000, 0, grace);
    grace.client.send({ type: "join", name: "Radia" });
    await grace.settle();
    for (const x of [40_000, 50_000]) await move(x, 0, grace);
    expectPlaces(
      grace,
      ada,
      ["1000 0", "40000 0"],
      "She shows the left half. While Ada's pointer was there, she sent another join. It left after that",
    );
  }),

  check("ripples and names reach everybody, wherever they look", "Exercise", async (server) => {
    const { ada } = await board(server);
    const grace = await Person.join(server, "Grace", leftHalf);
    ada.client.send({ type: "ripple", n: 1, x: 50_000, y: 50_000 });
    await grace.client.receives(
      "ripple",
      ({ id }) => id === ada.id,
      "receive Ada's ripple: an event is for everybody",
    );
    await Person.join(server, "Hedy");
    await grace.client.receives(
      "here",
      ({ people }) => people.some(({ name }: { name: string }) => name === "Hedy"),
      "receive Hedy's name: names are for everybody",
    );
  }),

  longCheck("a page that has left is forgotten, and so is what it looked at", "Hint 3", async (server) => {
    // Ada stays, and sees them all.
    const ada = await Person.join(server, "Ada", leftHalf);
    await expectForgotten(
      server,
      async () => {
        const visitor = await Person.join(server, "Visitor", leftHalf);
        visitor.client.send({ type: "move", x: 5, y: 5 });
        ada.client.send({ type: "move", x: 7, y: 7 });
        await eventually(
          () => ada.placesOf(visitor).length > 0,
          "Ada, who stays, to receive the pointer of each visitor",
          () => ada.client.describe(),
        );
        await eventually(
          () => visitor.placesOf(ada).length > 0,
          "each visitor to receive Ada's pointer",
          () => visitor.client.describe(),
        );
        await visitor.client.leaves();
      },
      "the server to forget clients that join, look at a part, move and leave, while Ada stays and sees them",
      "Remove a client from every Map when it closes, and its id from what the server keeps for the others",
    );
  }),
];
