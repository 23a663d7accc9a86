// The launcher: npm run lesson.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { rename, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { until } from "../testing/lesson.ts";
import { freePort, type Running, runNode } from "../testing/process.ts";
import { canConnect, readPort, whyNotFree } from "./ports.ts";
import { type Copy, copyWorkshop, serverSource } from "./workshop-copy.ts";

const server = "lessons/03-tale/server.ts";

type Ports = { PORT: string; PAGE_PORT: string };
const freePorts = async (): Promise<Ports> => ({
  PORT: String(await freePort()),
  PAGE_PORT: String(await freePort()),
});

/** Page and server answer, and what both printed when they started has come. */
async function isReady(run: Running) {
  const match = await run.prints(block);
  await run.prints(/Pages at/);
  await run.prints(/listening/);
  return match;
}

const block = /Open {2,}(http:\/\/localhost:\d+\/lessons\/03-tale\/)/;
/** It never lets go of its thread, as `for (;;);` would, but takes no processor time from the tests beside it. */
const endlessLoop = "for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);";
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
async function nothingIsLeft(run: Running, ports: Ports) {
  expect(pids(run)).not.toEqual([]);
  await until(() => !pids(run).some(isRunning));
  for (const port of Object.values(ports)) await until(async () => !(await whyNotFree("PORT", Number(port))));
}

// Windows has no signals that a process could answer, and no ps.
const windows = process.platform === "win32";
const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === "::1"),
);

describe("without a lesson to start", () => {
  let workshop: Copy;
  let ports: Ports;
  beforeAll(async () => {
    workshop = await copyWorkshop();
    ports = await freePorts();
  });

  test("no argument lists the lessons: number, name, line, minutes", async () => {
    const list = workshop.start(["launcher/lesson"]);
    expect(await list.ended).toBe(0);
    expect(list.output()).toMatch(/3 +tale +Two & two\. \(20 min\)/);
  });

  test("a lesson that does not exist is answered with the list, exit 1", async () => {
    const run = workshop.start(["launcher/lesson", "9"]);
    expect(await run.ended).toBe(1);
    expect(run.output()).toMatch(/^No lesson 9\. The lessons are:\n\n +3 +tale/);
  });

  test("an invalid port is refused in one line", async () => {
    const run = workshop.start(["launcher/lesson", "3"], { ...ports, PORT: "" });
    expect(await run.ended).toBe(1);
    expect(run.output()).toBe('PORT has to be a whole number from 1 to 65535, not "".\n');
  });

  test.each([
    ["PORT", "0"],
    ["PORT", "65536"],
    ["PORT", "80.5"],
    ["PAGE_PORT", "abc"],
    ["PAGE_PORT", "-1"],
  ] as const)("%s=%j is an invalid port", (variable, value) => {
    vi.stubEnv(variable, value);
    expect(() => readPort(variable)).toThrow(
      `${variable} has to be a whole number from 1 to 65535, not "${value}".`,
    );
    vi.unstubAllEnvs();
  });

  test("one port for both is refused in one line", async () => {
    const run = workshop.start(["launcher/lesson", "3"], { PORT: "9000", PAGE_PORT: "9000" });
    expect(await run.ended).toBe(1);
    expect(run.output()).toBe("PORT and PAGE_PORT are both 9000: they have to differ.\n");
  });

  const taken = (variable: string, port: number) =>
    `Port ${port} is taken by another program, perhaps a lesson in another terminal: stop that one, or set ${variable} to another port.`;

  test("a taken port is named in one line, before anything is started", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const run = workshop.start(["launcher/lesson", "3"], { ...ports, PAGE_PORT: String(port) });
    expect(await run.ended).toBe(1);
    expect(run.output()).toBe(`${taken("PAGE_PORT", port)}\n`);
    other.close();
  });

  test.each(["127.0.0.1", "0.0.0.0", ...(hasIpv6 ? ["::1"] : [])])(
    "a port is taken when a program listens on %s",
    async (host) => {
      const other = createServer().listen(0, host);
      await once(other, "listening");
      const { port } = other.address() as AddressInfo;
      expect(await whyNotFree("PORT", port)).toBe(taken("PORT", port));
      other.close();
    },
  );

  test("a Node that is too old is refused in one line", async () => {
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
    // npm test begins with start.cjs alone.
    const runs = [workshop.start(["launcher/lesson"]), workshop.start([])];
    const codes = await Promise.all(runs.map((run) => run.ended));
    await rename(workshop.path("away"), workshop.path("node_modules"));
    expect(codes).toEqual([1, 1]);
    for (const run of runs)
      expect(run.output()).toBe("The workshop's packages are not installed yet: run npm install first.\n");
    expect(await workshop.start([]).ended).toBe(0);
  });
});

