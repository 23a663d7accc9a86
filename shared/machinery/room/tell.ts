// Sends a learner's results to the instructor's room, if the learner has said where it is:
// `ROOM=http://192.0.2.7:8001 npm run check 3`, or `npm run check 3 -- --room=http://192.0.2.7:8001`. Once is enough.
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createRequire } from "node:module";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline/promises";
import type * as Valibot from "valibot";
import type { Report } from "../checks/run.ts";
import { root } from "../launcher/lessons.ts";
import { wrap } from "../launcher/wrap.ts";
import { showControls } from "../supervisor/output.ts";
import type { Results } from "./grid.ts";

/** Kept in .workshop. `unsent` are results that have not reached the room yet, by lesson. */
type Membership = { address: string; name: string; key: string; unsent: Record<string, Results> };

const file = join(root, ".workshop", "room", "mine.json");
const answerWithinMs = 3_000;

let mine: Membership | undefined;
let isNew = false;

/**
 * Reads --room, --name and ROOM, and what is remembered of them. Asks for a name, the first time.
 * @returns the other arguments
 * @throws one line for the learner when the address or the name is unusable
 */
export async function joinRoom(args: string[]): Promise<string[]> {
  // PowerShell keeps the -- for itself; npm then puts --room into the environment.
  const flag = (name: string) =>
    args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ??
    (process.env.npm_config_room === undefined ? undefined : process.env[`npm_config_${name}`]);
  const rest = args.filter((arg) => !/^--(room|name)=/.test(arg));
  const [wanted, name] = [flag("room") ?? process.env.ROOM, flag("name")];
  mine = remembered();
  if (wanted === "off") {
    mine = undefined;
    rmSync(file, { force: true });
    return rest;
  }
  const address = wanted ? readAddress(wanted) : mine?.address;
  if (address === undefined) return rest;
  isNew = address !== mine?.address || (name !== undefined && name !== mine.name);
  if (!isNew) return rest;
  const chosen = name !== undefined ? readName(name) : (mine?.name ?? (await askName()));
  mine = { key: randomBytes(16).toString("hex"), unsent: {}, ...mine, address, name: chosen };
  remember();
  return rest;
}

/** Keeps the results of a lesson until `tellRoom` sends them. */
export function noteForRoom(lesson: string, report: Report): void {
  if (!mine) return;
  mine.unsent[lesson] =
    "results" in report
      ? report.results.map(({ fault }) => (!fault ? "pass" : fault.kind === "unsure" ? "unsure" : "fail"))
      : [];
  remember();
}

/** Sends what has been noted, and says what has left this computer. Takes three seconds at most, and never throws. */
export async function tellRoom(): Promise<void> {
  if (!mine || Object.keys(mine.unsent).length === 0) return;
  const { address, name, key, unsent } = mine;
  const lessons = Object.entries(unsent).map(([lesson, results]) => ({ lesson, results }));
  const { status, text } = await post(address, JSON.stringify({ key, name, lessons }));
  if (status === undefined)
    return say(`${address} does not answer. Your results will be sent with your next check.`);
  // Results that this room doesn't want are not offered again and again.
  if (status !== 429 && status !== 503) {
    mine.unsent = {};
    remember();
  }
  const { name: shown, error } = readAnswer(text);
  if (status !== 200) return say(`not sent: ${error ?? `the room answered with status ${status}.`}`);
  if (!isNew)
    return say(`sent as ${shown ?? name}: name, lesson, results and the random number, nothing else`);
  isNew = false;
  say(
    `sent to ${address} as ${shown ?? name}: this name, the lesson, which checks pass, and a random number that ` +
      "stands for this computer. Nothing else. Each check does so from now on, until you run " +
      "npm run check -- --room=off",
  );
}

function say(text: string) {
  console.log(`    Room       ${wrap(showControls(text), 15)}\n`);
}

function remembered(): Membership | undefined {
  try {
    const { address, name, key, unsent } = JSON.parse(readFileSync(file, "utf8"));
    return { address: readAddress(address), name: String(name), key: String(key), unsent: { ...unsent } };
  } catch {
    return;
  }
}

function remember() {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(mine, null, 2)}\n`);
}

/** "192.0.2.7:8001" is meant as "http://192.0.2.7:8001". */
function readAddress(wanted: string): string {
  const text = /^\w+:\/\//.test(wanted) ? wanted : `http://${wanted}`;
  const { protocol = "", origin = "" } = URL.canParse(text) ? new URL(text) : {};
  if (protocol !== "http:")
    throw new Error(`The room's address looks like http://192.0.2.7:8001, not "${showControls(wanted)}".`);
  return origin;
}

/** @throws what is wrong with the name */
function readName(name: string): string {
  // Loaded only here, since most checks have no room, and these tables take a while.
  const require = createRequire(import.meta.url);
  const { safeParse } = require("valibot") as typeof Valibot;
  const { Name } = require("../../both/message.ts") as typeof import("../../both/message.ts");
  const { success, output, issues } = safeParse(Name, name);
  if (success) return output;
  throw new Error(`The name ${issues[0].message} Give one: npm run check 3 -- --name=Ada`);
}

/** Asks for a name. Without a terminal, it is that of the user on this computer. */
async function askName(): Promise<string> {
  let usual = "Somebody";
  try {
    usual = readName(userInfo().username);
  } catch {
    // This computer has no usable one.
  }
  if (!process.stdin.isTTY || !process.stdout.isTTY) return usual;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`Your name, as the room will show it [${usual}]: `);
  terminal.close();
  return readName(answer.trim() || usual);
}

/** The answer's status and body. The status is undefined if nothing answered. */
function post(address: string, body: string): Promise<{ status?: number; text: string }> {
  return new Promise((resolve) => {
    const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
    const signal = AbortSignal.timeout(answerWithinMs);
    // An agent of its own: a proxy, which Node may be told to use, doesn't know the room.
    const sent = request(
      `${address}/results`,
      { method: "POST", headers, signal, agent: new Agent() },
      (response) => {
        let text = "";
        const { statusCode: status = 0 } = response;
        response.setEncoding("utf8").on("data", (chunk) => {
          text += chunk;
          if (text.length > 2_000) response.destroy();
        });
        response.on("error", () => {}).on("close", () => resolve({ status, text }));
      },
    );
    sent.on("error", () => resolve({ text: "" })).end(body);
  });
}

function readAnswer(text: string): { name?: string; error?: string } {
  try {
    const { name, error } = JSON.parse(text);
    return {
      ...(typeof name === "string" && { name: name.slice(0, 100) }),
      ...(typeof error === "string" && { error: error.slice(0, 300) }),
    };
  } catch {
    return {};
  }
}
