// Promises of `npm run kit`, with a registry of our own that has three small packages.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { type Copy, copyWorkshop, serverSource } from "../launcher/workshop-copy.ts";
import { atEnd } from "../testing/clean-up.ts";
import { root } from "../testing/process.ts";
import { findPackages } from "./packages.ts";

const other = process.platform === "win32" ? "linux" : "win32";
const packages = {
  tiny: {},
  "tiny-here": { os: [process.platform], cpu: [process.arch] },
  "tiny-there": { os: [other], cpu: ["x64"] },
  "tiny-nowhere": { os: ["aix"], cpu: ["ppc64"] },
};

/** A package's archive: its package.json in the format ustar (POSIX.1-1988). */
function archive(name: string): Buffer {
  const content = Buffer.from(JSON.stringify({ name, version: "1.0.0" }));
  const header = Buffer.alloc(512);
  header.write("package/package.json", 0);
  header.write("0000644\0", 100);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write(" ".repeat(8), 148);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const padding = Buffer.alloc(512 - (content.length % 512) + 1024);
  return gzipSync(Buffer.concat([header, content, padding]));
}
const integrityOf = (bytes: Buffer) => `sha512-${createHash("sha512").update(bytes).digest("base64")}`;

let registry: Server;
let url: string;
let workshop: Copy;

/** npm finds nothing outside of this registry. */
const npmEnv = () => ({
  npm_config_registry: url,
  npm_config_cache: workshop.path("..", "cache-of-the-user"),
  npm_config_update_notifier: "false",
});

