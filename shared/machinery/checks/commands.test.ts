// Promises of the commands around an exercise, in a copy of the workshop whose files may be broken and mended.
import { cp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Copy, copyWorkshop } from "../launcher/workshop-copy.ts";
import { freePort, root } from "../testing/process.ts";

const lesson = "lessons/03-chat";
let workshop: Copy;
/** Undefined: as for a learner. */
let patienceMs: string | undefined = "15000";
let starter: string;
let solved: string;

beforeAll(async () => {
  workshop = await copyWorkshop();
  // In place of the copy's own small lesson.
  await cp(workshop.path("lessons", "03-tale"), workshop.path("lessons", "04-tale"), { recursive: true });
  await rm(workshop.path("lessons", "03-tale"), { recursive: true });
  for (const folder of ["shared", lesson])
    await cp(join(root, folder), workshop.path(folder), { recursive: true });
  starter = await readFile(workshop.path(lesson, "server.ts"), "utf8");
  solved = await readFile(workshop.path(lesson, "solution", "server.ts"), "utf8");
});

/** What a command prints, and its exit code. */
async function run(command: string, ...args: string[]) {
  const running = workshop.start([command, ...args], { CHECK_PATIENCE_MS: patienceMs });
  const code = await running.ended;
  const output = running.output();
  expect(output).not.toContain("\x1b");
  expect(output).not.toMatch(/^ {4}at /m);
  return { code, output };
}
const check = (...args: string[]) => run("checks/check", ...args);
const save = (text: string) => workshop.save(`${lesson}/server.ts`, text);

describe("check", () => {
  test("tells of a starter what holds, and of the first that does not: expected, happened, and where to read", async () => {
    await save(starter);
    const { code, output } = await check("3");
    expect(code).toBe(1);
    expect(output).toMatch(/✓ what begins with @Grace is heard by Grace\n {2}✗ nobody else hears it\n/);
    expect(output).toMatch(/Broken: nobody else hears it\n/);
    expect(output).toMatch(
      /Expected {3}"@Grace lunch\?" to stay between Ada and Grace\n {4}Happened {3}Alan heard it too\n/,
    );
    expect(output).toMatch(/Read {7}lessons\/03-chat\/README\.md:\d+, "Hint 2: /);
  });

  test("tells where a file does not compile", async () => {
    await save(starter.replace("clients.add(client);", "clients.add(client;"));
    const { code, output } = await check("3");
    expect(code).toBe(1);
    expect(output).toMatch(
      /This file does not compile: lessons\/03-chat\/server\.ts:14:21\n {2}Expected "\)" but found ";"/,
    );
    expect(output).toContain("clients.add(client;\n");
  });

  test("tells of a file that ends too early that something is open, and of one that is gone how to get it back", async () => {
    await save(`${starter}\nconst open = \`\n`);
    expect((await check("3")).output).toMatch(
      /server\.ts:\d+:\d+\n.*Something above is opened and not closed\.\n\n$/,
    );
    await rm(workshop.path(lesson, "server.ts"));
    const { code, output } = await check("3");
    expect(code).toBe(1);
    expect(output).toMatch(
      /server\.ts\n {2}There is no such file\. git restore lessons\/03-chat\/server\.ts brings/,
    );
    await save(starter);
  });

  test("tells where a server falls", async () => {
    await save(starter.replace("clients.add(client);", "clients.push(client);"));
    const { code, output } = await check("3");
    expect(code).toBe(1);
    expect(output).toMatch(
      /it ended: TypeError: clients\.push is not a function, at lessons\/03-chat\/server\.ts:14:\d+\n/,
    );
  });

  test.for([
    ["before it listens", "await new Promise((resolve) => setTimeout(resolve, 1e9));\n", ""],
    ["once somebody speaks", "", 'while (to === "Edsger") {}'],
  ])("reports a server that is stuck %s within ten seconds", async ([, first = "", later = ""]) => {
    const imports = /^(?:\/\/.*\n|import [\s\S]*?;\n)+/;
    await save(
      solved.replace(imports, (all) => all + first).replace("const isFor", () => `${later}\n    const isFor`),
    );
    const began = performance.now();
    patienceMs = undefined;
    const { code, output } = await check("3");
    patienceMs = "15000";
    expect(code).toBe(1);
    expect(output).toContain("Broken: ");
    // No hint is about a server that never listens.
    expect(/ Read /.test(output)).toBe(first === "");
    expect(performance.now() - began).toBeLessThan(11_000);
  });

  test("is not misled by another port, by printing, or by another style", async () => {
    await save(`${solved.replaceAll("names", "whoIsWho")}\nconsole.log("Error: this is no error");\n`);
    expect((await check("3")).output).toContain("All hold.");
  });

  test("tells after a solution what was learned, the next question and its command; the lists remember it", async () => {
    expect((await run("launcher/lesson")).output).not.toMatch(/✓ +4/);
    await save(solved);
    const { code, output } = await check("3");
    expect(code).toBe(0);
    expect(output).toMatch(
      /All hold\.\n\n {4}Learned {4}\w.+\.\n {4}Next {7}.+\?\n {4}Go on {6}npm run lesson 4\n/,
    );
    expect((await run("launcher/lesson")).output).toMatch(/^✓ {2}3 {2}chat/m);
    expect(JSON.parse(await readFile(workshop.path(".workshop", "progress.json"), "utf8"))).toEqual({
      passed: ["03-chat"],
    });
  });

  test("refuses a lesson that is not there, with the list", async () => {
    expect(await check("9")).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^No lesson 9\. There is:\n\n/),
    });
  });

  test("watching checks again at each save", { timeout: 60_000 }, async () => {
    await save(starter);
    const running = workshop.start(["checks/check", "--watch", "3"], { CHECK_PATIENCE_MS: patienceMs });
    await running.prints(/Broken: nobody else[\s\S]*Waiting for you/, 30_000);
    await save(solved);
    await running.prints(/All hold\.[\s\S]*Waiting for you/, 30_000);
    await running.kill();
  });
});

