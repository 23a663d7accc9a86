// Promises of `npm run room`, with learners that run `npm run check`: each in a copy of the workshop of its own.
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { canConnect } from "../launcher/ports.ts";
import { type Copy, copyWorkshop } from "../launcher/workshop-copy.ts";
import { openTab } from "../testing/browser.ts";
import { atEnd } from "../testing/clean-up.ts";
import { faults } from "../testing/every-page.ts";
import { until } from "../testing/lesson.ts";
import { freePort, type Running } from "../testing/process.ts";

process.env.CHECK_PATIENCE_MS = "60000";

const lesson = "lessons/03-tale";
const server = (text: string) => `import { createServer } from "node:http";
const server = createServer((request, response) => response.end(${JSON.stringify(text)}));
server.listen(Number(process.env.PORT), "127.0.0.1");
`;
const checkFile = `import { check, expectThat } from "../../shared/machinery/checks/checks.ts";
import { request } from "../../shared/machinery/checks/client.ts";
const says = (word: string) => check("it says " + word, "Hint 1", async (server) => {
  const text = await (await request(server, "/")).text();
  expectThat(text.includes(word), word, text);
});
export const checks = [says("hello"), says("please")];
`;

async function makeWorkshop() {
  const workshop = await copyWorkshop();
  await workshop.save(`${lesson}/README.md`, "# 3 · A tale\n\n## Exercise\n\n**Politeness.** Say please.\n");
  await workshop.save(`${lesson}/check.ts`, checkFile);
  await workshop.save(`${lesson}/server.ts`, server("hello"));
  return workshop;
}

let instructor: Copy;
let port: number;
let room: Running;

async function openRoom(env: Record<string, string> = {}) {
  room = instructor.start(["room/room"], { PAGE_PORT: String(port), ...env });
  await room.prints(/End +Ctrl-C/);
}

/** Results that are sent over the network come in here. macOS has this address only when it has been set up. */
const lan = "127.0.0.2";
const withLan = process.platform !== "darwin";
const host = withLan ? lan : "127.0.0.1";

type Answer = { status: number; type: string; body: string };

/** A request that is not tidied up. An object is sent as JSON. */
function ask(
  method: string,
  path: string,
  { at = "127.0.0.1", body, headers = {} }: { at?: string; body?: unknown; headers?: object } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      ...{ host: at, port, path, method, agent: false },
      headers: { Host: `${at}:${port}`, "Content-Type": "application/json", ...headers },
    };
    const sent = request(options, (response) => {
      const { statusCode: status = 0, headers } = response;
      const type = headers["content-type"] ?? "";
      // The stream of events has no end.
      if (type === "text/event-stream") {
        response.destroy();
        return resolve({ status, type, body: "" });
      }
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      response.on("error", reject).on("end", () => resolve({ status, type, body: text }));
    });
    sent
      .on("error", reject)
      .end(typeof body === "string" || body === undefined ? body : JSON.stringify(body));
  });
}

const key = (n: number) => String(n).padStart(16, "0");
const report = (n: number, name: string, results: string[] = ["pass", "fail"]) => ({
  key: key(n),
  name,
  lessons: [{ lesson: "03-tale", results }],
});
const post = (n: number, name: string, results?: string[]) =>
  ask("POST", "/results", { at: host, body: report(n, name, results) });

let tab: Promise<Page> | undefined;

/** Opens the room in a tab, for each test the same: in a new one it costs three times as much. */
async function openPage(): Promise<Page> {
  tab ??= openTab("about:blank");
  const page = await tab;
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: null });
  await page.goto(`http://localhost:${port}/`);
  await page.getByRole("status").getByText("open").waitFor();
  return page;
}

beforeAll(async () => {
  instructor = await makeWorkshop();
  port = await freePort();
  await openRoom(withLan ? { LAN: lan } : {});
});

