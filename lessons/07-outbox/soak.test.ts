// Pages come and go and their network fails: nothing is lost, duplicated or reordered, and the server's memory stays flat.
// SOAK_MINUTES=30 runs it for so long, with 500 pages at the real times. Otherwise it takes seconds, with 30 pages.
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Message } from "../../shared/both/message.ts";
import { type Cable, createCable } from "../../shared/machinery/cable/proxy.ts";
import { startMeasured } from "../../shared/machinery/compare/measured.ts";
import { atEnd } from "../../shared/machinery/testing/clean-up.ts";
import { until } from "../../shared/machinery/testing/lesson.ts";
import { pageWithoutScreen } from "../../shared/machinery/testing/page-without-screen.ts";

const real = process.env.SOAK_MINUTES !== undefined;
const forMs = Number(process.env.SOAK_MINUTES ?? 0.1) * 60_000;
const quicker = real ? 1 : 10;
/** Every fifth page connects through the cable, which breaks connections. All of them come and go. */
const pageCount = real ? 500 : 30;
const saidPerSecond = 50;
/** Messages that the server keeps, 80 s of them. */
const history = real ? 4_000 : 100;
const keptMs = (history / saidPerSecond) * 1_000;
const sampleEveryMs = real ? 60_000 : 1_000;
/** Everything that was said must have reached every page this long after the end. */
const settleMs = real ? 10 * 60_000 : 90_000;
/** The memory may grow by this many MiB a minute, once it has settled. */
const mostGrowth = 1;
const settledMs = 5 * 60_000;

/** When the time is over. Faults and absences last until then, at the most. */
let ends = 0;
const pauseAtMost = (ms: number) => pause(Math.max(0, Math.min(ms, ends - performance.now())));

const between = (low: number, high: number) => low + Math.random() * (high - low);
const oneOf = <Each>(list: readonly Each[]) => list[Math.floor(Math.random() * list.length)];

/** Compares what the pages see. Each speaker counts up: Page 7 says "1", "2", "3". */
class Judge {
  readonly wrong: string[] = [];
  /** All ids up to this one have been seen by some page. */
  complete = 0;
  /** By id, as the first page has seen it. */
  readonly #log = new Map<number, Message>();
  readonly #lastCounts = new Map<string, number>();
  readonly #resumedAt: number[] = [];

  /**
   * A page that had seen everything up to `last` has now seen these.
   * @param gaps how often it was told that the server no longer has what it missed
   * @returns the id of the last one
   */
  take(page: string, last: number, messages: Message[], gaps: number): number {
    // A new page begins with the oldest message that the server has.
    const isNew = last === 0;
    let skips = 0;
    for (const message of messages) {
      const { id, from, text } = message;
      if (last > 0 && id <= last) this.wrong.push(`${page}: ${id} came after ${last}`);
      if (last > 0 && id > last + 1) {
        skips++;
        this.#resumedAt.push(id);
      }
      last = id;
      const first = this.#log.get(id);
      if (!first) this.#log.set(id, message);
      else if (from !== first.from || text !== first.text)
        this.wrong.push(`${page}: ${id} is "${from}: ${text}", elsewhere "${first.from}: ${first.text}"`);
    }
    if (!isNew && skips !== gaps) this.wrong.push(`${page}: ${skips} gaps before ${last}, ${gaps} declared`);
    return last;
  }

  /** Call this when all pages have handed in what they have seen. */
  compare() {
    for (let next = this.#log.get(this.complete + 1); next; next = this.#log.get(this.complete + 1)) {
      const expected = this.countOf(next.from) + 1;
      if (next.text !== `${expected}`)
        this.wrong.push(`${next.from}: "${next.text}" instead of "${expected}"`);
      this.#lastCounts.set(next.from, expected);
      this.complete++;
    }
    // A page that had to skip something goes on with the oldest message that was kept. One second more or less.
    for (const id of this.#resumedAt.splice(0))
      if (id - 1 + history > this.complete + saidPerSecond)
        this.wrong.push(`${id} was not the oldest one kept`);
  }

  /** How many messages of somebody have arrived. */
  countOf(name: string): number {
    return this.#lastCounts.get(name) ?? 0;
  }
}

type Person = {
  name: string;
  page: ReturnType<typeof pageWithoutScreen>;
  said: number;
  last: number;
  away: boolean;
};

/** The people. Some leave and return, some leave for good and are replaced by others. */
class Crowd {
  readonly judge = new Judge();
  readonly sums = {
    said: 0,
    left: 0,
    replaced: 0,
    broken: 0,
    connections: 0,
    replayed: 0,
    doubles: 0,
    gaps: 0,
  };
  here: Person[] = [];
  readonly #former: Person[] = [];
  readonly #ports: number[];

