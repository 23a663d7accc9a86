// Exercise 11, A vote: when at least half of the pages that are here have voted to skip, the next track plays.
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

/** Somebody who has joined. `page` is the page's own name: the same for two connections of one page. */
async function join(server: LessonServer, name: string, page?: string): Promise<Client> {
  const client = await Client.connect(server, name);
  client.send({ type: "join", name, ...(page !== undefined && { page }) });
  await client.receives("welcome");
  return client;
}

const names = ["Ada", "Grace", "Alan", "Edsger", "Radia"];

/** `count` people, each with a page of their own: Ada's page is "page1", Grace's "page2". */
async function people(server: LessonServer, count: number) {
  const all: Client[] = [];
  for (const name of names.slice(0, count)) all.push(await join(server, name, `page${all.length + 1}`));
  return all as [Client, Client, Client, Client, Client];
}

const vote = async (client: Client, track = 0) => {
  client.send({ type: "vote", track });
  await client.isUpToDate();
};

/** The last state that has arrived. */
const stateOf = ({ received }: Client) =>
  received.findLast(({ type }) => type === "state") ?? received.find(({ type }) => type === "welcome");
const trackOf = (client: Client) => stateOf(client).track as number;
const name = (track: number) => `track ${track + 1}`;

/** Longer than a server takes that counts votes a moment later, in ms. */
const soonMs = 600;

const expectTrack = (client: Client, track: number, why: string) =>
  eventually(
    () => trackOf(client) === track,
    `${client.name} to receive a state with ${name(track)}. ${why}`,
    () => {
      const nameless = client.received.find(
        ({ type, revision }) => type === undefined && revision !== undefined,
      );
      return nameless
        ? `a message without "type" came: ${JSON.stringify(nameless)}`
        : `it is still ${name(trackOf(client))}`;
    },
    soonMs,
  );

/** Some servers count votes a moment later. This waits until they have. */
async function expectStill(client: Client, track: number, why: string) {
  const { revision } = stateOf(client);
  await pause(150);
  await client.isUpToDate();
  const skips = stateOf(client).revision - revision;
  expectThat(
    trackOf(client) === track && skips === 0,
    `${name(track)} to play on. ${why}`,
    skips > 1 ? `it was skipped again and again, ${skips} times` : `${name(trackOf(client))} was played`,
  );
}

/** Waits for {"type":"votes","votes":1,"needed":2}, as the last one that has arrived. */
const expectVotes = (client: Client, votes: number, needed: number, why: string) =>
  eventually(
    () => {
      const last = client.received.findLast(({ type }) => type === "votes");
      return last?.votes === votes && last.needed === needed;
    },
    `${client.name} to receive {"type":"votes","votes":${votes},"needed":${needed}}. ${why}`,
    () => client.describe("votes"),
    soonMs,
  );

const countOf = (client: Client) => client.received.filter(({ type }) => type === "votes").length;

