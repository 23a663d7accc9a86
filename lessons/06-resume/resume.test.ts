// Promises of resuming, both halves: kept through a network that resets, freezes and pauses at random.
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { Answer, Message } from "../../shared/both/old-message.ts";
import { Freezer } from "../../shared/machinery/testing/freezer.ts";
import { startServer, until } from "../../shared/machinery/testing/lesson.ts";
import { freePort } from "../../shared/machinery/testing/process.ts";
import { Outbox } from "../../shared/pieces/outbox-client.ts";
import { resuming } from "../../shared/pieces/resume-client.ts";
import { Heard, replay } from "../../shared/pieces/resume-server.ts";
import { defaults } from "../../shared/pieces/stay-connected.ts";
import { MessageLog } from "../../shared/server/message-log.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const between = (low: number, high: number) => low + Math.random() * (high - low);

/** A page without a screen. All its times are divided by `quicker`. */
function client(port: number, quicker = 10) {
  const options = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      name,
      typeof value === "number" ? value / quicker : WebSocket,
    ]),
  );
  const told = {
    seen: [] as Message[],
    gaps: [] as string[],
    doubles: 0,
    waiting: 0,
    acknowledged: 0,
    replayed: 0,
    opened: 0,
  };
  const conversation = resuming(
    `ws://127.0.0.1:${port}`,
    {
      onmessage: (message, replayed) => {
        told.seen.push(message);
        if (replayed) told.replayed++;
      },
      ongap: (why) => told.gaps.push(why),
      ondouble: () => told.doubles++,
      onoutbox: (waiting, acknowledged) => {
        told.waiting = waiting.length;
        told.acknowledged += acknowledged;
      },
      onother: () => {},
      onstate: ({ name }) => {
        if (name === "open") told.opened++;
      },
    },
    options,
  );
  const one = Object.assign(told, conversation);
  closing.push(one.close);
  return one;
}

// With RESUME_SECONDS=30 at the real times, as long as one likes; else for eight seconds, everything ten times as fast.
const real = process.env.RESUME_SECONDS !== undefined;
const forMs = Number(process.env.RESUME_SECONDS ?? 8) * 1_000;
const quicker = real ? 1 : 10;
const budgetMs = 25_000 / quicker + 5_000;

