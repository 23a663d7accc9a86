// The commands around an exercise, in a copy of the workshop with one small lesson: `check`, `solution` and `diff`.
import { spawnSync } from "node:child_process";
import { cp, readdir, readFile, rm } from "node:fs/promises";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Copy, copyWorkshop } from "../launcher/workshop-copy.ts";
import { freePort } from "../testing/process.ts";

process.env.CHECK_PATIENCE_MS = "60000";

const lesson = "lessons/03-tale";
let workshop: Copy;

/** A server that answers each request with `answer`, a JavaScript expression. */
const server = (answer: string, { first = "", last = "" } = {}) => `import { createServer } from "node:http";
${first}
const server = createServer((request, response) => {
  response.end(JSON.stringify(${answer}));
});
server.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("Error: this is no error"));
${last}
process.on("SIGTERM", () => process.exit());
`;
const starter = server('{ text: "hello" }');
const solved = server('{ text: "hello, please" }');

const checkFile = `import { check, expectThat } from "../../shared/machinery/checks/checks.ts";
import { request } from "../../shared/machinery/checks/client.ts";
import type { LessonServer } from "../../shared/machinery/checks/server.ts";

const answerOf = async (server: LessonServer) => (await request(server, "/")).json();

export const checks = [
  check("it says hello", "Hint 1", async (server) => {
    const { text } = await answerOf(server);
    expectThat(text.startsWith("hello"), "hello as the answer to GET /", text);
  }),
  check("it is polite", "Hint 2", async (server) => {
    const { text } = await answerOf(server);
    expectThat(text.endsWith("please"), '"please" at the end of the answer to GET /', text);
  }),
];
`;

const readme = `# 3 · A tale

> Two and two. · 20 minutes

## Exercise

**Politeness.** Say please.

<details>
<summary>Hint 1: hello</summary>
</details>

<details>
<summary>Hint 2: please</summary>
</details>

**What it teaches.** A word costs _nothing_.

## Next question

And \`then\`? [4 · Another](../04-other/README.md)
`;

beforeAll(async () => {
  workshop = await copyWorkshop();
  await workshop.save(`${lesson}/README.md`, readme);
  await workshop.save(`${lesson}/check.ts`, checkFile);
  await workshop.save(`${lesson}/solution/server.ts`, `import "node:path";\n${solved}`);
  await cp(workshop.path(lesson), workshop.path("lessons/04-other"), { recursive: true });
});

/** What a command prints, and its exit code. */
async function run(command: string, ...args: string[]) {
  const running = workshop.start([command, ...args]);
  const code = await running.ended;
  const output = running.output();
  expect(output).not.toContain("\x1b");
  expect(output).not.toMatch(/^ {4}at /m);
  return { code, output };
}
const check = (...args: string[]) => run("checks/check", ...args);
const save = (text: string) => workshop.save(`${lesson}/server.ts`, text);

/** Checks a server that fails. */
async function checkWrong(text: string) {
  await save(text);
  const { code, output } = await check("3");
  expect(code).toBe(1);
  return output;
}

