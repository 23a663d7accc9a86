// What all the pieces promise: each stands alone, says so, and doesn't take a misspelled option.
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { root } from "../machinery/testing/process.ts";

const folder = join(root, "shared", "pieces");
const pieces = readdirSync(folder).filter((name) => /(?<!\.test)\.ts$/.test(name));
const forServers = ["heartbeat.ts", "one-write.ts", "resume-server.ts", "outbox-server.ts"];
/** Inside the project, so that ws and its types are found. */
const temporary = join(root, ".workshop", `pieces-${process.pid}`);
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

/** A call that is right, and one with a misspelled option, which must be an error. */
const calls: Record<string, string> = {
  "heartbeat.ts": `import { heartbeat } from "./heartbeat.ts";
heartbeat([], { pingEveryMs: 15 });
// @ts-expect-error
heartbeat([], { pingEverySeconds: 15 });`,
  "stay-connected.ts": `import { WebSocket as ofWs } from "ws";
import { stayConnected } from "./stay-connected.ts";
stayConnected("", { onopen() {}, onmessage() {}, onstate() {} }, { handshakeMs: 5 });
stayConnected("", { onopen() {}, onmessage() {}, onstate() {} }, { WebSocket });
stayConnected("", { onopen() {}, onmessage() {}, onstate() {} }, { WebSocket: ofWs });
// @ts-expect-error
stayConnected("", { onopen() {}, onmessage() {}, onstate() {} }, { handshake: 5 });`,
  "resume-client.ts": `import { Resume } from "./resume-client.ts";
new Resume({ onmessage() {}, ongap() {}, ondouble() {} });
// @ts-expect-error
new Resume({ onmessage() {}, ongap() {}, ondoubles() {} });`,
  "one-write.ts": `import { Audience } from "./one-write.ts";
new Audience({ unreadLimit: 5 });
// @ts-expect-error
new Audience({ limit: 5 });`,
  "outbox-client.ts": `import { Outbox } from "./outbox-client.ts";
new Outbox(() => true, { storage: sessionStorage });
// @ts-expect-error
new Outbox(() => true, { store: sessionStorage });`,
};

const tsc = join(root, "node_modules", "typescript", "bin", "tsc");

/** Compiles one file on its own, strictly; returns what the compiler complains of. */
async function compile(piece: string): Promise<string> {
  const alone = join(temporary, piece);
  mkdirSync(alone, { recursive: true });
  writeFileSync(join(alone, piece), readFileSync(join(folder, piece)));
  writeFileSync(join(alone, "main.ts"), calls[piece] ?? "");
  const isServer = forServers.includes(piece);
  const compilerOptions = {
    strict: true,
    noUncheckedIndexedAccess: true,
    target: "es2023",
    module: "nodenext",
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    lib: ["es2023", ...(isServer ? [] : ["dom"])],
    types: isServer ? ["node"] : [],
  };
  writeFileSync(join(alone, "package.json"), '{ "type": "module" }');
  writeFileSync(join(alone, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", alone]).catch((error) => error);
  return stdout;
}

test("there are two halves of each, the heartbeat, and one write for many", () => {
  expect(pieces).toEqual([
    "heartbeat.ts",
    "one-write.ts",
    "outbox-client.ts",
    "outbox-server.ts",
    "resume-client.ts",
    "resume-server.ts",
    "stay-connected.ts",
  ]);
});

test.each(pieces)(
  "%s compiles alone, strictly, for the side it runs on, and a misspelled option is an error",
  async (piece) => {
    expect(await compile(piece)).toBe("");
  },
);

test.each(pieces)("%s carries its license, and says what it promises and what it doesn't", (piece) => {
  const text = readFileSync(join(folder, piece), "utf8").replaceAll("\r\n", "\n");
  const [, copyright] = readFileSync(join(root, "LICENSE"), "utf8").match(/^(Copyright .*?)\r?$/m) ?? [];
  const head = text.slice(0, text.search(/^(?!\/\/)/m));
  expect(head).toMatch(/^\/\/ SPDX-License-Identifier: MIT\n/);
  expect(head).toContain(`// ${copyright}\n`);
  for (const words of [/^\/\/ It promises: /m, /^\/\/ It doesn't: /m, /Tested /]) expect(head).toMatch(words);
  for (const [file] of head.matchAll(/[\w-]+\.test\.ts/g)) expect(readdirSync(folder)).toContain(file);
});
