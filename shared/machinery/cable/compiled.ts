// Compiles a program into one file. Without tsx, it starts twice as fast and takes a quarter less memory.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Metafile } from "esbuild";
import { root } from "../launcher/lessons.ts";
import { oneFileFlags } from "../one-file.ts";

/** Each file that a program is made of, with the version of it that was compiled. */
export type Versions = Map<string, string>;

/** Arguments for `node`, or what is wrong, as lines to show. */
export type Compiled = { versions: Versions } & ({ args: string[] } | { faults: string[] });

/**
 * What was compiled, kept beside it: nothing is compiled again until one of these files changes. `made` is the version of
 * the compiled file, and of the files that compile.
 */
type Record = { args: string[]; made: string; versions: [path: string, version: string][] };

const machinery = join(root, "shared", "machinery");
const compilers = [join(machinery, "cable", "compiled.ts"), join(machinery, "one-file.ts")];

/**
 * Compiles what is there now, unless it has been compiled already.
 * @param file the program
 * @param known the files that it was made of last time, as far as they are known
 */
export function compiled(file: string, known: Iterable<string> = [file]): Compiled {
  const name = `${basename(file, ".ts")}-${createHash("sha256").update(file).digest("hex").slice(0, 16)}`;
  // The workshop's folder is three levels up, as it is for a file of the machinery, which looks for it there.
  const program = join(root, ".workshop", "compiled", name, "program.mjs");
  const record = join(dirname(program), "made-of.json");
  const earlier = compiledEarlier(program, record);
  if (earlier) return earlier;
  // Taken before the files are read: a file saved meanwhile must count as newer than what was compiled.
  const before = versionsOf(known);
  const versions = (files: Iterable<string>): Versions =>
    new Map([...files].map((path) => [path, before.get(path) ?? versionOf(path)]));
  const fromSource = ["--import", "tsx", file];
  // Written beside its place and renamed, since another cable may run the same lesson.
  const beside = (path: string) => `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(program), { recursive: true });
    const wrong = bundle(file, beside(program), beside(record));
    if (wrong) {
      const places = [...wrong.matchAll(/^ {4}(\S.*?):\d+:\d+:$/gm)].map(([, path = ""]) =>
        resolve(root, path),
      );
      return { faults: wrong.trimEnd().split("\n"), versions: versions([...before.keys(), ...places]) };
    }
    const { inputs }: Metafile = JSON.parse(readFileSync(beside(record), "utf8"));
    const files = Object.keys(inputs).map((path) => resolve(root, path));
    const isMachinery = file.startsWith(machinery);
    const asksWhere = !isMachinery && files.some((path) => asksWhereItIs(readFileSync(path, "utf8")));
    // Places in the source are for learners. They take time and memory.
    const built = isMachinery ? [program] : ["--enable-source-maps", program];
    const result = { args: asksWhere ? fromSource : built, versions: versions(files) };
    const made = madeOf(beside(program));
    const content: Record = { args: result.args, made, versions: [...result.versions] };
    writeFileSync(beside(record), JSON.stringify(content));
    renameSync(beside(program), program);
    renameSync(beside(record), record);
    return result;
  } catch {
    // The disk is full, or nobody may write there.
    for (const path of [program, record].map(beside)) if (existsSync(path)) rmSync(path);
    return { args: fromSource, versions: before };
  }
}

/** A bundle doesn't know where its parts were. It finds packages, but no files beside them. */
const asksWhereItIs = (source: string) =>
  source.replace(/createRequire\(import\.meta\.url\)\("(?=[\w@])/g, "").includes("import.meta");

/** esbuild's own program: it leaves no process behind, and its library would take 11 MB of the cable's memory. */
const esbuild =
  process.env.ESBUILD_BINARY_PATH ||
  join(
    root,
    `node_modules/@esbuild/${process.platform}-${process.arch}`,
    process.platform === "win32" ? "esbuild.exe" : "bin/esbuild",
  );

/**
 * Writes one file, and what it was made of.
 * @returns what is wrong with the source, in lines to show
 * @throws when esbuild can't be started
 */
function bundle(file: string, outfile: string, metafile: string): string | undefined {
  const flags = [...oneFileFlags, "--color=false", "--log-level=error"];
  const { error, status, stderr } = spawnSync(
    esbuild,
    [file, ...flags, `--outfile=${outfile}`, `--metafile=${metafile}`],
    { cwd: root, encoding: "utf8", windowsHide: true },
  );
  if (error) throw error;
  return status === 0 ? undefined : stderr;
}

const madeOf = (program: string) => [program, ...compilers].map(versionOf).join();

/** What is there from an earlier start, if it is still right. */
function compiledEarlier(program: string, record: string): Compiled | undefined {
  try {
    const { args, made, versions }: Record = JSON.parse(readFileSync(record, "utf8"));
    const isRight =
      made === madeOf(program) && versions.every(([path, version]) => versionOf(path) === version);
    return isRight ? { args, versions: new Map(versions) } : undefined;
  } catch {
    return; // The first start of this program, or another version of the workshop wrote the record.
  }
}

/** How the files are now. */
export function versionsOf(paths: Iterable<string>): Versions {
  return new Map([...paths].map((path) => [path, versionOf(path)]));
}

function versionOf(path: string): string {
  try {
    const { mtimeMs, size } = statSync(path);
    return `${mtimeMs} ${size}`;
  } catch {
    // Gone, or locked while an editor writes it: it will be looked at again.
    return "not readable";
  }
}