describe("check", () => {
  test("lists the checks that pass, and says of the first that doesn't: expected, happened, where to read, what to do", async () => {
    const output = await checkWrong(starter);
    expect(output).toMatch(/✓ it says hello\n {2}✗ it is polite\n/);
    expect(output).toMatch(/Broken: it is polite\n/);
    expect(output).toMatch(/Expected {3}"please" at the end .*\n {4}Happened {3}hello\n/);
    expect(output).toMatch(/Read {7}lessons\/03-tale\/README\.md:\d+, "Hint 2: please"\n/);
    expect(output).toMatch(/Stuck\? {5}npm run solution 3 /);
    // Its compiled file is gone.
    expect((await readdir(workshop.path(".workshop"))).filter((name) => name.startsWith("check"))).toEqual(
      [],
    );
  });

  test("says where a file doesn't compile", async () => {
    expect(await checkWrong(starter.replace("});\nserver", "};\nserver"))).toMatch(
      /This file does not compile: lessons\/03-tale\/server\.ts:5:2\n {2}Expected "\)" but found ";"/,
    );
  });

  test("says of a file that ends too early that something is open, and of a missing one how to get it back", async () => {
    expect(await checkWrong(`${starter}\nconst open = \`\n`)).toMatch(
      /server\.ts:\d+:\d+\n.*Something above is opened but never closed\.\n\n$/,
    );
    await rm(workshop.path(lesson, "server.ts"));
    const { code, output } = await check("3");
    expect(code).toBe(1);
    expect(output).toMatch(/server\.ts\n {2}There is no such file\. npm run reset 3 brings it back/);
  });

  test("says where a server crashes, and lists every check", async () => {
    const output = await checkWrong(server("request.headers.nothing.split()"));
    expect(output).toMatch(/✗ it says hello\n {2}✗ it is polite\n/);
    expect(output).toMatch(/it ended: TypeError: Cannot read .*, at lessons\/03-tale\/server\.ts:4:\d+\n/);
  });

  test("lists every check when an answer is one that a check can't read", async () => {
    const output = await checkWrong(server("{ words: [] }"));
    expect(output).toMatch(/✗ it says hello\n {2}✗ it is polite\n/);
    expect(output).toMatch(/the check could not read it: TypeError: .*, at lessons\/03-tale\/check\.ts:10\n/);
  });

  test.for([
    ["once it listens", server("{}", { last: "for (;;) process.uptime();" }), 7],
    ["once it is asked", server("(() => {\n for (;;) process.uptime();\n})()"), 5],
  ] as const)("names an endless loop of a server, %s", { timeout: 120_000 }, async ([, text, line]) => {
    // Each check starts a server, and each of these takes a core for seconds: one is enough.
    await workshop.save(
      `${lesson}/check.ts`,
      checkFile.replace(/ {2}check\("it is polite"[\s\S]*?\n {2}}\),\n/, ""),
    );
    onTestFinished(() => workshop.save(`${lesson}/check.ts`, checkFile));
    const output = await checkWrong(text);
    expect(output).toContain(`it is in an endless loop, at lessons/03-tale/server.ts:${line}.`);
    // No hint is about an endless loop.
    expect(output).not.toContain("Read");
  });

  test("says that a server never listens", { timeout: 120_000 }, async () => {
    const first = "await new Promise((resolve) => setTimeout(resolve, 1e9));";
    // Or, while other tests keep the computer busy, that it can't tell.
    expect(await checkWrong(server("{}", { first }))).toMatch(
      /Happened {3}nothing listens there|This computer is too busy to tell|This check can't tell/,
    );
  });

  test("leaves no process behind when it is killed: neither a server that loops nor its child", async () => {
    const first = `import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
appendFileSync("pids", process.pid + " " + child.pid + " ");`;
    await save(server("{}", { first, last: "for (;;);" }));
    const running = workshop.start(["checks/check", "3"]);
    const pids = async () =>
      (await readFile(workshop.path("pids"), "utf8").catch(() => "")).trim().split(" ");
    await expect.poll(pids, { timeout: 20_000 }).toHaveLength(4);
    running.child.kill("SIGKILL");
    const isRunning = (pid: string) => {
      try {
        return process.kill(Number(pid), 0);
      } catch {
        return false;
      }
    };
    await expect
      .poll(async () => (await pids()).filter(isRunning), { timeout: 20_000, interval: 100 })
      .toEqual([]);
  });

  test("says after a solution what was learned, the next question and its command. The lists remember the day", async () => {
    expect((await run("launcher/lesson")).output).not.toContain("done");
    await save(solved);
    const { code, output } = await check("3");
    expect(code).toBe(0);
    expect(output).toMatch(
      /All checks pass\.\n\n {4}Learned {4}A word costs nothing\.\n {4}Next {7}And then\?\n {4}Go on {6}npm run lesson 4\n/,
    );
    expect((await run("launcher/lesson")).output).toMatch(/^✓ {2}3 {2}tale .*, done \d{4}-\d\d-\d\d$/m);
    const progress = JSON.parse(await readFile(workshop.path(".workshop", "progress.json"), "utf8"));
    expect(progress).toEqual({ done: { "03-tale": expect.stringMatching(/^\d{4}-\d\d-\d\d$/) } });
  });

  test("checks every lesson, a line for each", async () => {
    await save(solved);
    const { code, output } = await check();
    expect(code).toBe(1);
    expect(output).toMatch(/✓ {2}3 {2}tale {3}2 of 2 pass {3}Politeness\n {2}✗ {2}4 {2}other {2}0 of 2 pass/);
  });

  test("says that nothing can be written here, not that a file doesn't compile", async () => {
    // A file in the folder's place, since a root user may write into every folder.
    await rm(workshop.path(".workshop"), { recursive: true });
    await workshop.save(".workshop", "");
    const { code, output } = await check("3");
    expect(code).toBe(1);
    expect(output).toMatch(
      /^Checks can't run here: nothing can be written to .* \(EEXIST\)\. Copy the workshop/,
    );
    await save(starter);
    expect(await run("checks/solution", "3")).toMatchObject({ code: 0 });
    await rm(workshop.path(".workshop"));
  });

  test("refuses a lesson that isn't there, with the list", async () => {
    expect(await check("9")).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^No lesson 9\. The lessons are:\n\n/),
    });
  });

  test("watching, checks again at each save", { timeout: 60_000 }, async () => {
    await save(starter);
    const running = workshop.start(["checks/check", "--watch", "3"]);
    await running.prints(/Broken: it is polite[\s\S]*Waiting for you/, 30_000);
    await save(solved);
    await running.prints(/All checks pass\.[\s\S]*Waiting for you/, 30_000);
    await running.kill();
  });
});