/**
 * A workshop of its own for tests that run in turn. One start of a lesson takes two seconds of the processor, so
 * several tests look at the same run: the first starts it, the last ends it.
 */
function lessonInTurn(name: string, CABLE: string | undefined, tests: (lesson: LessonInTurn) => void) {
  // Beside the other groups, in itself in turn.
  describe(name, () => {
    describe.sequential("in turn", () => {
      const lesson = {
        start: async (args: string[], env: Record<string, string | undefined> = {}) => {
          lesson.ports = await freePorts();
          lesson.run = lesson.workshop.start(args, { ...lesson.ports, CABLE, ...env });
        },
      } as LessonInTurn;
      beforeAll(async () => {
        lesson.workshop = await copyWorkshop();
      });
      tests(lesson);
    });
  });
}
type LessonInTurn = {
  workshop: Copy;
  run: Running;
  ports: Ports;
  /** Starts the next run, on free ports. */
  start(args: string[], env?: Record<string, string | undefined>): Promise<void>;
};

/** The lesson that runs is ended by a signal, or on Windows, which has none, by the supervisor's message. */
function endsInOrder(lesson: LessonInTurn, signal: NodeJS.Signals) {
  test.skipIf(windows && signal !== "SIGTERM")(
    `${signal} ends everything with exit code 0 and no noise; the server may say goodbye`,
    async () => {
      const { run } = lesson;
      const before = run.output();
      if (signal === "SIGTERM") void run.end();
      else run.child.kill(signal);
      expect(await run.ended).toBe(0);
      expect(run.output().slice(before.length)).toBe("[server] goodbye\n");
      await nothingIsLeft(run, lesson.ports);
    },
  );
}

/** The lesson that runs ends because one of its processes was killed, the one with `word` among its arguments. */
function endsWith(lesson: LessonInTurn, name: string, word: string) {
  test.skipIf(windows)(
    `the end of the ${name} process ends everything, exit code 1, with a line that says so`,
    async () => {
      const { run } = lesson;
      const killedAt = performance.now();
      endChild(run, word);
      expect(await run.ended).toBe(1);
      expect(performance.now() - killedAt).toBeLessThan(10_000);
      expect(run.output()).toContain(`The ${name} process ended unexpectedly (SIGKILL): stopping.\n`);
      await nothingIsLeft(run, lesson.ports);
    },
  );
}

function showsItsAddress(lesson: LessonInTurn, env: Record<string, string | undefined> = {}) {
  test("the address is shown when both halves answer", async () => {
    await lesson.start(["launcher/lesson", "tale"], env);
    const { run, ports } = lesson;
    const [, address = ""] = await isReady(run);
    expect((await fetch(address)).status).toBe(200);
    expect((await fetch(`http://localhost:${ports.PORT}/`)).status).toBe(200);
    expect(run.output()).toContain("lessons/03-tale/README.md");
    expect(run.output()).toMatch(/^\[server\] listening$/m);
  });
}

