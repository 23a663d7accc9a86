// The supervisor leaves no process running, and lets every program say goodbye.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { runNode } from "../testing/process.ts";
import { goodbye, type Supervised, sayGoodbye, startNode } from "./supervisor.ts";

const windows = process.platform === "win32";
const folder = mkdtempSync(join(tmpdir(), "supervisor-"));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

function program(name: string, code: string): string {
  const file = join(folder, name);
  writeFileSync(file, code);
  return file;
}

/** Starts a child of its own, as a learner's server may, and prints both process ids. */
const startsAChild = `
  const { spawn } = require("node:child_process");
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  console.log("pids", process.pid, child.pid);
`;
const polite = program(
  "polite.cjs",
  `process.on("SIGTERM", () => { console.log("goodbye"); process.exit(0); }); setInterval(() => {}, 1000); console.log("ready");`,
);
const stubborn = program(
  "stubborn.cjs",
  `process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("ready");`,
);
const looping = program("looping.cjs", `${startsAChild} process.on("SIGTERM", () => {}); for (;;);`);
const leaving = program("leaving.cjs", `${startsAChild} child.unref();`);

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Polled: a killed process stays in the system's table until its parent has taken note. */
const areGone = (pids: number[]) =>
  expect.poll(() => pids.filter(isRunning), { timeout: 8_000, interval: 50 }).toEqual([]);

const pidsIn = (text: string) => (text.match(/pids (.*)/)?.[1] ?? "").split(" ").map(Number);

/** What it prints, once that matches. */
function prints({ child }: Supervised, pattern: RegExp): Promise<string> {
  let text = "";
  return new Promise((resolve) =>
    child.stdout?.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      if (pattern.test(text)) resolve(text);
    }),
  );
}

describe("no process is left running", () => {
  test("when the supervising process is killed, not even an endless loop and its child", async () => {
    const supervising = program(
      "supervising.mts",
      `import { startNode } from ${JSON.stringify(new URL("supervisor.ts", import.meta.url).href)};
       startNode([${JSON.stringify(looping)}], { output: "inherit" });`,
    );
    const parent = runNode([supervising]);
    const [text] = await parent.prints(/pids \d+ \d+/);
    parent.child.kill("SIGKILL");
    await areGone(pidsIn(text));
  });

  test("when the supervising process is killed before its guard knows the program", async () => {
    const unguarded = program(
      "unguarded.cjs",
      `const args = ["-e", "console.log('pids', process.pid, process.ppid); setInterval(() => {}, 1000)"];
       require("node:child_process").spawn(process.execPath, ["--require", ${JSON.stringify(goodbye)}, ...args], {
         stdio: ["ignore", "inherit", "inherit", "ipc"], detached: true,
       });`,
    );
    const parent = runNode([unguarded]);
    const [text] = await parent.prints(/pids \d+ \d+/);
    parent.child.kill("SIGKILL");
    await areGone(pidsIn(text));
  });

  test("when a program ends and leaves a child", async () => {
    const one = startNode([leaving]);
    const pids = pidsIn(await prints(one, /pids \d+ \d+/));
    expect(await one.ended).toEqual({ code: 0, signal: null, why: "exit code 0" });
    await areGone(pids);
  });

  test("when a program in an endless loop is killed", async () => {
    const one = startNode([looping]);
    const pids = pidsIn(await prints(one, /pids \d+ \d+/));
    await one.kill();
    await areGone(pids);
  });
});

describe("the end of a program", () => {
  test.skipIf(windows)(
    "by signal: it says goodbye, and its last words are read before it counts as ended",
    async () => {
      const one = startNode([polite]);
      const words = prints(one, /goodbye/);
      await prints(one, /ready/);
      expect((await one.end()).why).toBe("exit code 0");
      await words;
    },
  );

  test("by message, as on Windows: it says goodbye the same way", async () => {
    const one = startNode([polite]);
    const words = prints(one, /goodbye/);
    await prints(one, /ready/);
    sayGoodbye(one.child, "message");
    expect((await one.ended).code).toBe(0);
    await words;
  });

  test("a program that doesn't go is killed after 3 s", async () => {
    const one = startNode([stubborn]);
    await prints(one, /ready/);
    const startedAt = performance.now();
    const { why } = await one.end();
    if (!windows) expect(why).toBe("killed (SIGKILL)");
    expect(performance.now() - startedAt).toBeGreaterThan(2_900);
  });

  test("a program that could not be started is reported with the reason", async () => {
    const one = startNode([polite], { cwd: join(folder, "no-such-folder") });
    expect((await one.ended).why).toMatch(/ENOENT/);
    await one.end();
  });
});

test("a message that arrives before the program listens is not lost", async () => {
  const late = program(
    "late.cjs",
    `setTimeout(() => process.on("message", (text) => { console.log("got", text); process.exit(); }), 200);`,
  );
  const one = startNode([late]);
  one.child.send("early");
  await prints(one, /got early/);
  await one.ended;
});

test("a program that tsx runs begins, too", async () => {
  const file = program("typed.mts", `const word: string = "typed"; console.log(word);`);
  const tsx = fileURLToPath(import.meta.resolve("tsx"));
  const one = startNode(["--import", new URL(`file://${tsx}`).href, file]);
  await prints(one, /typed/);
  await one.ended;
});
