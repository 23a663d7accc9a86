// What is installed on this computer, and how much room there is.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../launcher/lessons.ts";
import type { Finding } from "./finding.ts";

export function node(): Finding {
  return { about: "Node", verdict: "ok", found: `${process.versions.node} (20 or newer)` };
}

/** npm tells its version to each program that it runs. */
export function npm(): Finding {
  const [, version] = process.env.npm_config_user_agent?.match(/^npm\/(\S+)/) ?? [];
  if (!version)
    return {
      about: "npm",
      verdict: "note",
      found: "this command was started without npm.",
      advice: "Start it with npm: npm run doctor",
    };
  return { about: "npm", verdict: "ok", found: version };
}

type Package = {
  version: string;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
};

/** Compares node_modules with package-lock.json. */
export function packages(): Finding {
  const about = "Packages";
  const advice = "Run npm install.";
  const { packages } = readJson<{ packages: Record<string, Package> }>("package-lock.json") ?? {};
  if (!packages) return { about, verdict: "note", found: "there is no package-lock.json to compare with." };
  const wanted = Object.entries(packages).filter(([path, one]) => path !== "" && isForThisSystem(one));
  const missing: string[] = [];
  const different: string[] = [];
  for (const [path, { version }] of wanted) {
    const there = readJson<{ version: string }>(path, "package.json")?.version;
    const name = path.replace(/^.*node_modules\//, "");
    if (there === undefined) missing.push(name);
    else if (there !== version) different.push(`${name} ${there}, not ${version}`);
  }
  if (missing.length > 0)
    return { about, verdict: "stop", found: `${missing.length} missing: ${few(missing)}.`, advice };
  if (different.length > 0) {
    const found = `${different.length} not in the version that was tested: ${few(different)}.`;
    return { about, verdict: "note", found, advice };
  }
  return { about, verdict: "ok", found: `all ${wanted.length} are installed` };
}

/** A package for one system only is optional. Others that are optional may be left out. */
function isForThisSystem({ optional, os, cpu, libc }: Package): boolean {
  if (!optional) return true;
  if (!os?.includes(process.platform) || !cpu?.includes(process.arch)) return false;
  return !libc || libc.includes(isMusl() ? "musl" : "glibc");
}

/** Whether this is a Linux with the C library musl, such as Alpine. */
function isMusl(): boolean {
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return !header.glibcVersionRuntime;
}

const few = (names: string[]) =>
  names.length > 3 ? `${names.slice(0, 3).join(", ")} and more` : names.join(", ");

function readJson<Content>(...path: string[]): Content | undefined {
  try {
    return JSON.parse(readFileSync(join(root, ...path), "utf8"));
  } catch {
    return;
  }
}

export function git(): Finding {
  const { stdout, error } = spawnSync("git", ["--version"], { encoding: "utf8", windowsHide: true });
  if (error)
    return {
      about: "git",
      verdict: "note",
      found: "not installed. Lessons run without it.",
      advice: "npm run solution and npm run diff need it: https://git-scm.com",
    };
  return { about: "git", verdict: "ok", found: stdout.match(/\d[\w.]*/)?.[0] ?? stdout.trim() };
}

const MB = 1024 * 1024;

export function disk({ bavail, bsize }: { bavail: number; bsize: number } = statfsSync(root)): Finding {
  const free = (bavail * bsize) / MB;
  const about = "Disk";
  const found = free < 1024 ? `${Math.floor(free)} MB free` : `${Math.floor(free / 1024)} GB free`;
  if (free >= 500) return { about, verdict: "ok", found };
  return { about, verdict: free < 50 ? "stop" : "note", found, advice: "Free some space: 500 MB is plenty." };
}

/** The checks compile into .workshop, and progress is kept there. */
export function folder(): Finding {
  const about = "Folder";
  const trial = join(root, ".workshop", `doctor-${process.pid}`);
  try {
    mkdirSync(join(root, ".workshop"), { recursive: true });
    writeFileSync(trial, "");
  } catch (error) {
    const found = `nothing can be written to ${root} (${(error as NodeJS.ErrnoException).code}).`;
    return { about, verdict: "stop", found, advice: "Copy the workshop to a folder of your own." };
  } finally {
    if (existsSync(trial)) rmSync(trial);
  }
  const lessons = existsSync(join(root, "lessons"));
  return lessons
    ? { about, verdict: "ok", found: "can be written to" }
    : {
        about,
        verdict: "stop",
        found: "the folder lessons is gone.",
        advice: "Download the workshop again.",
      };
}
