// npm run bench: what the transports and the lessons' servers cost, each beside a reference of the same run. Takes about
// three minutes. JSON=1 prints the figures as JSON. Either way they are in .workshop/bench.json and bench.md as well.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { root } from "../launcher/lessons.ts";
import { type FanOut, fanOut } from "./fan-out.ts";
import { halfOpen } from "./half-open.ts";
import { oneWrite } from "./one-write.ts";
import { comeBack, type Return, ways } from "./outage.ts";
import { type Pointers, pointers } from "./pointers.ts";
import { type Results, toMarkdown } from "./report.ts";
import { type Transport, transports } from "./transports.ts";

const began = performance.now();
const terminal = process.stderr.isTTY;
/** How many processes wanted a core in the minute before. Windows doesn't know. */
const load = process.platform === "win32" ? "load unknown" : `load ${loadavg()[0]?.toFixed(1)} at the start`;

void main();

async function main() {
  say("Measuring for about three minutes. Other programs that run meanwhile change the figures.\n");
  const few = await step("transports: 1 message a second", async () => [
    // There is little to do, so all of them run at the same time.
    ...(await Promise.all([transports(1, 1, 10, "together"), transports(50, 1, 10, "together")])).flat(),
  ]);
  const one = await step("transports: 20 messages a second, 1 client", () =>
    transports(1, 20, 4, "together"),
  );
  const many = await step("transports: 20 messages a second, 50 clients", () =>
    transports(50, 20, 2.5, "in turn"),
  );
  const moving: Pointers[] = [];
  for (const count of [50, 200])
    moving.push(
      ...(await step(`pointers: ${count} in one room`, () =>
        pointers(count, { warmUpMs: 2_500, seconds: 3 }),
      )),
    );
  const fanOuts: FanOut[] = [];
  for (const [clients, rounds, messages] of [
    [1_000, 12, 80],
    [10_000, 6, 10],
  ] as const)
    fanOuts.push(
      ...(await step(`fan-out: ${clients.toLocaleString("en-US")} clients`, (progress) =>
        fanOut(clients, rounds, messages, progress),
      ).catch(leftOut)),
    );
  const oneWrites = await step("one write for many: 1,000 clients", (progress) =>
    oneWrite(1_000, 10, progress),
  ).catch(leftOut);
  const returns: Return[] = [];
  // One after another: clients that all come in the same instant would slow each other down.
  for (const together of [["fixed"], ["doubling"], ["jitter5", "jitter12"]] as const)
    returns.push(
      ...(await step(`coming back: ${together.map((way) => ways[way].name).join("; ")}`, async () =>
        Promise.all(together.flatMap((way) => [200, 1_000].map((clients) => comeBack(way, clients, 3)))),
      )),
    );
  const all = ["fixed", "doubling", "jitter5", "jitter12"] as const;
  returns.push(
    ...(await step("coming back: all of them, after 10 s", () =>
      Promise.all(all.map((way) => comeBack(way, 200, 10))),
    )),
  );
  const shortened = 10;
  const sides = await step("half-open connections", () => halfOpen(20, shortened));

  report({
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    versions: `Node ${process.versions.node}, ws ${version("ws")}, socket.io ${version("socket.io")}`,
    transports: byConditions([...few, ...one, ...many]),
    pointers: moving,
    fanOut: fanOuts,
    oneWrite: oneWrites,
    returns,
    halfOpen: { shortened, sides },
  });
}

/** Does one part, and prints its name and how long it took. */
async function step<Value>(name: string, job: (progress: () => void) => Promise<Value>): Promise<Value> {
  const from = performance.now();
  say(`  ${name} `);
  const value = await job(() => terminal && say("."));
  say(` ${Math.round((performance.now() - from) / 1_000)} s\n`);
  return value;
}

/** On some systems a process may open fewer files than ten thousand clients need. */
function leftOut(error: Error): [] {
  say(`left out: ${error.message}\n`);
  return [];
}

function report(results: Results) {
  const folder = join(root, ".workshop");
  mkdirSync(folder, { recursive: true });
  const json = `${JSON.stringify(results, null, 2)}\n`;
  const markdown = toMarkdown(results);
  writeFileSync(join(folder, "bench.json"), json);
  writeFileSync(join(folder, "bench.md"), markdown);
  say(`  all in ${Math.round((performance.now() - began) / 1_000)} s\n\n`);
  console.log(process.env.JSON ? json : markdown);
  say("The same is in .workshop/bench.md, and as JSON in .workshop/bench.json.\n");
  process.exit(0);
}

function byConditions(rows: Transport[]): Transport[] {
  return rows.sort((a, b) => b.clients - a.clients || a.messagesPerSecond - b.messagesPerSecond);
}

function describeMachine(): string {
  const [{ model = "an unknown processor" } = {}] = cpus();
  return `${cpus().length} cores of ${model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}, ${load}`;
}

function version(name: string): string {
  const file = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return JSON.parse(readFileSync(file, "utf8")).version;
}

/** Progress goes to stderr, and the figures to stdout. */
function say(text: string) {
  process.stderr.write(text);
}