describe("solution", () => {
  test("shows the way from the learner's file to ours, and says when they are the same", async () => {
    await save(starter);
    const shown = await run("checks/solution", "3");
    expect(shown.code).toBe(0);
    expect(shown.output).toContain("lessons/03-chat/server.ts → lessons/03-chat/solution/server.ts\n");
    expect(shown.output).toContain("\n+    names.delete(client);\n");
    expect(shown.output).toContain("git restore lessons/03-chat");
    await save(solved);
    expect((await run("checks/solution", "3")).output).toContain("the same as ours");
  });

  test("starts the lesson with ours, and leaves the learner's files alone", async () => {
    await save("this does not compile");
    const ports = { PORT: String(await freePort()), PAGE_PORT: String(await freePort()) };
    const running = workshop.start(["checks/solution", "3", "run"], ports);
    await running.prints(/Open {2,}http/);
    expect(running.output()).toContain("Your own files stay as they are.");
    running.child.kill();
    await running.ended;
    expect(await readFile(workshop.path(lesson, "server.ts"), "utf8")).toBe("this does not compile");
  });

  test("refuses what it does not know", async () => {
    expect(await run("checks/solution", "9")).toMatchObject({ code: 1 });
    expect(await run("checks/solution")).toMatchObject({ code: 1 });
  });
});

test("diff shows what is new from one lesson to the next, without imports and exercises", async () => {
  await save(starter);
  await workshop.save(
    "lessons/04-tale/server.ts",
    starter.replace("clients.delete(client);", "clients.clear();"),
  );
  const { code, output } = await run("checks/diff", "3", "4");
  expect(code).toBe(0);
  expect(output).toContain("lessons/03-chat/server.ts → lessons/04-tale/server.ts\n@@\n");
  expect(output).toContain("\n-    clients.delete(client);\n+    clients.clear();\n");
  expect(output).not.toMatch(/^[+-]import|Exercise:/m);
  expect(await run("checks/diff", "3")).toMatchObject({ code: 1 });
});
