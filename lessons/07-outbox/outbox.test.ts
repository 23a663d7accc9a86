// What lesson 7 promises while the network fails, acknowledgements are lost, and others are hostile.
import { expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { atEnd } from "../../shared/machinery/testing/clean-up.ts";
import { Freezer } from "../../shared/machinery/testing/freezer.ts";
import { startServer, until } from "../../shared/machinery/testing/lesson.ts";
import { pageWithoutScreen } from "../../shared/machinery/testing/page-without-screen.ts";
import { freePort } from "../../shared/machinery/testing/process.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const between = (low: number, high: number) => low + Math.random() * (high - low);

type Page = ReturnType<typeof pageWithoutScreen>;

/** Each page goes on talking until it is stopped. Returns how many things each has said. */
function talkAll(pages: Page[]) {
  let talking = true;
  const counts = pages.map(async (page, n) => {
    let count = 0;
    while (talking) {
      // A full outbox refuses. The page says it again a little later.
      try {
        page.say(`Page ${n}`, `${n}:${count + 1}`);
        count++;
      } catch {}
      await pause(between(50, 400));
    }
    return count;
  });
  return () => {
    talking = false;
    return Promise.all(counts);
  };
}

/** Breaks connections at random for `forMs`: resets, freezes that thaw, freezes for good, pauses of the whole network. */
async function fail(network: Freezer, forMs: number, quicker: number) {
  const faults = { reset: 0, frozen: 0, silenced: 0, paused: 0 };
  const began = performance.now();
  while (performance.now() - began < forMs) {
    await pause(between(200, 800));
    // Resets first, so that enough connections break for sure.
    const fault = faults.reset < 3 ? 0 : Math.random();
    if (fault < 0.35) {
      network.cut(0.4);
      faults.reset++;
    } else if (fault < 0.55) {
      // Until a pause below ends. Then everything arrives late, perhaps when its page has reconnected already.
      network.freezeSome(0.3);
      faults.frozen++;
    } else if (fault < 0.75) {
      network.silenceSome(0.2);
      faults.silenced++;
    } else {
      network.freeze();
      await pause(between(100, 6_000 / quicker));
      network.thaw();
      faults.paused++;
    }
  }
  return faults;
}

/** Waits until everything has arrived, and expects it everywhere: nothing lost, duplicated or out of order. */
async function expectAll(pages: Page[], counts: number[], withinMs: number, others = 0) {
  const own = (page: Page) => page.seen.filter(({ from }) => from.startsWith("Page "));
  const all = counts.reduce((sum, count) => sum + count, 0);
  await until(() => pages.every((page) => page.waiting === 0 && own(page).length >= all), withinMs).catch(
    () => {},
  ); // what is missing is said below
  const expected = counts.flatMap((count, n) => Array.from({ length: count }, (_, k) => `${n}:${k + 1}`));
  for (const page of pages) {
    // A network that pauses right after the handshake delays resume, and the server asks for it.
    const refusals = page.refusals.filter((reason) => !/^Send \{"type":"resume"/.test(reason));
    expect([page.gaps, page.waiting, refusals, page.givenUp]).toEqual([[], 0, [], []]);
    if (others === 0) expect(page.seen.map(({ id }) => id)).toEqual(expected.map((_, n) => n + 1));
    const texts = own(page).map(({ text }) => text);
    expect([...texts].sort()).toEqual([...expected].sort());
    for (const [n, count] of counts.entries())
      expect(texts.filter((text) => text.startsWith(`${n}:`))).toEqual(
        Array.from({ length: count }, (_, k) => `${n}:${k + 1}`),
      );
  }
}

const sum = (pages: Page[], name: "doubles" | "replayed" | "opened") =>
  pages.reduce((total, page) => total + page[name], 0);

// RESUME_SECONDS=30 runs it for so long at the real times. Otherwise it takes seconds, and everything is ten times as fast.
const real = process.env.RESUME_SECONDS !== undefined;
const forMs = Number(process.env.RESUME_SECONDS ?? 8) * 1_000;
const quicker = real ? 1 : 10;
const budgetMs = 25_000 / quicker + 5_000;

async function behindFaults(count: number) {
  const [port, serverPort] = [await freePort(), await freePort()];
  const server = await startServer("07-outbox", {
    PORT: String(serverPort),
    PING_EVERY_MS: String(15_000 / quicker),
    GRACE_MS: String(10_000 / quicker),
  });
  const network = await Freezer.start(port, serverPort);
  const pages = Array.from({ length: count }, () => pageWithoutScreen(port, quicker));
  await until(() => pages.every(({ opened }) => opened === 1));
  return { network, pages, server };
}

test(
  `twenty pages talk while connections are reset, frozen and paused for ${forMs / 1_000} s: nothing is lost, duplicated or reordered`,
  async () => {
    const { network, pages } = await behindFaults(20);
    const stop = talkAll(pages);
    const faults = await fail(network, forMs, quicker);
    const counts = await stop();
    const ended = performance.now();
    await expectAll(pages, counts, budgetMs);
    const settledMs = Math.round(performance.now() - ended);
    expect(settledMs).toBeLessThan(budgetMs);
    // Otherwise nothing would have been tried.
    expect(sum(pages, "opened")).toBeGreaterThan(40);
    expect(sum(pages, "replayed")).toBeGreaterThan(0);
    if (real)
      console.log(
        { counts, faults, settledMs },
        { opened: sum(pages, "opened"), replayed: sum(pages, "replayed"), doubles: sum(pages, "doubles") },
      );
    for (const page of pages) page.close();
  },
  forMs + budgetMs + 15_000,
);

/** What hostile clients send, once they are connected. They know no honest page's name, but everything else. */
function attack(socket: WebSocket, page: string) {
  const send = (message: unknown) =>
    socket.send(typeof message === "string" ? message : JSON.stringify(message));
  const say = { type: "say", from: "Mallory", text: "hostile" };
  const ways = [
    () => {
      for (let n = 1; n <= 500; n++) send({ ...say, id: `k${Math.random().toString(36).slice(2)}-${n}` });
    },
    () => {
      for (let n = 0; n < 200; n++) send({ ...say, id: `${page}-${n % 3}` });
    },
    () => {
      send({ ...say, id: `${page}-999999999999999` });
      for (let n = 1; n <= 50; n++) send({ ...say, id: `${page}-${n}` });
    },
    () => {
      for (let n = 0; n < 20; n++) send({ type: "resume", after: n, page: `other${n}` });
    },
    () => send("x".repeat(20_000)),
    () => socket.terminate(),
  ];
  ways[Math.floor(Math.random() * ways.length)]?.();
}

test(
  `twenty hostile clients for ${real ? forMs / 1_000 : 4} s, beside twenty honest pages whose connections fail: nothing honest is lost, duplicated or reordered`,
  async () => {
    const { network, pages, server } = await behindFaults(20);
    const stop = talkAll(pages);
    let attacking = true;
    let connections = 0;
    const hostile = Array.from({ length: 20 }, async () => {
      while (attacking) {
        const socket = new WebSocket(`ws://127.0.0.1:${server.port}`);
        socket.on("error", () => {});
        const closed = new Promise((resolve) => socket.on("close", resolve));
        await Promise.race([closed, new Promise((resolve) => socket.on("open", resolve))]);
        if (socket.readyState !== WebSocket.OPEN) continue;
        connections++;
        const page = `m${Math.random().toString(36).slice(2)}`;
        socket.send(JSON.stringify({ type: "resume", after: 0, page }));
        attack(socket, page);
        // Also after the server has closed it: otherwise most of the test's work would be handshakes.
        await pause(between(50, 500));
        socket.terminate();
      }
    });
    await fail(network, real ? forMs : 4_000, quicker);
    await until(() => connections > 60, 20_000);
    attacking = false;
    await Promise.all(hostile);
    const counts = await stop();
    await expectAll(pages, counts, budgetMs + 10_000, connections);
    expect(server.child.exitCode).toBeNull();
    for (const page of pages) page.close();
  },
  forMs + budgetMs + 30_000,
);

test("sends a message again after its acknowledgement was lost, and shows it once", async () => {
  const [port, { port: serverPort }] = [await freePort(), await startServer("07-outbox")];
  // Passes everything on, but at the first acknowledgement the connection breaks.
  let lost = 0;
  const relay = new WebSocketServer({ port, host: "127.0.0.1" });
  relay.on("connection", async (near) => {
    const early: string[] = [];
    const far = new WebSocket(`ws://127.0.0.1:${serverPort}`);
    near.on("message", (data) => (far.readyState ? far.send(data.toString()) : early.push(data.toString())));
    near.on("close", () => far.terminate());
    far.on("open", () => {
      for (const text of early) far.send(text);
    });
    far.on("message", (data) => {
      if (lost === 0 && JSON.parse(data.toString()).type === "ack") {
        lost++;
        near.terminate();
      }
      if (near.readyState === WebSocket.OPEN) near.send(data.toString());
    });
  });
  atEnd(() => relay.close());

  const [ada, grace] = [pageWithoutScreen(port), pageWithoutScreen(serverPort)];
  await until(() => ada.opened === 1 && grace.opened === 1);
  ada.say("Ada", "Once");
  await until(() => lost === 1 && ada.opened === 2 && ada.doubles === 1);
  ada.say("Ada", "Twice");
  await until(() => ada.waiting === 0 && ada.seen.length >= 2 && grace.seen.length >= 2);
  for (const { seen } of [ada, grace]) expect(seen.map(({ text }) => text)).toEqual(["Once", "Twice"]);
  expect(ada.acknowledged).toBe(2);
  for (const page of [ada, grace]) page.close();
});

test("after a restart, each page shows one declared gap, and waiting messages reach the new log", async () => {
  const port = await freePort();
  const first = await startServer("07-outbox", { PORT: String(port) });
  const [ada, grace] = [pageWithoutScreen(port), pageWithoutScreen(port)];
  ada.say("Ada", "old times");
  await until(() => [ada, grace].every(({ seen, waiting }) => seen.length === 1 && waiting === 0));
  await first.kill();
  ada.say("Ada", "new times");
  await startServer("07-outbox", { PORT: String(port) });
  await until(() =>
    [ada, grace].every(({ seen, waiting }) => seen.at(-1)?.text === "new times" && waiting === 0),
  );
  for (const page of [ada, grace]) {
    expect(page.gaps).toEqual(["restarted"]);
    page.close();
  }
});

test("a page that leaves keeps its cursor and its outbox", async () => {
  const { port } = await startServer("07-outbox");
  const [ada, grace] = [pageWithoutScreen(port), pageWithoutScreen(port)];
  await until(() => ada.opened === 1 && grace.opened === 1);
  grace.say("Grace", "1");
  await until(() => ada.seen.length === 1);
  ada.close();
  ada.say("Ada", "3");
  grace.say("Grace", "2");
  await until(() => grace.seen.length === 2);
  ada.open();
  await until(() => ada.seen.length === 3);
  expect(ada.seen.map(({ text }) => text)).toEqual(["1", "2", "3"]);
  expect(ada.replayed).toBe(1);
  for (const page of [ada, grace]) page.close();
});

test("a page doesn't send again what the server has refused", async () => {
  const { port } = await startServer("07-outbox");
  const page = pageWithoutScreen(port);
  await until(() => page.opened === 1);
  page.say("Ada", "Hello");
  page.say("Ada", "\u0007");
  page.say("Ada", "Still here");
  await until(() => page.seen.length === 2 && page.waiting === 0);
  expect(page.refusals).toHaveLength(1);
  page.close();
});

test("a page gives up a message for which the server closes the connection, and sends the next", async () => {
  const { port } = await startServer("07-outbox");
  const page = pageWithoutScreen(port);
  await until(() => page.opened === 1);
  page.say("Ada", "x".repeat(20_000)); // more than the server accepts: 1009
  page.say("Ada", "Hello");
  await until(() => page.seen.length === 1);
  expect(page.givenUp).toEqual(["x".repeat(20_000)]);
  expect([page.opened, page.seen[0]?.text]).toEqual([4, "Hello"]);
  page.close();
});