function saysWhatIsWrong(lesson: LessonInTurn) {
  test("an error in server.ts is shown, then one line that says so; saving it fixed brings the server back", async () => {
    const { workshop } = lesson;
    await workshop.save(server, "const server = = 1;\n");
    await lesson.start(["launcher/lesson", "3"]);
    const { run } = lesson;
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
  });

  test("a server that loops before it listens is reported as that, and can be fixed", async () => {
    const { workshop, run } = lesson;
    await workshop.save(server, `console.log('here'); ${endlessLoop}\n`);
    await run.prints(/here[\s\S]*server\.ts has been running for 8 s but does not listen on PORT yet\./);
    expect(run.output().match(/has an error/g)).toHaveLength(2);
    await workshop.save(server, serverSource);
    await run.prints(/does not listen[\s\S]*The server is running again\./);
  });
}

describe.concurrent("a running lesson", () => {
  lessonInTurn("with the cable", undefined, (lesson) => {
    showsItsAddress(lesson, {
      NO_COLOR: undefined,
      FORCE_COLOR: "1",
      HOST: "0.0.0.0",
      CABLE_HOST: "0.0.0.0",
    });

    test("not in a terminal, the output has no colors and nothing is offered", () => {
      expect(lesson.run.output()).not.toContain("\x1b");
      expect(lesson.run.output()).not.toContain("Press Enter");
    });

    test("without LAN nobody on the network gets in, whatever HOST says", async () => {
      // Linux answers on all of 127.0.0.0/8 where a program listens on every address.
      if (process.platform === "linux")
        for (const port of Object.values(lesson.ports))
          expect(await canConnect(Number(port), "127.0.0.2", 10_000)).toBe(false);
      const outside = Object.values(networkInterfaces())
        .flat()
        .find((one) => one?.family === "IPv4" && !one.internal)?.address;
      const open = outside && Object.values(lesson.ports).map((port) => canConnect(Number(port), outside));
      expect(await Promise.all(open || [])).not.toContain(true);
    });

    test.skipIf(!hasIpv6)("page and server answer on ::1 too", async () => {
      for (const port of Object.values(lesson.ports))
        expect(await canConnect(Number(port), "::1", 10_000)).toBe(true);
    });

    test("a restart is reported once, and without an error", async () => {
      const { run, workshop } = lesson;
      await workshop.save(server, `${serverSource}\n// saved\n`);
      await run.prints(/The server is running again\./);
      expect(run.output()).not.toContain("error");
    });

    test("control characters that the server prints are shown as text", async () => {
      const { run, workshop } = lesson;
      await workshop.save(server, `${serverSource}console.log("close 1000 \\x1b[2J\\u009b31m");\n`);
      await run.prints(/close 1000 \\x1b\[2J\\x9b31m/);
      await run.prints(/running again[\s\S]*running again/);
      expect(run.output()).not.toContain("\x1b");
      // Of two restarts.
      expect(run.output().match(/running again/g)).toHaveLength(2);
    });

    test("a launcher that is killed leaves nothing running", async () => {
      await lesson.run.kill();
      await nothingIsLeft(lesson.run, lesson.ports);
    });

    test.skipIf(windows)("when npm is killed, nothing is left running", async () => {
      const ports = await freePorts();
      const run = lesson.workshop.npmRun(["lesson", "3"], ports);
      await isReady(run);
      run.child.kill("SIGKILL");
      await nothingIsLeft(run, ports);
    });
  });

  lessonInTurn("whose server has faults", undefined, (lesson) => {
    saysWhatIsWrong(lesson);
    endsInOrder(lesson, "SIGHUP");
  });

  lessonInTurn("without the cable", "off", (lesson) => {
    showsItsAddress(lesson);
    endsInOrder(lesson, "SIGINT");
    saysWhatIsWrong(lesson);
    endsWith(lesson, "server", "node_modules/tsx");
  });

  lessonInTurn("that ends", undefined, (lesson) => {
    for (const ending of [
      () => endsInOrder(lesson, "SIGINT"),
      () => endsInOrder(lesson, "SIGTERM"),
      () => endsWith(lesson, "cable", "compiled/cable-"),
      () => endsWith(lesson, "page", "pages"),
    ])
      describe("once more", () => {
        beforeAll(async () => {
          await lesson.start(["launcher/lesson", "3"]);
          await isReady(lesson.run);
        });
        ending();
      });
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
