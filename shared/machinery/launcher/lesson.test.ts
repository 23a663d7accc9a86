// The launcher: npm run lesson.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { rename, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { freePort, type Running, runNode } from "../testing/process.ts";
import { canConnect, whyNotFree } from "./ports.ts";
import { type Copy, copyWorkshop, serverSource } from "./workshop-copy.ts";

const server = "lessons/03-tale/server.ts";
let workshop: Copy;
let ports: { PORT: string; PAGE_PORT: string };
const runs: Running[] = [];

beforeAll(async () => {
  workshop = await copyWorkshop();
  const { start } = workshop;
  workshop.start = (args, env) => {
    const run = start(args, env);
    runs.push(run);
    return run;
  };
  ports = { PORT: String(await freePort()), PAGE_PORT: String(await freePort()) };
});

// A test that fails must not keep the ports from the next one.
afterEach(async () => {
  for (const run of runs.splice(0)) if (run.child.exitCode === null) await run.kill();
  for (const port of Object.values(ports))
    await expect.poll(() => whyNotFree("PORT", Number(port)), { timeout: 8_000 }).toBeUndefined();
});

/** Page and server answer, and what both printed when they started has come. */
async function isReady(run: Running) {
  const match = await run.prints(block);
  await run.prints(/Pages at/);
  await run.prints(/listening/);
  return match;
}

const block = /Open {2,}(http:\/\/localhost:\d+\/lessons\/03-tale\/)/;
const serverPid = /server pid (\d+)/g;

/** The ids of all server processes so far. */
const pids = (running: Running) => [...running.output().matchAll(serverPid)].map((match) => Number(match[1]));

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Polled: a killed process stays in the system's table until its parent has taken note. */
async function nothingIsLeft(run: Running) {
  expect(pids(run)).not.toEqual([]);
  await expect.poll(() => pids(run).filter(isRunning), { timeout: 8_000 }).toEqual([]);
  for (const port of Object.values(ports))
    await expect.poll(() => whyNotFree("PORT", Number(port)), { timeout: 8_000 }).toBeUndefined();
}

// Windows has no signals that a process could answer, and no ps.
const windows = process.platform === "win32";
const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === "::1"),
);

describe("without a lesson to start", () => {
  test("no argument lists the lessons: number, name, line, minutes", async () => {
    const list = workshop.start(["launcher/lesson"]);
    expect(await list.ended).toBe(0);
    expect(list.output()).toMatch(/3 +tale +Two & two\. \(20 min\)/);
  });

  test("a lesson that does not exist is answered with the list, exit 1", async () => {
    const run = workshop.start(["launcher/lesson", "9"]);
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(/^No lesson 9\. There is:\n\n +3 +tale/);
  });

  test.each([
    ["PORT", "0"],
    ["PORT", "65536"],
    ["PORT", "80.5"],
    ["PORT", ""],
    ["PAGE_PORT", "abc"],
    ["PAGE_PORT", "-1"],
  ])("%s=%j is refused in one line", async (variable, value) => {
    const run = workshop.start(["launcher/lesson", "3"], { ...ports, [variable]: value });
    expect(await run.ended).toBe(1);
    expect(run.output()).toBe(`${variable} has to be a whole number from 1 to 65535, not "${value}".\n`);
  });

  test("one port for both is refused in one line", async () => {
    const run = workshop.start(["launcher/lesson", "3"], { PORT: "9000", PAGE_PORT: "9000" });
    expect(await run.ended).toBe(1);
    expect(run.output()).toBe("PORT and PAGE_PORT are both 9000: they have to differ.\n");
  });

  test.each<[string, string]>([
    ["PORT", "127.0.0.1"],
    ["PAGE_PORT", "127.0.0.1"],
    ...(hasIpv6 ? [["PORT", "::1"] as [string, string]] : []),
    ["PAGE_PORT", "0.0.0.0"],
  ])("a taken %s (on %s) is named in one line, before anything is started", async (variable, host) => {
    const other = createServer().listen(0, host);
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const run = workshop.start(["launcher/lesson", "3"], { ...ports, [variable]: String(port) });
    expect(await run.ended).toBe(1);
    expect(run.output()).toBe(
      `Port ${port} is taken by another program, perhaps a lesson in another terminal: stop that one, or set ${variable} to another port.\n`,
    );
    other.close();
  });

  test("too old a Node is told so in one line", async () => {
    const pretend = "Object.defineProperty(process.versions, 'node', { value: '8.17.0' });";
    await workshop.save("old.cjs", pretend);
    const run = runNode(
      ["--require", workshop.path("old.cjs"), workshop.path("shared/machinery/start.cjs")],
      {},
      [],
    );
    expect(await run.ended).toBe(1);
    expect(run.output()).toBe(
      "The workshop needs Node 20 or newer, and this is 8.17.0: get one from https://nodejs.org\n",
    );
  });

  test("without its packages it says to install them", async () => {
    await rename(workshop.path("node_modules"), workshop.path("away"));
    const run = workshop.start(["launcher/lesson"]);
    const code = await run.ended;
    await rename(workshop.path("away"), workshop.path("node_modules"));
    expect(code).toBe(1);
    expect(run.output()).toBe("The workshop's packages are not there yet: run npm install first.\n");
  });
});

