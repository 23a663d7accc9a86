// The exercises: every starter fails for the reason that its exercise names, and every solution passes. Every wrong
// answer fails the check that is meant for it: see wrong-answers-*.test.ts.
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findLessons, root } from "../launcher/lessons.ts";
import { inBackground } from "./checks.ts";
import { lessonsWithExercise, pathOf, solutionFiles } from "./files.ts";
import { readReadme } from "./readme.ts";
import type { Result } from "./run.ts";
import { type Change, checksOf, patient, resultsOf, solutionWith } from "./testing.ts";

const lessons = lessonsWithExercise();
const folders = lessons.map(({ folder }) => folder);

const running = new Map<string, Promise<Result[]>>();

const doubtOf = (file: string) => (file.startsWith("solution") ? "failures" : "nothing");

/** All of them begin with the first, each check in its turn: most of it is waiting. */
function resultsFor(folder: string, file: "server.ts" | "solution/server.ts") {
  if (running.size === 0)
    for (const folder of folders)
      for (const file of ["server.ts", "solution/server.ts"])
        running.set(
          `${folder}/${file}`,
          inBackground(resultsOf({ folder }, file, "", undefined, doubtOf(file))),
        );
  return running.get(`${folder}/${file}`) ?? [];
}

describe("a starter", () => {
  test.for<[string, string, RegExp]>([
    ["01-polling", "an answer carries an ETag", /without an ETag header/],
    ["02-long-polling", "five messages sent together", /held 1 of them/],
    ["03-chat", "nobody else receives it", /Alan received it too/],
    ["04-broadcast", "a message said in a room is received in no other", /Alan received it/],
    ["05-heartbeat-reconnect", "a client that sends more than ten", /it stayed open/],
    ["06-resume", "when a page connects again", /it stayed open/],
    ["07-outbox", "twenty messages in a row", /20 came/],
    ["08-server-sent-events", "a page receives the number of open streams", /no event of that name/],
    ["09-compare", "messages come in groups of five", /the gaps between messages were \d+, /],
    ["10-shared-cursors", "no pointer that is elsewhere", /Grace received 50000 50000/],
    ["11-jukebox", "when half of the people have voted", /it is still track 1/],
    ["12-the-door", "a member gets an invitation", /status 404/],
    ["13-slow-readers", "a reader that leaves more than 64 KiB", /\d+ KiB were sent/],
  ])("of %s fails its exercise: %s", patient, async ([lesson, title, happened]) => {
    const results = await resultsFor(lesson, "server.ts");
    const broken = results.filter(({ fault }) => fault);
    expect(broken[0]?.title).toMatch(title);
    expect(broken[0]?.fault?.happened).toMatch(happened);
    // The exercise isn't done yet, but nothing crashes, and nothing keeps the learner waiting.
    for (const { title, fault } of broken) expect(["failed", "unsure"], title).toContain(fault?.kind);
  });
});