test(
  `twenty who talk while connections are reset, frozen and paused for ${forMs / 1_000} s: nothing lost, doubled or reordered`,
  async () => {
    const [port, serverPort] = [await freePort(), await freePort()];
    await startServer("06-resume", {
      PORT: String(serverPort),
      PING_EVERY_MS: String(15_000 / quicker),
      GRACE_MS: String(10_000 / quicker),
    });
    const network = await Freezer.start(port, serverPort);
    const clients = Array.from({ length: 20 }, () => client(port, quicker));
    await until(() => clients.every(({ opened }) => opened === 1));

    let talking = true;
    const said = clients.map(async (one, n) => {
      let count = 0;
      while (talking) {
        // A full outbox refuses: it is said again a little later.
        try {
          one.say(`Client ${n}`, `${n}:${count + 1}`);
          count++;
        } catch {}
        await pause(between(50, 400));
      }
      return count;
    });

    const faults = { reset: 0, frozen: 0, silenced: 0, paused: 0 };
    const began = performance.now();
    while (performance.now() - began < forMs) {
      await pause(between(200, 800));
      const fault = Math.random();
      if (fault < 0.35) {
        network.cut(0.4);
        faults.reset++;
      } else if (fault < 0.55) {
        // Until a pause below ends: then all of it arrives late, perhaps when its page is back already.
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
    talking = false;
    const ended = performance.now();
    const counts = await Promise.all(said);
    const all = counts.reduce((sum, count) => sum + count, 0);
    await until(
      () => clients.every(({ seen, waiting }) => waiting === 0 && seen.length >= all),
      budgetMs,
    ).catch(() => {}); // what is missing is said below
    const settledMs = Math.round(performance.now() - ended);

    const expected = counts.flatMap((count, n) => Array.from({ length: count }, (_, k) => `${n}:${k + 1}`));
    for (const { seen, waiting, gaps } of clients) {
      expect(gaps).toEqual([]);
      expect(waiting).toBe(0);
      expect(seen.map(({ id }) => id)).toEqual(Array.from({ length: all }, (_, n) => n + 1));
      expect(seen.map(({ text }) => text).sort()).toEqual([...expected].sort());
      for (const n of counts.keys()) {
        const texts = seen.map(({ text }) => text).filter((text) => text.startsWith(`${n}:`));
        expect(texts).toEqual(Array.from({ length: counts[n] as number }, (_, k) => `${n}:${k + 1}`));
      }
    }
    expect(settledMs).toBeLessThan(budgetMs);
    const sum = (name: "doubles" | "replayed" | "opened") =>
      clients.reduce((total, one) => total + one[name], 0);
    // Without these nothing would have been tried.
    expect(sum("opened")).toBeGreaterThan(40);
    expect(sum("replayed")).toBeGreaterThan(0);
    if (real)
      console.log(
        { all, faults, settledMs },
        { opened: sum("opened"), replayed: sum("replayed"), doubles: sum("doubles") },
      );
  },
  forMs + budgetMs + 15_000,
);

test("an acknowledgement that is lost: sent again, shown once", async () => {
  const [port, { port: serverPort }] = [await freePort(), await startServer("06-resume")];
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
  closing.push(() => relay.close());

  const [ada, grace] = [client(port), client(serverPort)];
  await until(() => ada.opened === 1 && grace.opened === 1);
  ada.say("Ada", "Once");
  await until(() => lost === 1 && ada.opened === 2 && ada.doubles === 1);
  ada.say("Ada", "Twice");
  await until(() => ada.waiting === 0 && ada.seen.length >= 2 && grace.seen.length >= 2);
  for (const { seen } of [ada, grace]) expect(seen.map(({ text }) => text)).toEqual(["Once", "Twice"]);
  expect(ada.acknowledged).toBe(2);
});

test("a server that is restarted: each is told once, and what waits goes to the new one", async () => {
  const port = await freePort();
  const first = await startServer("06-resume", { PORT: String(port) });
  const clients = [client(port), client(port)];
  clients[0]?.say("Ada", "old times");
  await until(() => clients.every(({ seen }) => seen.length === 1));
  await first.kill();
  clients[0]?.say("Ada", "new times");
  await startServer("06-resume", { PORT: String(port) });
  await until(() => clients.every(({ seen }) => seen.at(-1)?.text === "new times"));
  for (const { gaps, waiting } of clients) {
    expect(gaps).toEqual(["began anew"]);
    expect(waiting).toBe(0);
  }
});

test("a page keeps its cursor and its outbox while it has left", async () => {
  const { port } = await startServer("06-resume");
  const [ada, grace] = [client(port), client(port)];
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
});

describe("a page", () => {
  /** A server of our own, to say what no good one would. */
  async function saying(...messages: object[]) {
    const port = await freePort();
    const sockets = new WebSocketServer({ port, host: "127.0.0.1" });
    sockets.on("connection", (socket) => {
      for (const message of messages) socket.send(JSON.stringify(message));
    });
    closing.push(() => sockets.close());
    const one = client(port);
    await until(() => one.opened === 1);
    return one;
  }
  const message = (id: number) => ({ id, from: "Ada", text: `${id}`, at: 0 });

  test("drops what it has had before, and its cursor never moves back", async () => {
    const replayed = { type: "replay", log: "a", reset: false, messages: [message(1), message(2)] };
    const one = await saying(
      replayed,
      ...[2, 1, 3].map((id) => ({ type: "message", ...message(id) })),
      replayed,
    );
    await until(() => one.seen.length === 3);
    await until(() => one.doubles === 4);
    expect(one.seen.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  test("does not send again what the server refused", async () => {
    const { port } = await startServer("06-resume");
    const one = client(port);
    await until(() => one.opened === 1);
    one.say("Ada", "Hello");
    one.say("Ada", "\u0007");
    await until(() => one.seen.length === 1 && one.waiting === 0);
    expect(one.acknowledged).toBe(1);
  });
});

describe("the outbox", () => {
  test("gives each message an id of its own that rises, and keeps it until it is acknowledged", () => {
    const outbox = new Outbox();
    const [a, b, c] = ["a", "b", "c"].map((text) => outbox.add("Ada", text));
    expect(new Set([outbox.page, new Outbox().page]).size).toBe(2);
    expect([a?.id, b?.id]).toEqual([`${outbox.page}-1`, `${outbox.page}-2`]);
    expect(outbox.acknowledge(b?.id as string)).toBe(2);
    expect(outbox.acknowledge(a?.id as string)).toBe(0);
    expect(outbox.waiting).toEqual([c]);
    outbox.refuse(c?.id as string);
    expect(outbox.waiting).toEqual([]);
  });

  test("takes a hundred, then says that it is full", () => {
    const outbox = new Outbox();
    for (let n = 0; n < 100; n++) outbox.add("Ada", `${n}`);
    expect(() => outbox.add("Ada", "one more")).toThrow("100 messages wait already");
    expect(outbox.waiting).toHaveLength(100);
  });
});

describe("the server's memory of what it has heard", () => {
  test("knows an id again, and one that is older than the last", () => {
    const heard = new Heard();
    expect(["a-1", "a-2", "a-2", "a-1", "b-1", "a-3"].map((id) => heard.isNew(id))).toEqual([
      true,
      true,
      false,
      false,
      true,
      true,
    ]);
    expect(heard.last("a")).toBe("a-3");
    expect(heard.last("c")).toBeUndefined();
  });

  test("is bounded: whoever has been silent longest is forgotten", () => {
    const heard = new Heard(2);
    for (const id of ["a-1", "b-1", "a-2", "c-1"]) heard.isNew(id);
    expect(["a", "b", "c"].map((page) => heard.last(page))).toEqual(["a-2", undefined, "c-1"]);
  });
});

describe("a replay", () => {
  function filled(count: number) {
    const log = new MessageLog();
    for (let n = 0; n < count; n++) log.add("Ada", "Hello");
    return log;
  }

  test("sends the next piece only when the one before has been sent, and goes live in the same turn as the last", () => {
    const log = filled(120);
    const pieces: Answer[] = [];
    let whenSent: (error?: Error) => void = () => {};
    let live = false;
    replay(
      log,
      { after: 0 },
      (piece, then) => {
        pieces.push(piece);
        whenSent = then;
      },
      () => {
        live = true;
      },
    );
    expect(pieces.map(({ messages }) => messages.length)).toEqual([50]);
    whenSent();
    // Said during the replay: part of it.
    log.add("Ada", "Hello");
    expect([pieces.length, live]).toEqual([2, false]);
    whenSent();
    expect([pieces.length, live]).toEqual([3, true]);
    expect(pieces.flatMap(({ messages }) => messages.map(({ id }) => id))).toEqual(
      Array.from({ length: 121 }, (_, n) => n + 1),
    );
    whenSent();
    expect(pieces).toHaveLength(3);
  });

  test("ends when the connection does", () => {
    let sent = 0;
    let whenSent: (error?: Error) => void = () => {};
    const send = (_: Answer, then: typeof whenSent) => {
      sent++;
      whenSent = then;
    };
    replay(filled(120), { after: 0 }, send, () => {});
    whenSent(new Error("closed"));
    expect(sent).toBe(1);
  });
});