  /** Each newcomer takes the next of these ports. */
  constructor(ports: number[]) {
    this.#ports = ports;
    for (let n = 0; n < pageCount; n++) this.#join();
  }

  #join() {
    const n = this.here.length + this.#former.length;
    const port = this.#ports[n % this.#ports.length] as number;
    this.here.push({
      name: `Page ${n}`,
      page: pageWithoutScreen(port, quicker),
      said: 0,
      last: 0,
      away: false,
    });
  }

  /** Somebody says something, perhaps while away or cut off. Then it waits in the outbox. */
  say() {
    const person = oneOf(this.here);
    // A full outbox takes nothing more.
    if (!person || person.page.waiting === 100) return;
    person.page.say(person.name, `${++person.said}`);
    this.sums.said++;
  }

  /** Somebody leaves for a while, one in ten for longer than the server keeps its messages. */
  async leave() {
    const person = oneOf(this.here.filter(({ away }) => !away));
    if (!person) return;
    const isLong = this.sums.left++ % 10 === 0;
    person.away = true;
    person.page.close();
    await pauseAtMost((isLong ? between(1.2, 1.5) : between(0, 0.5)) * keptMs);
    person.page.open();
    person.away = false;
  }

  /** Somebody for whom nothing waits anymore leaves for good, and somebody else comes. */
  replace() {
    const person = oneOf(this.here.filter(({ away, page }) => !away && page.waiting === 0));
    if (!person) return;
    this.sums.replaced++;
    person.page.close();
    this.#collect(person);
    this.here = this.here.filter((each) => each !== person);
    this.#former.push(person);
    this.#join();
  }

  /** Gives the judge everything that the pages have seen since the last time. */
  collect() {
    for (const person of this.here) this.#collect(person);
    this.judge.compare();
  }

  #collect(person: Person) {
    const { name, page } = person;
    person.last = this.judge.take(name, person.last, page.seen.splice(0), page.gaps.length);
    this.sums.gaps += page.gaps.length;
    // A page behind a frozen cable is asked to send its resume, because that is late.
    for (const reason of page.refusals.splice(0))
      if (!reason.startsWith('Send {"type":"resume"')) this.judge.wrong.push(`${name}: ${reason}`);
    for (const text of page.givenUp.splice(0)) this.judge.wrong.push(`${name} has given up "${text}"`);
    for (const why of page.gaps.splice(0)) if (why !== "forgotten") this.judge.wrong.push(`${name}: ${why}`);
    this.sums.connections += page.opened;
    this.sums.replayed += page.replayed;
    this.sums.doubles += page.doubles;
    page.opened = page.replayed = page.doubles = 0;
  }

  /** Whether everything that was said has reached everybody. */
  get isQuiet() {
    this.collect();
    return this.here.every(({ last, page }) => page.waiting === 0 && last === this.sums.said);
  }

  /** The people of whom fewer messages have arrived than they have said. */
  get unheard() {
    return [...this.here, ...this.#former].filter(({ name, said }) => this.judge.countOf(name) !== said);
  }

  end() {
    for (const { page } of this.here) page.close();
  }
}

/** Breaks some of the cable's connections in one of these ways, and lets them work again after a while. Counts them. */
async function fail(cable: Cable, sums: { broken: number }) {
  const connections = cable
    .state()
    .connections.filter(() => Math.random() < 0.1)
    .map(({ number }) => number);
  const direction = oneOf(["both", "up", "down"] as const) ?? "both";
  const ms = between(0, 500) / quicker;
  const faults = [
    (connection: number) => cable.reset({ connection }),
    (connection: number) => cable.close({ connection }),
    // Those that stay frozen for long are ended by the server or by their page.
    (connection: number) => cable.freeze({ connection, direction }),
    (connection: number) => cable.delay({ connection, direction, ms, jitterMs: ms }),
    (connection: number) => cable.throttle({ connection, direction, bytesPerSecond: 20_000 }),
  ];
  const fault = oneOf(faults);
  sums.broken += connections.length;
  for (const connection of connections) fault?.(connection);
  await pauseAtMost(between(500, 60_000) / quicker);
  // A connection that is over can't be healed.
  for (const connection of connections) await cable.heal({ connection }).catch(() => {});
}