describe.each([
  {
    how: "with the cable",
    CABLE: undefined,
    runner: { name: "cable", word: "cable/cable" },
    signals: ["SIGINT", "SIGTERM", "SIGHUP"] as const,
  },
  {
    how: "without it",
    CABLE: "off",
    runner: { name: "server", word: "node_modules/tsx" },
    signals: ["SIGINT"] as const,
  },
])("a running lesson, $how", ({ CABLE, runner, signals }) => {
  test("the address is shown when both halves answer", async () => {
    const run = workshop.start(["launcher/lesson", "tale"], { ...ports, CABLE });
    const [, address = ""] = await isReady(run);
    expect((await fetch(address)).status).toBe(200);
    expect((await fetch(`http://localhost:${ports.PORT}/`)).status).toBe(200);
    expect(run.output()).toContain("lessons/03-tale/README.md");
    expect(run.output()).toMatch(/^\[server\] listening$/m);
    run.child.kill();
    await run.ended;
    await nothingIsLeft(run);
  });

  test.skipIf(windows).each(signals)(
    "%s ends everything with exit code 0 and no noise; the server may say goodbye",
    async (signal) => {
      const run = workshop.start(["launcher/lesson", "3"], { ...ports, CABLE });
      await isReady(run);
      const before = run.output();
      run.child.kill(signal);
      expect(await run.ended).toBe(0);
      expect(run.output().slice(before.length)).toBe("[server] goodbye\n");
      await nothingIsLeft(run);
    },
  );

  test.skipIf(windows)("the end of what runs the server ends everything, the server too", async () => {
    const run = workshop.start(["launcher/lesson", "3"], { ...ports, CABLE });
    await isReady(run);
    const killedAt = performance.now();
    endChild(run, runner.word);
    expect(await run.ended).toBe(1);
    expect(performance.now() - killedAt).toBeLessThan(5_000);
    expect(run.output()).toContain(`The ${runner.name} process ended unexpectedly (SIGKILL): stopping.\n`);
    await nothingIsLeft(run);
  });

  test("an error in server.ts is shown, then one line that says so; saving it fixed brings the server back", async () => {
    await workshop.save(server, "const server = = 1;\n");
    const run = workshop.start(["launcher/lesson", "3"], { ...ports, CABLE });
    await run.prints(/Unexpected "="[\s\S]*server\.ts has an error \(see above\)\. Fix it and save\./);
    expect(run.output()).not.toMatch(block);
    await workshop.save(server, serverSource);
    await isReady(run);

    // Again, now by an editor that saves by renaming, after the lesson has run. Its place is where it was written.
    await writeFile(workshop.path(`${server}~`), "\n\nthrow new Error('at run time');\n");
    await rename(workshop.path(`${server}~`), workshop.path(server));
    await run.prints(/server\.ts:3[\s\S]*Error: at run time[\s\S]*has an error \(see above\)/);
    await workshop.save(server, serverSource);
    await run.prints(/The server is running again\./);
    expect(run.output().match(/has an error/g)).toHaveLength(2);
    expect(run.output()).not.toContain("does not listen");
    run.child.kill();
    await run.ended;
  });

  test("a server that loops before it listens is reported as that, and can be fixed", async () => {
    await workshop.save(server, "console.log('here'); for (;;);\n");
    const run = workshop.start(["launcher/lesson", "3"], { ...ports, CABLE });
    await run.prints(/here[\s\S]*server\.ts has been running for 8 s but does not listen on PORT yet\./);
    expect(run.output()).not.toContain("has an error");
    await workshop.save(server, serverSource);
    await isReady(run);
    run.child.kill();
    await run.ended;
    await nothingIsLeft(run);
  });
});

