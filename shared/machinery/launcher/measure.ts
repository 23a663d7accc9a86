// Measures how long a lesson takes to start, and how long its two servers take when they are started by hand. In turns:
// node --import tsx … [rounds] [folder]
import { rm } from "node:fs/promises";
import { get } from "node:http";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { type Supervised, startNode } from "../supervisor/supervisor.ts";
import { root } from "./lessons.ts";
import { anyFreePort } from "./ports.ts";

const rounds = Number(process.argv[2] ?? 11);
/** Another checkout of the workshop to measure beside this one. */
const other = process.argv[3];
const folder = "03-chat";

type Way = { name: string; start(port: string, pagePort: string): (() => Promise<unknown>)[] };

/** npm's own start is part of what a learner waits for, so both ways go through it. */
function npm(cwd: string, args: string[], env: Record<string, string>) {
  const npmCli =
    process.env.npm_execpath ?? join(dirname(process.execPath), "../lib/node_modules/npm/bin/npm-cli.js");
  return startNode([npmCli, ...args], { cwd, env: { ...process.env, ...env }, output: "ignore" });
}
const ends = (...all: Supervised[]) => all.map((one) => () => one.end());

const lesson =
  (cwd: string, env: Record<string, string> = {}): Way["start"] =>
  (PORT, PAGE_PORT) =>
    ends(npm(cwd, ["run", "lesson", "3"], { ...env, PORT, PAGE_PORT }));

const compiled = join(root, ".workshop", "measure.mjs");
const ways: Way[] = [
  {
    name: "by hand: npx ws, node server.js",
    start: (PORT, pagePort) =>
      ends(
        npm(root, ["exec", "--", "ws", "--port", pagePort], {}),
        startNode([compiled], { env: { ...process.env, PORT }, output: "ignore" }),
      ),
  },
  { name: "npm run lesson 3", start: lesson(root) },
  { name: "npm run lesson 3, CABLE=off", start: lesson(root, { CABLE: "off" }) },
  ...(other ? [{ name: `npm run lesson 3 in ${other}`, start: lesson(other) }] : []),
];

function answers(port: string, path: string): Promise<void> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const ask = () => {
      const again = () =>
        performance.now() - startedAt > 20_000
          ? reject(new Error(`Nothing answers on port ${port}.`))
          : setTimeout(ask, 5);
      get(
        { host: "127.0.0.1", port, path, headers: { Host: `localhost:${port}` }, agent: false },
        (response) => {
          response.resume();
          resolve();
        },
      ).on("error", again);
    };
    ask();
  });
}

async function main() {
  const entryPoints = [join(root, "lessons", folder, "server.ts")];
  await build({
    entryPoints,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    outfile: compiled,
  });
  const results = new Map<string, { page: number[]; both: number[] }>();
  for (let round = 0; round < rounds; round++)
    for (const { name, start } of ways) {
      const [port, pagePort] = [String(await anyFreePort()), String(await anyFreePort())];
      const startedAt = performance.now();
      const all = start(port, pagePort);
      const since = () => performance.now() - startedAt;
      const [page, server] = await Promise.all([
        answers(pagePort, `/lessons/${folder}/`).then(since),
        answers(port, "/").then(since),
      ]);
      const found = results.get(name) ?? { page: [], both: [] };
      results.set(name, found);
      found.page.push(page);
      found.both.push(Math.max(page, server));
      await Promise.all(all.map((end) => end()));
    }
  await rm(compiled);
  const median = (values: number[]) => Math.round(values.sort((a, b) => a - b)[values.length >> 1] ?? 0);
  console.log(`Medians of ${rounds} rounds in turns, ms until it answers:`);
  for (const [name, { page, both }] of results)
    console.log(
      `${String(median(page)).padStart(6)} page ${String(median(both)).padStart(6)} page and server   ${name}`,
    );
}

void main();