describe("a solution", () => {
  test.for(folders)("of %s passes every check", patient, async (lesson) => {
    const results = await resultsFor(lesson, "solution/server.ts");
    expect(results.filter(({ fault }) => fault)).toEqual([]);
  });

  test.for(folders)("of %s changes files of the lesson, and has no others", (lesson) => {
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

test.for<[string, string, string, ...Change[]]>([
  [
    "01-polling",
    "the answer made after the pause, and its ETag as well",
    "the ETag of a slow answer",
    [/ {4}const answer[\s\S]*?(?= {4}response)/, ""],
    [
      "    response",
      `    if (query.has("slow")) await pause(Math.random() * 2_000);
    const answer = log.after(readCursor(query) ?? { after: 0 });
    const etag = [log.name, log.end.after].join().replace(/.*/, '"$&"');
    response`,
    ],
  ],
  [
    "02-long-polling",
    "POST answered after the 50 ms, too",
    "nobody gets an empty answer",
    ["sendJson(response, 201, log.add(from, text))", "const said = log.add(from, text)"],
    [
      "replySoon();\n  }",
      "replySoon();\n    setTimeout(() => sendJson(response, 201, said), gatherMs);\n  }",
    ],
  ],
  [
    "02-long-polling",
    "50 ms by AbortSignal.timeout",
    "a message that comes",
    [
      "timer = setTimeout(reply, gatherMs);",
      'AbortSignal.timeout(gatherMs).addEventListener("abort", reply);',
    ],
  ],
  [
    "02-long-polling",
    "one interval for all pages, which looks every 10 ms who has waited for 50",
    "a message that comes",
    [
      "const waiting",
      `const due = new Map<() => void, number>();
setInterval(() => {
  for (const [reply, at] of due) if (performance.now() >= at && due.delete(reply)) reply();
}, 10);
const waiting`,
    ],
    ["timer = setTimeout(reply, gatherMs);", "due.set(reply, performance.now() + gatherMs);"],
  ],
  [
    "03-chat",
    "names compared without regard to case",
    "a name is compared as a whole",
    ["names.get(each) === to", "names.get(each)?.toLowerCase() === to.toLowerCase()"],
  ],
  [
    "05-heartbeat-reconnect",
    "the connection ended a second after the close frame, if the page doesn't answer",
    "the connection ends",
    [
      "    if (recent.length",
      "    if (recent.length > perSecond) setTimeout(() => client.terminate(), 1_000);\n    if (recent.length",
    ],
  ],
  [
    "05-heartbeat-reconnect",
    "a timer for each message, which takes it off the count",
    "while a client stays",
    ["let recent: number[] = [];", "let count = 0;"],
    [/ {4}const now[\s\S]*?\n.*\n/, "    count++;\n    setTimeout(() => count--, 1_000);\n"],
    ["recent.length", "count"],
  ],
  [
    "06-resume",
    "the page's name kept with each socket, and a loop over all sockets",
    "a page that has left is forgotten",
    ["new Map<string, WebSocket>()", "new WeakMap<WebSocket, string>()"],
    [
      /pages\.get\(page\)\?[\s\S]*?\n(?= {6}\})/,
      `for (const each of sockets.clients) if (pages.get(each) === page) each.terminate();
        pages.set(client, page);
`,
    ],
  ],
  [
    "07-outbox",
    "one interval for all pages, which acknowledges what came in the last 50 ms",
    "a message on its own",
    [
      "sockets.on(",
      `const due = new Map<WebSocket, () => void>();
setInterval(() => {
  for (const ack of due.values()) ack();
  due.clear();
}, 50);
sockets.on(`,
    ],
    ["if (id && !ackTimer)", "if (id)"],
    ["ackTimer = setTimeout(() => {\n          ackTimer = undefined;", "due.set(client, () => {"],
    ["}, 50);", "});"],
  ],
  [
    "09-compare",
    "the next time of each of the five added to the pause",
    "the average",
    [" * burst", ""],
    ["lanes.send(count);\n  }\n  publishNext();", "lanes.send(count);\n    publishNext();\n  }"],
  ],
  [
    "09-compare",
    "pauses that are mostly short and sometimes long, with the same average",
    "moving the slider",
    ["Math.random() * 2_000", "-Math.log(1 - Math.random()) * 1_000"],
  ],
  [
    "10-shared-cursors",
    "the positions in a part sent when a page looks there",
    "a page that looks again",
    ["const changed =", "const last = new Map<number, Position>();\nconst changed ="],
    ["      moved.set(id, position);", "      moved.set(id, position);\n      last.set(id, position);"],
    ["moved.delete(id)", "moved.delete(id) && last.delete(id)"],
    [
      '    if (message?.type === "ripple")',
      `    if (message?.type === "look") {
      const seen = seenBy(client, [...last.values()]);
      if (seen.length > 0) deliver(client, JSON.stringify({ type: "moved", pointers: seen }));
    }
    if (message?.type === "ripple")`,
    ],
  ],
  [
    "12-the-door",
    "a word that says what it is for",
    "a member gets",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is code
    ["const invitation = secretWord()", "const invitation = `invitation-${secretWord()}`"],
  ],
])(
  "a right answer passes that is written differently: in %s, %s",
  patient,
  async ([lesson, , title, ...changes]) => {
    const source = solutionWith(lesson, changes);
    const results = await resultsOf({ folder: lesson }, "solution/server.ts", title, source, "failures");
    expect(results).toEqual([{ title: expect.stringContaining(title), read: expect.any(String) }]);
  },
);

test(
  "another program that takes the server's port before it can listen costs nobody a check",
  patient,
  async () => {
    const marker = join(root, ".workshop", `taken-${process.pid}`);
    const taken = `import { existsSync, writeFileSync } from "node:fs";
if (!existsSync(${JSON.stringify(marker)})) {
  writeFileSync(${JSON.stringify(marker)}, "");
  const { createServer } = await import("node:net");
  await new Promise((resolve) => createServer().listen(Number(process.env.PORT), "127.0.0.1", () => resolve(0)));
}
`;
    try {
      const source = taken + solutionWith("03-chat", []);
      const results = await resultsOf(
        { folder: "03-chat" },
        "solution/server.ts",
        "Grace",
        source,
        "failures",
      );
      expect(results.filter(({ fault }) => fault)).toEqual([]);
      expect(results).not.toEqual([]);
      expect(existsSync(marker)).toBe(true);
    } finally {
      rmSync(marker, { force: true });
    }
  },
);

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
