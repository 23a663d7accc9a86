// Time limits of checks, on a computer that is slow: here, one on which every Node.js program starts 0.6 s late.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { check, expectThat } from "./checks.ts";
import { postAll } from "./client.ts";
import { pathOf } from "./files.ts";
import { type Doubt, runChecks } from "./run.ts";
import type { LessonServer } from "./server.ts";
import { cannotTell, expectFast, expectQuiet, isDoubtful, pause, TooBusy, within } from "./time.ts";

const folder = mkdtempSync(join(tmpdir(), "slow-"));
/** From now on every Node.js program runs this first. */
function preload(name: string, code: string) {
  const file = join(folder, name);
  writeFileSync(file, code);
  vi.stubEnv("NODE_OPTIONS", `--require ${JSON.stringify(file)}`);
}
const wait = (ms: number) => `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms});`;
beforeEach(() => preload("slow.cjs", wait(600)));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const never = new Promise<never>(() => {});
const late = () => new Error("late");

test("what takes longer than its limit on a quiet computer is waited for", async () => {
  expect(
    await within(
      100,
      pause(500).then(() => "done"),
      late,
    ),
  ).toBe("done");
});

test("what never comes is late, some time later than on a quiet computer", async () => {
  const began = performance.now();
  await expect(within(100, never, late)).rejects.toThrow("late");
  expect(performance.now() - began).toBeGreaterThan(590);
});

test("nobody is blamed where the computer is so busy that the wait would be too long", async () => {
  await expect(within(100, never, late, 300)).rejects.toThrow(TooBusy);
});

test("what took too long is too slow, unless the computer may be the reason", async () => {
  await expectFast(100, 90, late);
  await expect(expectFast(100, 400, late)).rejects.toThrow(TooBusy);
  await expect(expectFast(100, 1_000_000, late)).rejects.toThrow("late");
});

test("whatever is late on a slow computer is doubtful", async () => {
  const failing = [within(100, never, late), expectFast(100, 1_000_000, late), cannotTell(), expectQuiet()];
  const errors = failing.map((each) => each.catch((error: unknown) => error));
  for (const error of await Promise.all(errors)) expect(isDoubtful(error)).toBe(true);
  const broken = within(100, Promise.reject(new Error("broken")), late);
  expect(isDoubtful(await broken.catch((error: unknown) => error))).toBe(false);
});

test.for<[Doubt, string, string]>([
  ["failures", "fails", "passes"],
  ["passes", "passes", "fails"],
])("where %s are in doubt, what %s on a slow computer is checked again", async ([doubt, first, second]) => {
  const outcomes = [first, second];
  const one = check("", "Why", async () => expectThat(outcomes.shift() === "passes", "a pass", "a failure"));
  const server = pathOf({ folder: "03-chat" }, "solution/server.ts");
  const report = await runChecks([one], server, undefined, doubt);
  expect(outcomes).toEqual([]);
  expect("results" in report && report.results[0]?.fault?.kind).toBe(
    second === "fails" ? "failed" : undefined,
  );
});

test("a failure is passed on immediately", async () => {
  const began = performance.now();
  await expect(within(60_000, Promise.reject(new Error("broken")), late)).rejects.toThrow("broken");
  expect(performance.now() - began).toBeLessThan(10_000);
});

test("a check that sends its requests so late that the server gives up waiting can't tell", async () => {
  const answer = "HTTP/1.1 408 Request Timeout\r\n\r\n";
  const server = createServer((socket) => socket.on("data", () => socket.end(answer)).on("error", () => {}));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await expect(postAll({ port } as LessonServer, ["hello"])).rejects.toThrow(TooBusy);
  server.close();
});

test("a computer that was slow for a moment makes nobody wait long", async () => {
  const flag = JSON.stringify(join(folder, "flag"));
  const isFirst = `!require("node:fs").existsSync(${flag})`;
  preload("once.cjs", `if (${isFirst}) { require("node:fs").writeFileSync(${flag}, ""); ${wait(2_000)} }`);
  await pause(300); // for the end of an earlier measurement
  const began = performance.now();
  await expect(within(1_000, never, late, 40_000)).rejects.toThrow("late");
  // Were the computer as slow all the time, it would be 20 s.
  expect(performance.now() - began).toBeLessThan(18_000);
});

test("a check that can't tell doesn't call a quiet computer busy", () => {
  expect(new TooBusy(1).message).toContain("This check can't tell");
  expect(new TooBusy(3).message).toContain("An empty Node.js program takes 300 ms here now");
});

test("a check begins again each time that another program has taken its server's port", async () => {
  preload("taken.cjs", "");
  const flags = JSON.stringify([join(folder, "taken 1"), join(folder, "taken 2")]);
  const source = `import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
const { PORT } = process.env;
for (const flag of ${flags})
  if (!existsSync(flag)) {
    writeFileSync(flag, "");
    console.error(\`Port \${PORT} is taken\`);
    process.exit(1);
  }
createServer((_request, response) => response.end("hello")).listen(PORT, "127.0.0.1", () => console.log("listening"));`;
  const hello = check("it says hello", "Hint 1", async ({ url }) => {
    expectThat((await (await fetch(url)).text()) === "hello", "hello", "something else");
  });
  const report = await runChecks([hello], pathOf({ folder: "03-chat" }, "server.ts"), source);
  expect(report).toEqual({ results: [{ title: "it says hello", read: "Hint 1" }] });
});