describe("a running lesson", () => {
  test("not in a terminal, the output has no colours and nothing is offered", async () => {
    const run = workshop.start(["launcher/lesson", "3"], { ...ports, NO_COLOR: undefined, FORCE_COLOR: "1" });
    await isReady(run);
    run.child.kill();
    await run.ended;
    expect(run.output()).not.toContain("\x1b");
    expect(run.output()).not.toContain("Press Enter");
  });

  test.skipIf(windows)(
    "the end of the page process ends everything, exit 1, with a line that says so",
    async () => {
      const run = workshop.start(["launcher/lesson", "3"], { ...ports });
      await isReady(run);
      endChild(run, "pages");
      expect(await run.ended).toBe(1);
      expect(run.output()).toMatch(/^The page process ended unexpectedly \(SIGKILL\): stopping\.$/m);
      await nothingIsLeft(run);
    },
  );

  test.skipIf(windows)("when npm is killed, nothing is left running", async () => {
    const run = workshop.npmRun(["lesson", "3"], ports);
    await isReady(run);
    run.child.kill("SIGKILL");
    await nothingIsLeft(run);
  });

  test("a restart is reported once, and without an error", async () => {
    const run = workshop.start(["launcher/lesson", "3"], { ...ports });
    await isReady(run);
    await workshop.save(server, `${serverSource}\n// saved\n`);
    await run.prints(/The server is running again\./);
    expect(run.output()).not.toContain("error");
    run.child.kill();
    await run.ended;
    expect(run.output().match(/running again/g)).toHaveLength(1);
  });

  test("control characters that the server prints are shown as text", async () => {
    await workshop.save(server, `${serverSource}console.log("close 1000 \\x1b[2J\\u009b31m");\n`);
    const run = workshop.start(["launcher/lesson", "3"], { ...ports });
    await run.prints(/close 1000 \\x1b\[2J\\x9b31m/);
    expect(run.output()).not.toContain("\x1b");
    run.child.kill();
    await run.ended;
    await workshop.save(server, serverSource);
  });

  test("HOST in the environment opens nothing", async () => {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === "IPv4" && !one.internal)?.address;
    const run = workshop.start(["launcher/lesson", "3"], {
      ...ports,
      HOST: "0.0.0.0",
      CABLE_HOST: "0.0.0.0",
    });
    await isReady(run);
    const open = outside && Object.values(ports).map((port) => canConnect(Number(port), outside));
    expect(await Promise.all(open || [])).not.toContain(true);
    run.child.kill();
    await run.ended;
  });

  test.skipIf(!hasIpv6)("page and server answer on ::1 too", async () => {
    const run = workshop.start(["launcher/lesson", "3"], { ...ports });
    await isReady(run);
    for (const port of Object.values(ports)) expect(await canConnect(Number(port), "::1", 2_000)).toBe(true);
    run.child.kill();
    await run.ended;
  });

  test("a launcher that is killed leaves nothing running", async () => {
    const run = workshop.start(["launcher/lesson", "3"], { ...ports });
    await isReady(run);
    run.child.kill("SIGKILL");
    await run.ended;
    await nothingIsLeft(run);
  });
});

/** Kills one of the launcher's children, the one with `word` among its arguments. */
function endChild(run: Running, word: string) {
  const table = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" });
  const line = table
    .split("\n")
    .find((row) => row.trim().split(/ +/)[1] === String(run.child.pid) && row.includes(word));
  process.kill(Number(line?.trim().split(/ +/)[0]), "SIGKILL");
}