test("learners' checks appear in the grid, live, and their terminal says what has left their computer", async () => {
  const learner = await makeWorkshop();
  const page = await openPage();
  await page.getByText("Nobody has sent results yet.").waitFor();
  expect(await page.getByRole("columnheader").allTextContents()).toEqual(["name"]);
  const check = async (...args: string[]) => {
    const running = learner.start(["checks/check", "3", ...args], { ROOM: undefined });
    const code = await running.ended;
    return { code, output: running.output().replace(/\s+/g, " ") };
  };

  const first = await check(`--room=http://${host}:${port}`, "--name=Ada");
  expect(first.code).toBe(1);
  expect(first.output).toContain(
    `Room sent to http://${host}:${port} as Ada: this name, the lesson, which checks pass, and a random number ` +
      "that stands for this computer. Nothing else. Each check does so from now on, until you run npm run check -- --room=off",
  );
  await page.getByRole("button", { name: "Ada, lesson 3: 1 of 2 checks pass, 1 don't" }).waitFor();
  expect(await page.getByRole("columnheader").allTextContents()).toEqual(["name", "3"]);
  await page.getByText("What still fails: 3 · A tale").waitFor();
  await page.getByRole("listitem").filter({ hasText: "1it says pleaseAda" }).waitFor();

  await learner.save(`${lesson}/server.ts`, server("hello, please"));
  const second = await check(); // it remembers the room
  expect(second.code).toBe(0);
  expect(second.output).toContain(
    "Room sent as Ada: name, lesson, results and the random number, nothing else",
  );
  await page.getByRole("button", { name: "Ada, lesson 3: 2 of 2 checks pass, 0 don't" }).waitFor();
  await page.getByText("1 of 1", { exact: true }).waitFor();

  await learner.save(`${lesson}/server.ts`, "this does not compile");
  await check();
  await page.getByRole("button", { name: "Ada, lesson 3: a file doesn't compile" }).waitFor();
  expect((await check("--room=off")).output).not.toContain("Room");
  expect((await check()).output).not.toContain("Room");
  await page.goto("about:blank");
});

test("nothing but name, lesson, results and the random number is sent, and results that didn't arrive come later", async () => {
  const learner = await makeWorkshop();
  const there = await freePort();
  const check = async (env: Record<string, string>, ...args: string[]) => {
    const running = learner.start(["checks/check", "3", ...args], env);
    await running.ended;
    return running.output().replace(/\s+/g, " ");
  };
  // PowerShell swallows the --, and npm puts the flags into the environment.
  const away = await check({ npm_config_room: `127.0.0.1:${there}`, npm_config_name: "Grace" });
  expect(away).toContain(
    `http://127.0.0.1:${there} does not answer. Your results will be sent with your next check.`,
  );

  const requests: { headers: object; body: string }[] = [];
  const capture = createServer(async (incoming, response) => {
    let body = "";
    for await (const chunk of incoming) body += chunk;
    requests.push({ headers: incoming.headers, body });
    response.end(JSON.stringify({ name: "Grace\x1b[2J" }));
  }).listen(there, "127.0.0.1");
  await once(capture, "listening");
  atEnd(() => capture.close());
  const output = await check({ ROOM: `http://127.0.0.1:${there}` });
  expect(output).toContain("Room sent as Grace\\x1b[2J:"); // the room could be anybody's
  expect(requests).toHaveLength(1);
  const [{ headers, body } = { headers: {}, body: "" }] = requests;
  expect(Object.keys(headers).sort()).toEqual(["connection", "content-length", "content-type", "host"]);
  expect(JSON.parse(body)).toEqual({
    key: expect.stringMatching(/^[0-9a-f]{32}$/),
    name: "Grace",
    lessons: [{ lesson: "03-tale", results: ["pass", "fail"] }],
  });
});

test.each([
  [
    "--room=ftp://192.0.2.7",
    "",
    'The room\'s address looks like http://192.0.2.7:8001, not "ftp://192.0.2.7".',
  ],
  [
    "--name=\x1b[2J",
    "--room=127.0.0.1:9",
    "The name contains a control character. Give one: npm run check 3 -- --name=Ada",
  ],
])("%s is refused in one line", async (flag, other, line) => {
  const learner = instructor.start(["checks/check", "3", flag, other], { ROOM: undefined });
  expect(await learner.ended).toBe(1);
  expect(learner.output()).toBe(`${line}\n`);
});