/** The whole network behind the cable pauses, or can't be reached. */
async function failAltogether(cable: Cable) {
  if (Math.random() < 0.5) cable.freeze();
  else await cable.refuse();
  await pauseAtMost(between(1_000, 6_000) / quicker);
  await cable.heal();
}

type Sample = { minute: number; heap: number; rss: number };

/** How much a figure grows in a minute, in the straight line that fits best. */
function growth(samples: Sample[], figure: "heap" | "rss"): number {
  const mean = (of: (sample: Sample) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [x, y] = [mean(({ minute }) => minute), mean((sample) => sample[figure])];
  return (
    mean(({ minute, ...sample }) => (minute - x) * (sample[figure] - y)) /
    mean(({ minute }) => (minute - x) ** 2)
  );
}

const mib = (bytes = 0) => bytes / 1024 / 1024;

/** Calls `act` every so many milliseconds until the time is over, and then waits for what it has begun. */
async function every(ms: number, act: () => unknown) {
  const begun: unknown[] = [];
  const timer = setInterval(() => begun.push(act()), ms);
  await pause(ends - performance.now());
  clearInterval(timer);
  await Promise.all(begun);
}

test(
  `${pageCount} pages come and go while their network fails, for ${forMs / 60_000} min: nothing is lost, duplicated or reordered, the memory stays flat`,
  async () => {
    const server = await startMeasured("lessons/07-outbox/server.ts", {
      env: {
        HISTORY: String(history),
        PING_EVERY_MS: String(15_000 / quicker),
        GRACE_MS: String(10_000 / quicker),
      },
    });
    atEnd(server.kill);
    const cable = await createCable({ listenPort: 0, targetPort: server.port });
    atEnd(cable.end);
    const crowd = new Crowd([cable.port, ...Array(4).fill(server.port)]);
    const { judge, sums } = crowd;

    const began = performance.now();
    ends = began + forMs;
    const samples: Sample[] = [];
    async function sample() {
      const minute = (performance.now() - began) / 60_000;
      const [heap, rss, cpu] = [await server.ask("memory"), await server.ask("rss"), await server.ask("cpu")];
      samples.push({ minute, heap: mib(heap), rss: mib(rss) });
      const ownCpu = process.cpuUsage().user + process.cpuUsage().system;
      const figures = [
        `minute ${minute.toFixed(1)}: heap ${mib(heap).toFixed(1)} MiB, RSS ${mib(rss).toFixed(1)} MiB`,
        `CPU ${((cpu ?? 0) / 1e6).toFixed(0)} s, pages and cable ${(ownCpu / 1e6).toFixed(0)} s`,
        ...Object.entries({ ...sums, wrong: judge.wrong.length }).map(([name, sum]) => `${sum} ${name}`),
      ];
      if (real) console.log(figures.join(", "));
    }

    await Promise.all([
      every(100, () => {
        // By the clock: a busy computer calls this late.
        const due = ((performance.now() - began) / 1_000) * saidPerSecond;
        for (let n = sums.said; n < due; n++) crowd.say();
      }),
      every(1_000 / quicker, () => crowd.leave()),
      every(2_000 / quicker, () => crowd.replace()),
      every(1_000 / quicker, () => fail(cable, sums)),
      every(60_000 / quicker, () => failAltogether(cable)),
      every(500, () => crowd.collect()),
      every(sampleEveryMs, sample),
    ]);
    // On a busy computer, pages whose attempts wait too long in the queue try again for minutes.
    await until(() => crowd.isQuiet, settleMs).catch(() => {}); // what is missing is named below
    if (real) console.log(`quiet after ${((performance.now() - ends) / 1_000).toFixed(0)} s`);
    expect(judge.wrong.slice(0, 20)).toEqual([]);
    expect(crowd.unheard.map(({ name }) => name)).toEqual([]);
    expect(crowd.here.filter(({ last }) => last !== sums.said).map(({ name }) => name)).toEqual([]);
    // Otherwise nothing would have been tried.
    const tried = [sums.left, sums.replaced, sums.broken, sums.replayed, sums.gaps];
    expect(Math.min(...tried), JSON.stringify(sums)).toBeGreaterThan(0);

    const settled = samples.filter(({ minute }) => minute * 60_000 > settledMs);
    const grows = { heap: growth(settled, "heap"), rss: growth(settled, "rss") };
    if (real) console.log("MiB a minute:", grows, "said:", sums);
    if (settled.length >= 3) {
      expect(grows.heap).toBeLessThan(mostGrowth);
      expect(grows.rss).toBeLessThan(mostGrowth);
    }
    crowd.end();
  },
  forMs + settleMs + 30_000,
);