beforeAll(async () => {
  registry = createServer((request, response) => {
    const name = request.url?.split("/")[1] ?? "";
    if (!(name in packages)) return response.writeHead(404).end("{}");
    const bytes = archive(name);
    if (request.url?.endsWith(".tgz")) return response.end(bytes);
    const dist = { tarball: `${url}${name}/-/${name}-1.0.0.tgz`, integrity: integrityOf(bytes) };
    const versions = {
      "1.0.0": { name, version: "1.0.0", ...packages[name as keyof typeof packages], dist },
    };
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ name, "dist-tags": { latest: "1.0.0" }, versions }));
  }).listen(0, "127.0.0.1");
  await once(registry, "listening");
  atEnd(() => registry.close());
  url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`;

  workshop = await copyWorkshop();
  const { tiny: _, ...optional } = packages;
  const wanted = {
    devDependencies: { tiny: "1.0.0" },
    optionalDependencies: Object.fromEntries(Object.keys(optional).map((name) => [name, "1.0.0"])),
  };
  const lock = Object.entries(packages).map(([name, more]) => {
    const entry = { version: "1.0.0", integrity: integrityOf(archive(name)), ...more };
    return [`node_modules/${name}`, name === "tiny" ? { ...entry, dev: true } : { ...entry, optional: true }];
  });
  const start = { name: "workshop", version: "0.1.0" };
  const { scripts } = JSON.parse(await readFile(workshop.path("package.json"), "utf8"));
  await workshop.save("package.json", JSON.stringify({ ...start, scripts: { kit: scripts.kit }, ...wanted }));
  await workshop.save(
    "package-lock.json",
    JSON.stringify({
      ...start,
      lockfileVersion: 3,
      packages: { "": { ...start, ...wanted }, ...Object.fromEntries(lock) },
    }),
  );
  await workshop.save("lessons/03-tale/debug.log", "a log");
});

async function kit(folder: string) {
  const running = workshop.npmRun(["kit", at(folder)], npmEnv());
  return { code: await running.ended, output: running.output() };
}
const at = (...path: string[]) => workshop.path("..", ...path);

test("leaves a folder alone that holds other files", async () => {
  const { code, output } = await kit("my copy");
  expect(code).toBe(1);
  expect(output).toMatch(/holds other files\. Name a\s+new folder: npm run kit/);
  expect(existsSync(workshop.path("package.json"))).toBe(true);
});

describe("the kit", () => {
  beforeAll(async () => {
    const { code, output } = await kit("kit");
    expect(output).toContain("Fetching 3 packages for Windows, macOS and Linux.");
    expect(code).toBe(0);
  });

  test("holds the workshop as it came, without what was installed and printed here", async () => {
    expect((await readdir(at("kit"))).sort()).toEqual(["README.txt", "npm-cache", "workshop"]);
    expect((await readdir(at("kit/workshop"))).sort()).toEqual(
      ["lessons", "package-lock.json", "package.json", "shared", "slides"].filter((name) =>
        existsSync(workshop.path(name)),
      ),
    );
    expect(await readFile(at("kit/workshop/lessons/03-tale/server.ts"), "utf8")).toBe(serverSource);
    expect(existsSync(at("kit/workshop/lessons/03-tale/debug.log"))).toBe(false);
  });

  test("of a git checkout is as in the last commit", async () => {
    const git = (...args: string[]) =>
      spawnSync("git", ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", ...args], {
        cwd: workshop.path(),
        encoding: "utf8",
      });
    await workshop.save(".gitignore", "node_modules\n.workshop\n*.log\n");
    for (const args of [["init"], ["add", "."], ["commit", "-m", "All"]]) expect(git(...args).status).toBe(0);
    await workshop.save("lessons/03-tale/server.ts", "my own");
    const { code, output } = await kit("kit");
    expect(output).toContain("as in the last commit (git)");
    expect(code).toBe(0);
    expect(await readFile(at("kit/workshop/lessons/03-tale/server.ts"), "utf8")).toBe(serverSource);
    expect(git("status", "--porcelain").stdout).toBe(" M lessons/03-tale/server.ts\n");
    await rm(workshop.path(".git"), { recursive: true });
  });

  test("installs with the commands of its README.txt, on this system and another, when the registry is gone", async () => {
    registry.close();
    registry.closeAllConnections();
    const text = await readFile(at("kit/README.txt"), "utf8");
    const [, first, second = ""] = text.match(/^ {5}(cd workshop)\n {5}npm (ci .+)$/m) ?? [];
    expect(first).toBe("cd workshop");
    for (const [flags, name] of [
      [[], "tiny-here"],
      [[`--os=${other}`, "--cpu=x64"], "tiny-there"],
    ] as const) {
      await rm(at("a stick"), { recursive: true, force: true });
      await cp(at("kit"), at("a stick"), { recursive: true });
      const npm = process.env.npm_execpath ?? "";
      const env = {
        ...process.env,
        ...npmEnv(),
        npm_config_registry: "http://127.0.0.1:9/",
      };
      const [command, args] = npm ? [process.execPath, [npm]] : ["npm", []];
      const { status, stderr } = spawnSync(command, [...args, ...second.split(" "), ...flags], {
        cwd: at("a stick/workshop"),
        encoding: "utf8",
        env,
        shell: process.platform === "win32" && !npm,
      });
      expect(stderr).not.toContain("npm error");
      expect(status).toBe(0);
      const installed = await readdir(at("a stick/workshop/node_modules"));
      expect(installed.filter((each) => !each.startsWith(".")).sort()).toEqual(["tiny", name]);
    }
  });
});

test("of this workshop's packages, those for Windows, macOS and Linux are taken, each once", async () => {
  const specs = findPackages(await readFile(`${root}/package-lock.json`, "utf8")).map(({ spec }) => spec);
  expect(new Set(specs).size).toBe(specs.length);
  for (const system of ["win32-x64", "win32-arm64", "darwin-x64", "darwin-arm64", "linux-x64", "linux-arm64"])
    for (const name of ["@esbuild/", "@biomejs/cli-", "@typescript/typescript-"])
      expect(specs.filter((spec) => spec.startsWith(`${name}${system}@`))).toHaveLength(1);
  expect(specs.join()).not.toMatch(/aix|freebsd|musl|riscv/);
  expect(specs.some((spec) => /^fsevents@/.test(spec))).toBe(true);
});
