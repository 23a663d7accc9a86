// What the cable runs is compiled into .workshop. It has to run as well when that folder is damaged, old or locked.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { findLessons, root } from "../launcher/lessons.ts";
import { atEnd } from "../testing/clean-up.ts";
import { compiled } from "./compiled.ts";

/** A program that has been compiled, and where. */
function compiledOnce() {
  const folder = mkdtempSync(join(tmpdir(), "compiled-"));
  const file = join(folder, "program.ts");
  writeFileSync(file, 'const word: string = "hello";\nconsole.log(word);\n');
  const args = argsOf(file);
  const program = args.at(-1) ?? "";
  const record = join(dirname(program), "made-of.json");
  atEnd(() => {
    for (const each of [folder, dirname(program)]) rmSync(each, { recursive: true, force: true });
  });
  return { file, args, program, record };
}

function argsOf(file: string): string[] {
  const result = compiled(file);
  if ("args" in result) return result.args;
  throw new Error(result.faults.join("\n"));
}

const run = (args: string[]) => spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });

test("compiles nothing again while nothing has changed", () => {
  const { file, program, args } = compiledOnce();
  const before = readFileSync(program, "utf8");
  expect(argsOf(file)).toEqual(args);
  expect(readFileSync(program, "utf8")).toBe(before);
  expect(run(args)).toMatchObject({ status: 0, stdout: "hello\n" });
});

test.each([
  ["empty", () => ""],
  ["of another shape", () => "{}"],
  ["an older version's", (record: string) => JSON.stringify({ ...JSON.parse(record), made: undefined })],
])("compiles again when the record is %s", (_, damage) => {
  const { file, args, program, record } = compiledOnce();
  writeFileSync(record, damage(readFileSync(record, "utf8")));
  writeFileSync(program, "an older version's program");
  expect(argsOf(file)).toEqual(args);
  expect(run(args).stdout).toBe("hello\n");
});

test("compiles again when the compiled program is gone, or another one", () => {
  const { file, args, program } = compiledOnce();
  rmSync(program);
  expect(argsOf(file)).toEqual(args);
  expect(existsSync(program)).toBe(true);
  writeFileSync(program, "what somebody else has written");
  expect(argsOf(file)).toEqual(args);
  expect(run(args).stdout).toBe("hello\n");
});

test("the server of each lesson runs without tsx", () => {
  for (const { folder } of findLessons())
    expect(argsOf(join(root, "lessons", folder, "server.ts"))[0], folder).toBe("--enable-source-maps");
});

test("ws and valibot are part of the file, and the program compiles again when they change", () => {
  const { file } = compiledOnce();
  writeFileSync(
    file,
    'import "valibot";\nimport { WebSocketServer } from "ws";\nnew WebSocketServer({ port: -1 });\n',
  );
  const { versions, ...result } = compiled(file);
  const program = "args" in result ? (result.args.at(-1) ?? "") : "";
  expect(readFileSync(program, "utf8")).not.toMatch(/from "(ws|valibot)"/);
  for (const part of ["ws/lib/websocket-server.js", "valibot/dist/index.mjs"])
    expect([...versions.keys()].map((path) => path.replaceAll("\\", "/"))).toContainEqual(
      expect.stringMatching(new RegExp(`/node_modules/${part}$`)),
    );
  // An error inside a package still leads to the line that called it.
  expect(run(["--enable-source-maps", program]).stderr).toContain(`${file}:3:`);
});

test("a misspelled export of ws is an error in the line that imports it", () => {
  const { file } = compiledOnce();
  writeFileSync(file, 'import { WebSocketServr } from "ws";\nnew WebSocketServr();\n');
  expect(compiled(file)).toMatchObject({
    faults: expect.arrayContaining([
      expect.stringContaining("WebSocketServr"),
      expect.stringContaining(`.ts:1:9:`),
    ]),
  });
});

test("a program that finds files by import.meta runs from its source", () => {
  const { file } = compiledOnce();
  writeFileSync(file, 'console.log(new URL("beside.txt", import.meta.url).pathname);\n');
  expect(run(argsOf(file)).stdout).toBe(`${join(dirname(file), "beside.txt")}\n`);
});

test("where nothing can be written, the program runs from its source", () => {
  const { file, program } = compiledOnce();
  // A file in the folder's place, since a root user may write into every folder.
  rmSync(dirname(program), { recursive: true });
  writeFileSync(dirname(program), "");
  const args = argsOf(file);
  expect(args).not.toContain(program);
  expect(run(args)).toMatchObject({ status: 0, stdout: "hello\n" });
});
