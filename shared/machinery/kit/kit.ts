// A folder for a USB stick, from which a class installs the workshop without internet: `npm run kit`, or
// `npm run kit E:\kit`. It holds the workshop, and npm's cache with each package for Windows, macOS and Linux.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { root } from "../launcher/lessons.ts";
import { wrap } from "../launcher/wrap.ts";
import { findPackages, isInCache, type Package } from "./packages.ts";
import { exportWorkshop } from "./workshop.ts";

const neededMB = 600;
const readme = "README.txt";

const unfinished = "This kit is not finished. Make it again: npm run kit\n";
const howToInstall = (registry: string) => `The real-time web workshop, to install without internet
========================================================

You need Node.js 20 or newer. If you don't have it, ask your instructor for its
installer (https://nodejs.org).

1. Copy this whole folder to your own disk.
2. Open a terminal in the copy, and type these two commands:

     cd workshop
     npm ci --offline --cache ../npm-cache --registry ${registry}

3. Start the first lesson:

     npm run lesson 1

If something does not work: npm run doctor
`;

main();

function main() {
  try {
    const folder = resolve(process.env.INIT_CWD ?? "", process.argv[2] ?? join(root, ".workshop", "kit"));
    makeKit(folder);
    console.log(
      `\n${wrap(`The kit is in ${folder}`)}\nCopy all of it. ${readme} says how to install from it.\n`,
    );
  } catch (error) {
    console.error(wrap((error as Error).message));
    process.exitCode = 1;
  }
}

/** @throws a text for the reader */
function makeKit(folder: string) {
  const npm = process.env.npm_execpath;
  if (!npm) throw new Error("This needs npm. Start it with npm run kit.");
  // Other files there stay untouched, such as those on a USB stick.
  if (existsSync(folder) && readdirSync(folder).length > 0 && !existsSync(join(folder, readme)))
    throw new Error(`${folder} holds other files. Name a new folder: npm run kit ${join(folder, "kit")}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, readme), unfinished);
  const { bavail, bsize } = statfsSync(folder);
  if ((bavail * bsize) / 1024 ** 2 < neededMB)
    throw new Error(`The kit needs ${neededMB} MB, and there is less room at ${folder}`);

  const workshop = join(folder, "workshop");
  rmSync(workshop, { recursive: true, force: true });
  console.log(`\nThe workshop: ${exportWorkshop(workshop)}.`);

  const cache = join(folder, "npm-cache");
  const packages = findPackages(readFileSync(join(workshop, "package-lock.json"), "utf8"));
  console.log(
    `Fetching ${packages.length} packages for Windows, macOS and Linux. This takes a few minutes …`,
  );
  // npm's cache is kept by registry, so it must be the same registry when the workshop is installed.
  const registry = askNpm(npm, ["config", "get", "registry"]);
  fetchPackages(npm, registry, cache, packages);
  const missing = packages.filter((one) => !isInCache(cache, one)).map(({ spec }) => spec);
  if (missing.length > 0) throw new Error(`npm could not fetch: ${missing.join(", ")}`);
  // npm's logs and its temporary files. They are of no use to others.
  for (const name of ["_logs", join("_cacache", "tmp")])
    rmSync(join(cache, name), { recursive: true, force: true });
  writeFileSync(join(folder, readme), howToInstall(registry));
}

/** Lets npm put packages into a cache of our own. npm doesn't fetch those that are there already. */
function fetchPackages(npm: string, registry: string, cache: string, packages: Package[]) {
  const wanted = packages.filter((one) => !isInCache(cache, one)).map(({ spec }) => spec);
  if (wanted.length === 0) return;
  askNpm(npm, ["cache", "add", ...wanted, "--cache", cache, "--registry", registry]);
}

/** @returns what npm prints */
function askNpm(npm: string, args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [npm, ...args], {
    cwd: root,
    encoding: "utf8",
    windowsHide: true,
  });
  if (status !== 0) throw new Error(`npm could not fetch the packages:\n${stderr.trim()}`);
  return stdout.trim();
}
