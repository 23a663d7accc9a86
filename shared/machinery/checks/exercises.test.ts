// Promises of the exercises: each starter fails for the reason its exercise names, each solution holds, each
// plausible mistake is told apart.
import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { findLessons } from "../launcher/lessons.ts";
import type { Check } from "./checks.ts";
import { lessonsWithExercise, pathOf, solutionFiles } from "./files.ts";
import { readReadme } from "./readme.ts";
import { runChecks } from "./run.ts";

const lessons = lessonsWithExercise();
const folders = lessons.map(({ folder }) => folder);
async function checksOf(lesson: { folder: string }): Promise<Check[]> {
  return (await import(/* @vite-ignore */ pathToFileURL(pathOf(lesson, "check.ts")).href)).checks;
}

// Three at a time, and with more patience than a learner: tests share their computer with other tests.
const lanes: Promise<unknown>[] = [1, 2, 3].map(() => Promise.resolve());
let turn = 0;

async function resultsOf(folder: string, file: string, only = "", source?: string) {
  const checks = (await checksOf({ folder })).filter(({ title }) => title.startsWith(only));
  const lane = turn++ % lanes.length;
  const running = lanes[lane]?.then(() => runChecks(checks, pathOf({ folder }, file), source)) as ReturnType<
    typeof runChecks
  >;
  lanes[lane] = running.catch(() => {});
  const report = await running;
  if ("compileError" in report) throw new Error(`${report.compileError.where}: ${report.compileError.text}`);
  return report.results;
}

describe.concurrent("a starter", { timeout: 120_000 }, () => {
  test.for<[string, string, RegExp]>([
    ["01-polling", "an answer carries an ETag", /there was none/],
    ["02-long-polling", "five messages said at once", /held 1 of them/],
    ["03-chat", "nobody else hears it", /Alan heard it too/],
    ["04-broadcast", "and nowhere else", /Alan heard it/],
    ["05-heartbeat-reconnect", "whoever says more than ten things", /it stayed open/],
    ["06-resume", "while Ada is away for two seconds", /"from":"Ada"/],
    ["08-server-sent-events", "whoever listens is told how many do", /no event of that name/],
    ["09-compare", "many messages come compressed", /there was no Content-Encoding, and \d{4} bytes/],
  ])("of %s fails its exercise: %s", async ([lesson, title, happened]) => {
    const results = await resultsOf(lesson, "server.ts");
    const broken = results.filter(({ fault }) => fault);
    expect(broken[0]?.title).toMatch(title);
    expect(broken[0]?.fault?.happened).toMatch(happened);
    // What is not asked for yet may be missing; nothing crashes, and nothing keeps the learner waiting.
    expect(broken.map(({ fault }) => fault?.kind)).toEqual(broken.map(() => "failed"));
  });
});

describe("a solution", () => {
  describe.concurrent("", { timeout: 120_000 }, () => {
    test.for(folders)("of %s keeps every promise of its exercise", async (lesson) => {
      const results = await resultsOf(lesson, "solution/server.ts");
      expect(results.filter(({ fault }) => fault)).toEqual([]);
    });
  });

  test.for(folders)("of %s changes files of the lesson, and holds no other", (lesson) => {
    const files = solutionFiles({ folder: lesson });
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const [theirs, ours] = [file, `solution/${file}`].map((name) =>
        readFileSync(pathOf({ folder: lesson }, name), "utf8"),
      );
      expect(ours, file).not.toBe(theirs);
      expect(ours, "no marker is left").not.toContain("Exercise:");
    }
    // `npm run solution 3 run` changes the server; the page comes from the lesson's own folder.
    expect(readFileSync(pathOf({ folder: lesson }, "client.ts"), "utf8")).not.toContain("solution");
    expect(files).not.toContain("client.ts");
  });
});