export const checks = [
  check("when half of the people have voted, the next track plays", "Hint 1", async (server) => {
    const [ada, grace, alan] = await people(server, 4);
    await vote(ada);
    await vote(grace);
    for (const client of [ada, alan]) await expectTrack(client, 1, "Ada and Grace have voted, two of four");
  }),

  check("less than half is not enough", "Hint 1", async (server) => {
    const [ada, grace] = await people(server, 3);
    await vote(ada);
    await expectStill(grace, 0, "Ada has voted, one of three");
    await vote(grace);
    await expectTrack(ada, 1, "Ada and Grace have voted, two of three");
  }),

  check("somebody who is alone can skip a track alone", "Hint 1", async (server) => {
    const [ada] = await people(server, 1);
    await expectStill(ada, 0, "Nobody has voted");
    await vote(ada);
    await expectTrack(ada, 1, "Ada has voted, one of one");
    const { revision } = stateOf(ada);
    await ada.leaves();
    await pause(100);
    const skips = stateOf(await join(server, "Grace")).revision - revision;
    expectThat(
      skips <= 0,
      "track 2 to play on while nobody is here. Nobody has voted to skip it",
      `when Grace came, it had been skipped, and the revision was higher by ${skips}. No votes are at least half of no pages`,
    );
  }),

  check("somebody who votes again, or takes another name, has one vote", "Hint 1", async (server) => {
    const [ada, grace] = await people(server, 4);
    for (let n = 0; n < 2; n++) await vote(ada);
    ada.send({ type: "join", name: "Hedy", page: "page1" });
    await expectStill(grace, 0, "Ada has voted twice, and then taken another name. Her page is one of four");
    await vote(grace);
    await expectTrack(
      ada,
      1,
      "Ada has voted twice and then taken another name, and Grace has voted: two of four. Neither a second vote nor a new name takes a vote back",
    );
  }),

  check("a vote makes a new state, as Next does", "Hint 1", async (server) => {
    const [ada, grace] = await people(server, 2);
    ada.send({ type: "play", revision: 0 });
    await grace.receives("state", ({ revision }) => revision === 1, "receive what Ada has pressed");
    await vote(ada);
    await expectTrack(grace, 1, "Ada has voted, one of two");
    const { revision, position, playing, at } = stateOf(grace);
    const happened = JSON.stringify(stateOf(grace));
    expectThat(revision === 2, "revision 2: Ada's Play was 1, and the vote is the next one", happened);
    expectThat(position === 0 && playing, "position 0, and playing as before", happened);
    expectThat(
      stateOf(grace).by?.pressed !== "play",
      'no "by" from the state before: Ada pressed Play, and the page would say that she did so again',
      happened,
    );
    const before = ada.received.find(({ revision }) => revision === 1).at;
    expectThat(at > before, `an "at" later than ${before}: the moment of the vote`, happened);
    grace.send({ type: "next", revision: 1 });
    await grace.receives("stale", undefined, 'receive "stale" for a command against revision 1');
  }),

  check("a vote skips as Next does, even in a pause and after the last track", "Hint 1", async (server) => {
    const [ada, grace] = await people(server, 2);
    ada.send({ type: "seek", position: 5_000, revision: 0 });
    await grace.receives(
      "state",
      ({ position }) => position === 5_000,
      "receive the position that Ada has chosen",
    );
    for (const [track, next] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ] as const) {
      await vote(ada, track);
      await expectTrack(grace, next, `Ada has voted to skip ${name(track)}, one of two`);
      const { position, playing } = stateOf(grace);
      expectThat(
        position === 0 && !playing,
        `${name(next)} to be at its beginning, and not to play: nobody has pressed Play`,
        JSON.stringify(stateOf(grace)),
      );
    }
  }),

  check("everybody receives the number of votes, and the number that is needed", "Hint 2", async (server) => {
    // They are connected, and no more.
    for (const name of ["Hedy", "Joan"]) await Client.connect(server, name);
    const [ada, grace, alan, edsger, radia] = await people(server, 5);
    await vote(ada);
    for (const client of [ada, radia])
      await expectVotes(
        client,
        1,
        3,
        "Ada has voted, one of five. Two more clients are connected. They haven't sent join, so they don't count",
      );
    await edsger.leaves();
    await expectVotes(alan, 1, 2, "Edsger has left, and now there are four");
    await pause(100); // some servers also count votes with the next "here"
    await alan.isUpToDate();
    const before = countOf(alan);
    alan.send({ type: "play", revision: 0 });
    alan.send({ type: "seek", position: 1_000, revision: 1 });
    alan.send({ type: "pause", revision: 2 });
    alan.send({ type: "next", revision: 0 }); // stale
    await alan.isUpToDate();
    await pause(150);
    await alan.isUpToDate();
    await expectVotes(
      alan,
      1,
      2,
      "Alan has pressed Play, chosen a position and pressed Pause, and his Next was stale. That skips nothing, and Ada's vote stays",
    );
    expectThat(
      countOf(alan) === before,
      'Alan to receive no "votes" while the numbers stay the same',
      `he received ${countOf(alan) - before} within a moment`,
    );
    await vote(grace);
    await expectTrack(
      alan,
      1,
      "Ada has voted, Alan has pressed Play and Pause, and Grace has voted: two of four",
    );
    await expectVotes(alan, 0, 2, "With Grace's vote the track was skipped. The votes begin again");
  }),

  check("a newcomer receives the number of votes, too", "Hint 2", async (server) => {
    const [ada] = await people(server, 3);
    await vote(ada);
    await expectVotes(ada, 1, 2, "Ada has voted, one of three");
    const hedy = await join(server, "Hedy", "hedy1");
    await expectVotes(hedy, 1, 2, "Ada had voted before Hedy came, and half of four is two");
    const again = await join(server, "Hedy", "hedy1");
    await expectVotes(again, 1, 2, "Hedy's page has connected again, and the numbers are still the same");
    const [first] = hedy.received.filter(({ type }) => type === "welcome" || type === "votes");
    expectThat(first.type === "welcome", 'Hedy to receive "welcome" before "votes"', '"votes" came first');
  }),

  check("when a track is skipped, by votes or with Next, its votes are gone", "Hint 2", async (server) => {
    const [ada, grace, alan, edsger] = await people(server, 4);
    await vote(ada);
    await expectVotes(grace, 1, 2, "Ada has voted, one of four");
    alan.send({ type: "next", revision: 0 });
    await expectTrack(grace, 1, "Alan has pressed Next");
    await expectVotes(grace, 0, 2, "Alan has pressed Next, so Ada's vote is gone");
    await vote(grace, 1);
    await expectStill(grace, 1, "Grace alone has voted to skip this one. Ada's vote was for the one before");
    await vote(alan, 1);
    await expectTrack(grace, 2, "Grace and Alan have voted, two of four");
    await vote(edsger, 2);
    await expectStill(
      ada,
      2,
      "Edsger alone has voted to skip this one. The others voted for the ones before",
    );
    grace.send({ type: "next", revision: stateOf(grace).revision });
    await expectTrack(ada, 0, "Grace has pressed Next, and after the last track comes the first");
    await vote(grace, 0);
    await expectStill(
      ada,
      0,
      "Grace alone has voted. Ada voted for this track before, and it has been skipped since",
    );
  }),

  check("a vote for a track that no longer plays is not counted", "Hint 2", async (server) => {
    const [ada, grace] = await people(server, 2);
    grace.send({ type: "next", revision: 0 });
    await expectTrack(ada, 1, "Grace has pressed Next");
    await vote(ada, 0);
    await vote(ada, 2);
    await expectStill(ada, 1, "Ada has voted for tracks 1 and 3, and track 2 plays");
  }),

  check("when somebody leaves, their vote is gone, even if they come back", "Hint 3", async (server) => {
    const [ada, grace, alan] = await people(server, 5);
    for (const client of [ada, alan]) await vote(client);
    await expectVotes(grace, 2, 3, "Ada and Alan have voted, two of five");
    await ada.leaves();
    await expectVotes(grace, 1, 2, "Ada has voted and left, so there are four, and only Alan's vote");
    await vote(await join(server, "Ada", "page1"));
    await expectVotes(grace, 2, 3, "Alan has voted, and Ada has come back and voted again: two of five");
    await expectStill(grace, 0, "Alan has voted. Ada has voted, left, come back and voted: two of five");
  }),

  check("when somebody leaves, the votes of the others may be enough", "Hint 3", async (server) => {
    const [ada, grace, alan] = await people(server, 3);
    await vote(ada);
    alan.send({ type: "join", name: "Hedy", page: "page3" });
    await alan.leaves();
    await expectTrack(
      grace,
      1,
      "Ada has voted. Alan has taken another name and then left, so she is one of two",
    );
  }),

  check(
    "a page with several connections counts once, and keeps its vote when one of them closes",
    "Hint 3",
    async (server) => {
      const [ada, grace] = await people(server, 4);
      // Her network failed twice, and she is back. The server hasn't missed the old connections yet.
      const again = [await join(server, "Ada", "page1"), await join(server, "Ada", "page1")] as const;
      for (const client of [...again, ada]) await vote(client);
      await expectStill(grace, 0, "Ada's page has voted over all its connections. It is one of four");
      await ada.leaves();
      await pause(150); // some servers count votes a moment later
      await expectVotes(grace, 1, 2, "Ada's page has voted, and is still here with newer connections");
      await vote(grace);
      await expectTrack(grace, 1, "Ada and Grace have voted: two of four pages, which have five connections");
      await vote(again[1], 1);
      await join(server, "Ada", "page1"); // her network has failed once more
      await again[1].leaves();
      await pause(150);
      await expectVotes(
        grace,
        1,
        2,
        "Ada's page has voted. The connection it used is closed, but the page is still here with a newer one",
      );
    },
  ),

  check("clients that send no page count as one each", "Hint 3", async (server) => {
    const ada = await join(server, "Ada");
    const edsger = await join(server, "Edsger");
    const { id } = ada.received.find(({ type }) => type === "welcome");
    // Grace's page has the name Ada. Alan's page has Ada's id as its name.
    const grace = await join(server, "Grace", "Ada");
    const alan = await join(server, "Alan", String(id));
    await vote(ada);
    await expectStill(ada, 0, "Ada, who sent no page, has voted: one of four");
    await vote(edsger);
    await expectTrack(ada, 1, "Ada and Edsger, who sent no page, have voted: two of four");
    for (const client of [ada, grace]) await vote(client, 1);
    await expectTrack(
      ada,
      2,
      "Ada, who sent no page, and Grace, whose page is called Ada, have voted: two of four",
    );
    for (const client of [ada, alan]) await vote(client, 2);
    await expectTrack(
      ada,
      0,
      `Ada, who sent no page and has the id ${id}, and Alan, whose page is called ${id}, have voted: two of four`,
    );
  }),

  longCheck("a page that has left is forgotten, and so is its vote", "Hint 3", async (server) => {
    await people(server, 5);
    await expectForgotten(
      server,
      async (n) => {
        const visitor = await join(server, "Visitor", `visitor${n}`);
        for (const track of [0, 1, 2]) visitor.send({ type: "vote", track }); // one of them plays
        await visitor.isUpToDate();
        await visitor.leaves();
      },
      "the server to forget clients that join, vote, and leave",
      "Remove the vote of a page that is no longer here",
    );
  }),
];