describe("solution", () => {
  test("shows the way from the learner's file to ours without imports, and says when they are the same", async () => {
    await save(starter);
    const shown = await run("checks/solution", "3");
    expect(shown.code).toBe(0);
    expect(shown.output).toContain("lessons/03-tale/server.ts → lessons/03-tale/solution/server.ts\n");
    expect(shown.output).toMatch(/\n- .*hello" .*\n\+ .*hello, please" /);
    expect(shown.output).not.toMatch(/^[-+]import/m);
    expect(shown.output).toContain("npm run reset 3");
    await save(solved);
    expect((await run("checks/solution", "3")).output).toContain("the same as ours");
  });

  test("starts the lesson with our server, and leaves the learner's files alone", async () => {
    await save("this does not compile");
    const ports = { PORT: String(await freePort()), PAGE_PORT: String(await freePort()) };
    const running = workshop.start(["checks/solution", "3", "run"], ports);
    await running.prints(/Open {2,}http/);
    expect(running.output()).toContain("Your own files stay as they are.");
    const { text } = await (await fetch(`http://127.0.0.1:${ports.PORT}/`)).json();
    expect(text).toBe("hello, please");
    running.child.kill();
    await running.ended;
    expect(await readFile(workshop.path(lesson, "server.ts"), "utf8")).toBe("this does not compile");
  });

  test("refuses what it doesn't know", async () => {
    expect(await run("checks/solution", "9")).toMatchObject({ code: 1 });
    expect(await run("checks/solution")).toMatchObject({ code: 1 });
  });
});

describe("diff", () => {
  const diff = () => run("checks/diff", "3", "4");

  test("shows what is new in the next lesson, without imports and exercises, and names new files and gone ones", async () => {
    await save(starter);
    await workshop.save(`${lesson}/old.ts`, "old");
    await workshop.save("lessons/04-other/new.ts", "new");
    await workshop.save(
      "lessons/04-other/server.ts",
      `import "node:os";\n// Exercise: more.\n${starter.replace("hello", "good-bye")}`,
    );
    const { code, output } = await diff();
    expect(code).toBe(0);
    expect(output).toContain("not a git checkout, so your own changes are shown");
    expect(output).toContain("lessons/03-tale/server.ts → lessons/04-other/server.ts\n@@\n");
    expect(output).toMatch(/\n- .*hello" .*\n\+ .*good-bye" /);
    expect(output).toContain("lessons/03-tale/old.ts is gone.\n");
    expect(output).toContain("lessons/04-other/new.ts is new.\n");
    expect(output).not.toMatch(/^[+-]import|Exercise:|check\.ts/m);
    expect(await run("checks/diff", "3")).toMatchObject({ code: 1 });
  });

  test("ends without a word when nobody reads on, as in npm run diff 3 4 | head -1", async () => {
    const running = workshop.start(["checks/diff", "3", "4"]);
    running.child.stdout?.destroy();
    expect(await running.ended).toBe(0);
    expect(running.output()).toBe("");
  });

  test("compares what was checked in, where there is git", async () => {
    const author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
    for (const args of [["init"], ["add", "lessons"], [...author, "commit", "-m", "Lessons"]])
      expect(spawnSync("git", args, { cwd: workshop.path() }).status).toBe(0);
    await save(starter.replace("hello", "my own"));
    const { output } = await diff();
    expect(output).toContain("without your own changes");
    expect(output).toMatch(/\n- .*hello" .*\n\+ .*good-bye" /);
    expect(output).not.toContain("my own");
  });
});
