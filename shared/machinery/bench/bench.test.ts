// Promises of the benchmark: small runs measure what they say, and its tables are the ones that the texts show.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { root } from "../launcher/lessons.ts";
import { fanOut, plainest } from "./fan-out.ts";
import { halfOpen } from "./half-open.ts";
import { demosWay, oneWrite } from "./one-write.ts";
import { comeBack } from "./outage.ts";
import { toMarkdown } from "./report.ts";
import { median, quantile } from "./statistics.ts";
import { transports } from "./transports.ts";

describe("small runs of the benchmark", () => {
  test("every transport brings every message, a socket in the fewest bytes, and compressed in fewer still", async () => {
    const rows = await transports(2, 20, 1, "together");
    const bytes = Object.fromEntries(rows.map((row) => [row.transport, row.bytes]));
    expect(rows.map(({ lost }) => lost)).toEqual(rows.map(() => 0));
    // The header of a frame from the server is two bytes.
    expect(bytes.WebSocket).toBeGreaterThanOrEqual(98);
    expect(bytes.WebSocket).toBeLessThanOrEqual(104);
    expect(bytes["long polling"]).toBeGreaterThan(3 * (bytes.WebSocket ?? 0));
    expect(bytes["WebSocket, compressed"]).toBeLessThan((bytes.WebSocket ?? 0) / 2);
    expect(bytes["polling every 1 s"]).toBeLessThan(bytes["long polling"] ?? 0);
  });

  test("every client receives every message, from every server", async () => {
    const rows = await fanOut(50, 1, 10);
    expect(rows).toHaveLength(6);
    for (const { server, perSecond, bytesPerConnection } of rows) {
      expect(perSecond, server).toBeGreaterThan(1_000);
      expect(bytesPerConnection, server).toBeGreaterThan(500);
    }
  });

  test("one write for each turn of the event loop delivers messages that were said together many times as fast", async () => {
    const rows = await oneWrite(100, 3);
    expect(rows).toHaveLength(6);
    for (const { p50, p99 } of rows) expect(p99).toBeGreaterThanOrEqual(p50);
    const [each, , turn] = rows.filter(({ together }) => together === 32);
    // On a quiet machine it is twenty times and more.
    expect(turn?.perSecond).toBeGreaterThan(3 * (each?.perSecond ?? 0));
    expect(turn?.p99).toBeLessThan(each?.p99 ?? 0);
  });

  test("clients that come back after a fixed second come together", async () => {
    const { worst100Ms, backAfter } = await comeBack("fixed", 50, 0.5);
    // Spread evenly over that second, it would be a tenth of them.
    expect(worst100Ms).toBeGreaterThan(0.5);
    expect(backAfter).toBeLessThan(20);
  });

  test("both sides of a half-open connection notice, in about the time that is promised", async () => {
    for (const { worst, promised } of await halfOpen(5, 20)) {
      expect(worst).toBeGreaterThan(promised / 5);
      expect(worst).toBeLessThan(promised * 3);
    }
  });
});

test.skipIf(process.platform === "win32")(
  "where a process may open too few files for the clients, the next measurement can use them again",
  async () => {
    const { href } = new URL("fan-out.ts", import.meta.url);
    const script = `const { fanOut } = await import("${href}");
      await fanOut(400, 1, 1).catch(({ message }) => console.log("left out:", message));
      await fanOut(5, 1, 1);
      console.log("went on");
      process.exit();`;
    const limited = spawn(
      "sh",
      [
        "-c",
        'ulimit -n 300 && exec "$0" "$@"',
        process.execPath,
        "--import",
        "tsx",
        "--input-type=module",
        "-e",
        script,
      ],
      { cwd: root, stdio: ["ignore", "pipe", "inherit"] },
    );
    let printed = "";
    for await (const text of limited.stdout) printed += text;
    expect(printed).toMatch(/^left out: .*EMFILE.*\nwent on\n$/);
  },
);

test("the median of some numbers, and their quantiles", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(quantile([5, 1, 3], 0.99)).toBe(5);
  expect(quantile([], 0.5)).toBe(0);
});

test("the report compares every server with the plainest loop, and every way with that of the demos", () => {
  const late = { clients: 1_000, together: 32, p50: 9.87 };
  const row = { clients: 1_000, perCpuSecond: 500, bytesPerConnection: 3_000 };
  const report = toMarkdown({
    date: "2026-01-01",
    machine: "m",
    versions: "v",
    transports: [],
    pointers: [],
    fanOut: [
      { ...row, server: plainest, perSecond: 200 },
      { ...row, server: "lesson 4", perSecond: 190 },
    ],
    oneWrite: [
      { ...late, way: demosWay, perSecond: 100_000, p99: 300 },
      { ...late, way: "one write for each turn", perSecond: 2_345_678, p99: 12.34 },
    ],
    returns: [],
    halfOpen: { shortened: 10, sides: [] },
  });
  expect(report).toMatch(/## Fan-out: 1,000 clients\n\n/);
  expect(report).toMatch(/## One write for many: 1,000 clients, 32 messages at a time\n\n/);
  expect(report).toMatch(/one write for each turn \| +2,350,000 \| +23\.5 \| +9\.9 ms \| +12 ms/);
  expect(report).toMatch(/lesson 4 +\| +190 \| +0\.95 \| +500 \| +3\.0 kB/);
});

// results.md is the output of one run of `npm run bench`. READMEs and slides show rows of it.
const measured = readFileSync(new URL("results.md", import.meta.url), "utf8");
const rowsOf = (text: string) => text.split("\n").filter((line) => /^\| (?!-)/.test(line));

test.each([
  "../../../lessons/09-compare/README.md",
  "../../../lessons/10-shared-cursors/README.md",
  "../../../lessons/13-slow-readers/README.md",
  "../../../README.md",
])("the figures in %s are rows of what was measured", (file) => {
  const text = readFileSync(new URL(file, import.meta.url), "utf8");
  const [, section] = text.match(/\n## Measured\n(.*?)(\n## |$)/s) ?? [];
  if (section === undefined) throw new Error("there is no section Measured");
  const known = new Set(rowsOf(measured));
  for (const row of rowsOf(section)) expect(known.has(row), row).toBe(true);
  const [, date = "no date"] = measured.match(/Measured on (\S+),/) ?? [];
  expect(section).toContain(date);
});