describe("what is refused", () => {
  test.each<[string, Parameters<typeof ask>, number]>([
    ["a body over 16 KiB", ["POST", "/results", { body: "x".repeat(17_000) }], 413],
    ["no JSON", ["POST", "/results", { body: "{" }], 400],
    ["another type", ["POST", "/results", { body: "{}", headers: { "Content-Type": "text/plain" } }], 415],
    ["no report", ["POST", "/results", { body: null }], 422],
    ["a further field", ["POST", "/results", { body: { ...report(1, "Ada"), files: [] } }], 422],
    ["another method", ["DELETE", "/results", {}], 405],
    ["a path that isn't there", ["GET", "/../package.json", {}], 404],
    ["a foreign host (DNS rebinding)", ["GET", "/", { headers: { Host: "evil.example" } }], 421],
    ["a foreign page", ["POST", "/empty", { body: {}, headers: { Origin: "http://evil.example" } }], 403],
  ])("%s", async (_, args, status) => {
    expect((await ask(...args)).status).toBe(status);
  });

  test.runIf(withLan)(
    "from the network: the grid, its events and its buttons. It may only send results",
    async () => {
      const { type, body } = await ask("GET", "/", { at: lan });
      expect(type).toContain("text/plain");
      expect(body).toContain(`npm run check 3 -- --room=http://${lan}:${port}`);
      for (const path of ["/events", "/page.ts"])
        expect((await ask("GET", path, { at: lan })).status).toBe(404);
      for (const path of ["/remove", "/open", "/empty"])
        expect((await ask("POST", path, { at: lan, body: {} })).status).toBe(404);
      expect((await ask("GET", "/events")).status).toBe(200);
    },
  );

  test("a learner who sends more than ten results in a moment", async () => {
    const answers = await Promise.all(Array.from({ length: 15 }, () => post(50, "Quick")));
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(4);
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(10);
  });
});

test("hostile names are shown as text, and the instructor can remove them", async () => {
  const name = "<img src=x onerror=alert(1)>";
  const page = await openPage();
  page.on("dialog", (dialog) => dialog.accept());
  await post(60, name);
  await page.getByRole("rowheader", { name }).waitFor();
  expect(await page.locator("img").count()).toBe(0);
  await page.getByRole("button", { name: `${name}, lesson 3` }).click();
  await page.getByRole("button", { name: `Remove ${name}` }).click();
  await until(async () => (await page.getByRole("rowheader", { name }).count()) === 0);
  await page.getByRole("button", { name: "Let nobody else in" }).click();
  await page.getByRole("button", { name: "Let others in again" }).waitFor();
  expect((await post(60, name)).status).toBe(403);
  await page.getByRole("button", { name: "Let others in again" }).click();
  await page.getByRole("button", { name: "Empty the room" }).click();
  await page.getByText("Nobody has sent results yet.").waitFor();
  const kept = await readdir(instructor.path(".workshop/room"));
  expect(kept.filter((file) => file.startsWith("grid-emptied-"))).toHaveLength(1);
  await page.goto("about:blank");
});

test("axe-core finds no fault, wide, in the dark and narrow, and nothing scrolls sideways", async () => {
  const page = await openPage();
  await Promise.all([post(70, "Ada"), post(71, "Grace", []), post(72, "Alan", ["pass", "pass"])]);
  await page.getByRole("button", { name: "Ada, lesson 3" }).waitFor();
  for (const [colorScheme, width] of [
    ["light", 1280],
    ["dark", 1280],
    ["light", 390],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    expect(await faults(page), `${colorScheme}, ${width} px`).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    );
  }
  await ask("POST", "/empty", { body: {} });
  await page.goto("about:blank");
});