describe.concurrent("a plausible mistake", { timeout: 120_000 }, () => {
  type Mistake = [
    lesson: string,
    what: string,
    broken: string,
    ...changes: [from: string | RegExp, to: string][],
  ];
  test.for<Mistake>([
    [
      "01-polling",
      "an ETag that says how far the log goes, but not which",
      "after a restart",
      [/\$\{log\.name\}-/, ""],
    ],
    [
      "01-polling",
      "an ETag that never changes",
      "once somebody has spoken",
      [/`"\$\{log.*`/, "'\"messages\"'"],
    ],
    ["01-polling", "Cache-Control left as it was", "a browser may keep", [/.*"no-cache".*/, ""]],
    [
      "01-polling",
      "304 for every empty answer",
      "whoever asks without an ETag",
      ["=== etag)", "=== etag || answer.messages.length === 0)"],
    ],
    [
      "02-long-polling",
      "a timer that each message starts anew",
      "while somebody goes on talking",
      ["        waiting.delete(hear);\n        clear", "        clear"],
    ],
    [
      "02-long-polling",
      "an answer that is made when the first message comes",
      "five messages",
      [
        "timer = setTimeout(reply, gatherMs",
        "timer = setTimeout(sendJson.bind(null, response, 200, log.after(cursor)), gatherMs",
      ],
    ],
    [
      "02-long-polling",
      "one timer for all pages",
      "nobody gets an empty answer",
      ["waiting.add(hear)", "waiting.add(reply)"],
      [
        "for (const hear of waiting) hear();",
        "setTimeout(() => { for (const each of waiting) each(); }, gatherMs);",
      ],
      [/(?<=response\.on[\s\S]*)waiting\.delete\(hear\)/, "waiting.delete(reply)"],
    ],
    [
      "02-long-polling",
      "a pause that people notice",
      "a message on its own",
      ["gatherMs = 50", "gatherMs = 2_000"],
    ],
    ["03-chat", "a whisper that its sender does not see", "whoever says it", [" || each === client", ""]],
    ["03-chat", "an @ anywhere", "what is said to all", ["/^@", "/@"]],
    [
      "03-chat",
      "a whisper that its sender is told of beside the loop",
      "whoever says it",
      [
        /if \(isFor\(each\) .*\) (.*)/,
        "if (isFor(each)) deliver(each, JSON.stringify({ type: 'message', ...message }));\n" +
          "    if (to) deliver(client, JSON.stringify({ type: 'message', ...message }));",
      ],
    ],
    [
      "03-chat",
      "a name that is remembered once",
      "who has taken another name",
      ["    names.set(", "    if (!names.has(client)) names.set("],
    ],
    [
      "03-chat",
      "one socket for each name",
      "everybody of that name",
      ["names.get(each) === to", "[...names].findLast(([, name]) => name === to)?.[0] === each"],
    ],
    [
      "03-chat",
      "refused, and sent all the same",
      "a whisper to somebody who is not here",
      ["return refuse(", "refuse("],
    ],
    [
      "03-chat",
      "names that outlive their sockets",
      "nor is somebody here",
      ["    names.delete(client);\n", ""],
      ["![...clients].some(isFor)", "to !== undefined && ![...names.values()].includes(to)"],
    ],
    [
      "04-broadcast",
      "presence of the whole house",
      "presence counts",
      [/here: all\.filter\(.*\)\.length/, "here: clients.size"],
    ],
    [
      "04-broadcast",
      "typing told to all",
      "who is typing",
      ['toRoom(room, { type: "typing", from }, client)', 'toAll({ type: "typing", from })'],
    ],
    [
      "04-broadcast",
      "a tick for those in no room",
      "the server's tick",
      ['toAll({ type: "tick"', 'toRoom(null, { type: "tick"'],
    ],
    [
      "04-broadcast",
      "rooms in a plain object",
      "a room may have any name",
      [
        "  rooms.set(client, room);",
        "  rooms.set(client, room);\n  (table[String(room)] ??= new Set()).add(client);",
      ],
      ["const names =", "const table: Record<string, Set<WebSocket>> = {};\nconst names ="],
    ],
    [
      "04-broadcast",
      "a message that is added to the log for each who hears it",
      "it is the same message",
      [
        'toRoom(room, { type: "message", ...log.add(from, message.text) })',
        'for (const each of clients) if (rooms.get(each) === room) deliver(each, encode({ type: "message", ...log.add(from, message.text) }))',
      ],
    ],
    [
      "05-heartbeat-reconnect",
      "a count for each name",
      "whoever comes back",
      ["  let said: number[] = [];\n", ""],
      ["const sayLimit", "const saidBy = new Map<string, number[]>();\nconst sayLimit"],
      ["said = [...said.filter", "const said = [...(saidBy.get(message.from) ?? []).filter"],
      ["    // 1013", "    saidBy.set(message.from, said);\n    // 1013"],
    ],
    ["05-heartbeat-reconnect", "1008, which is final", "the code", ["close(1013", "close(1008"]],
    [
      "05-heartbeat-reconnect",
      "an end without a goodbye",
      "the code",
      [/client\.close\(1013.*\)/, "client.terminate()"],
    ],
    [
      "05-heartbeat-reconnect",
      "ten, and not more than ten",
      "ten things in a second",
      [".length > sayLimit", ".length >= sayLimit"],
    ],
    [
      "05-heartbeat-reconnect",
      "a count that never begins again",
      "nor are fourteen",
      [/said\.filter\(.*1_000\)/, "said"],
    ],
    [
      "05-heartbeat-reconnect",
      "one count for everybody",
      "each is counted apart",
      ["  let said: number[] = [];\n", ""],
      ["const sayLimit", "let said: number[] = [];\nconst sayLimit"],
    ],
    [
      "05-heartbeat-reconnect",
      "closed, but the message goes out",
      "the others hear ten",
      ["return client.close", "client.close"],
    ],
    [
      "06-resume",
      "a name that is kept for ever",
      "whoever stays away",
      ["      names.release(person);\n", ""],
    ],
    ["06-resume", "half a second", "while Ada is away", [/keepNameMs = \S+;/, "keepNameMs = 500;"]],
    [
      "06-resume",
      "an absence that ends and is not forgotten",
      "whoever came back in time",
      ["    clearTimeout(person.absence);\n", ""],
    ],
    [
      "06-resume",
      "a name kept for whoever comes first",
      "somebody else does not become Ada",
      ["persons.get(page) ?? {};\n    clear", 'persons.get("") ?? {};\n    clear'],
      ["persons.set(page, person)", 'persons.set(page, person).set("", person)'],
    ],
    [
      "06-resume",
      "names kept for those who have no page",
      "a socket that never told its page",
      [/(?<=live\.delete\(client\);\n) {2}names\.release\(client\);\n/, ""],
    ],
    [
      "06-resume",
      "the old socket's end, taken for the page's",
      "a page that comes back over its old socket",
      ["if (clientOf.get(page) === client) {", "if (clientOf.delete(page)) {"],
    ],
    ["08-server-sent-events", "presence as a message", "presence is no message", ["event: presence\\n", ""]],
    [
      "08-server-sent-events",
      "presence with an id",
      "presence leaves the cursor",
      ["event: presence\\n", "event: presence\\nid: presence:1\\n"],
    ],
    [
      "08-server-sent-events",
      "presence in the log",
      "messages keep",
      ["    toAll(`event", '    log.add("presence", "");\n    toAll(`event'],
    ],
    [
      "08-server-sent-events",
      "those who go are not told of",
      "when one goes",
      ["if (listening.delete(response)) tellPresence();", "listening.delete(response);"],
    ],
    [
      "08-server-sent-events",
      "told to the newcomer alone",
      "when one comes",
      ["      tellPresence();\n", '      response.write("event: presence\\ndata: 1\\n\\n");\n'],
    ],
    [
      "08-server-sent-events",
      "told again and again",
      "while nobody comes",
      ["serve({", "setInterval(tellPresence, 500);\n\nserve({"],
    ],
    [
      "08-server-sent-events",
      "counted before it is known whether it is a stream",
      "who only asks for the head",
      ["      listening.add(response);\n", ""],
      ["      if (request.method ===", "      listening.add(response);\n      if (request.method ==="],
    ],
    [
      "08-server-sent-events",
      "told each time",
      "fifty who come at once",
      ["  if (presenceDue) return;\n", ""],
      ["  }, 50);", "  }, 0);"],
    ],
    ["09-compare", "compressed for everybody", "who does not accept", [" || !acceptsGzip(request)", ""]],
    ["09-compare", "a no taken for a yes", "who does not accept", [/\(\?!.*?\$\)\)(?=\/i)/, ""]],
    ["09-compare", "compressed however short", "an empty answer", ["plain.length < 300 || ", ""]],
    ["09-compare", "a Vary in place of ours", "a cache", ['"Origin, Accept-Encoding"', '"Accept-Encoding"']],
    [
      "09-compare",
      "a Vary on what is compressed alone",
      "a cache",
      ['    response.setHeader("Vary", "Origin, Accept-Encoding");\n', ""],
      ['{ "Content-Encoding": "gzip"', '{ Vary: "Origin, Accept-Encoding", "Content-Encoding": "gzip"'],
    ],
    [
      "09-compare",
      "the length of what is not sent",
      "many messages",
      ['"Content-Length": bytes.length', '"Content-Length": plain.length'],
    ],
  ])("in %s: %s", async ([lesson, , broken, ...changes]) => {
    let source = readFileSync(pathOf({ folder: lesson }, "solution/server.ts"), "utf8");
    for (const [from, to] of changes) {
      const changed = source.replace(from, () => to);
      expect(changed, `${from} is in the solution`).not.toBe(source);
      source = changed;
    }
    const results = await resultsOf(lesson, "solution/server.ts", broken, source);
    expect(results.map(({ title }) => title)).toEqual([expect.stringContaining(broken)]);
    expect(results[0]?.fault).toBeDefined();
  });
});

describe("each exercise", () => {
  test.for(lessons)("of lesson $number points to places that its README has", async (lesson) => {
    const { where, exercise, learned, nextQuestion } = readReadme(lesson);
    for (const { read, title } of await checksOf(lesson))
      expect(where(read), title).toMatch(/README\.md:\d+/);
    expect([exercise, learned].map(Boolean)).toEqual([true, true]);
    expect(nextQuestion).toMatch(/\w/);
    expect(nextQuestion).not.toMatch(/[[\]_`*]/);
  });

  test.for(folders)("of %s is marked in one or two places", (lesson) => {
    const files = readdirSync(pathOf({ folder: lesson })).filter((name) => /(?<!\.test)\.ts$/.test(name));
    const text = files.map((name) => readFileSync(pathOf({ folder: lesson }, name), "utf8")).join("");
    expect([1, 2]).toContain(text.match(/Exercise:/g)?.length);
  });
});

test("every lesson has an exercise", () => {
  expect(folders).toEqual(findLessons().map(({ folder }) => folder));
});