test("two hundred learners fit, and a change is on the page within a second", async () => {
  const page = await openPage();
  const people = Array.from({ length: 200 }, (_, n) => post(1_000 + n, `Learner ${n + 1}`));
  for (const { status } of await Promise.all(people)) expect(status).toBe(200);
  await until(async () => (await page.locator("tbody tr").count()) === 200);
  await post(1_000, "Learner 1", ["pass", "pass"]);
  const startedAt = performance.now();
  await page.getByRole("button", { name: "Learner 1, lesson 3: 2 of 2 checks pass" }).waitFor();
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  await page.getByText("1 of 200", { exact: true }).waitFor();
  await page.goto("about:blank");
});

test("a flood of names ends in refusals, and the page goes on", async () => {
  const page = await openPage();
  const seen: number[] = [];
  for (let n = 0; n < 700; n += 50) {
    const some = Array.from({ length: 50 }, (_, m) => post(5_000 + n + m, `Flood ${n + m}`));
    seen.push(...(await Promise.all(some)).map(({ status }) => status));
  }
  // Too many from one address, or too many in the room.
  for (const status of new Set(seen)) expect([200, 429, 503]).toContain(status);
  expect(seen).toContain(429);
  expect(await page.locator("tbody tr").count()).toBeLessThanOrEqual(500);
  await page.getByRole("status").getByText("open").waitFor();
  await page.goto("about:blank");
});

test("a grid that can't be saved is reported, and the room goes on", async () => {
  const inTheWay = instructor.path(".workshop/room/grid.json.new");
  await mkdir(inTheWay, { recursive: true });
  // After the flood, results are taken again a moment later.
  const isTaken = async () => (await post(1_000, "Learner 1", ["pass", "pass"])).status === 200;
  await until(isTaken);
  await room.prints(/The grid could not be saved: /);
  await rm(inTheWay, { recursive: true });
  await until(isTaken);
});

test("a killed room comes back with the same grid, and its page by itself", async () => {
  const page = await openPage();
  const rows = page.locator("tbody tr");
  // The page is open a moment before it has received the grid.
  await until(async () => (await rows.count()) > 200);
  const before = await rows.count();
  // The room saves once a second. A room that is killed loses the changes since then.
  await until(async () => {
    const text = await readFile(instructor.path(".workshop/room/grid.json"), "utf8");
    return JSON.parse(text).people.length === before && text.includes("Flood 49");
  });
  await room.kill();
  await page.getByRole("status").getByText("reconnecting").waitFor();
  await openRoom(withLan ? { LAN: lan } : {});
  await page.getByRole("status").getByText("open").waitFor();
  await page.getByRole("button", { name: "Learner 1, lesson 3: 2 of 2 checks pass" }).waitFor();
  // The page shows the grid of the new room, and not what it had received before.
  await until(async () => (await post(1_000, "Learner 1", ["pass", "fail"])).status === 200);
  await page.getByRole("button", { name: "Learner 1, lesson 3: 1 of 2 checks pass" }).waitFor();
  expect(await rows.count()).toBe(before);
  await page.goto("about:blank");
});

test.runIf(withLan)(
  "without LAN nobody on the network gets in, and a damaged grid is set aside",
  async () => {
    await room.kill();
    await mkdir(instructor.path(".workshop/room"), { recursive: true });
    await writeFile(instructor.path(".workshop/room/grid.json"), '{"people":');
    await openRoom();
    expect(room.output()).toMatch(/could not be read\. It is kept as\n.*grid-damaged-\d+\.json/);
    expect(room.output()).toContain("LAN=1 npm run room");
    for (const line of room.output().split("\n"))
      if (!line.includes("grid-damaged")) expect(line.length).toBeLessThan(81);
    expect(await canConnect(port, "127.0.0.1")).toBe(true);
    expect(await canConnect(port, lan)).toBe(false);
    const second = instructor.start(["room/room"], { PAGE_PORT: String(port) });
    expect(await second.ended).toBe(1);
    expect(second.output()).toMatch(/^The room is open already: http:\/\/localhost:\d+\/\n.*Ctrl-C.*\n$/);
  },
);
