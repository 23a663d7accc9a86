// Compiles a program into one file. Without tsx, it starts twice as fast and takes a quarter less memory.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import type { BuildFailure } from "esbuild";
import { root } from "../launcher/lessons.ts";
import { oneFile } from "../one-file.ts";

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
  try {
    const { metafile, outputFiles } = bundle(file, program);
    const files = Object.keys(metafile.inputs).map((path) => resolve(root, path));
    const isMachinery = file.startsWith(machinery);
    const asksWhere = !isMachinery && files.some((path) => asksWhereItIs(readFileSync(path, "utf8")));
    // Places in the source are for learners. They take time and memory.
    const args = isMachinery ? [program] : ["--enable-source-maps", program];
    const fromSource = ["--import", "tsx", file];
    const result = { args: asksWhere ? fromSource : args, versions: versions(files) };
    const isKept = keep(result, outputFiles[0]?.contents ?? "", program, record);
    return isKept ? result : { ...result, args: fromSource };
  } catch (error) {
    const { errors = [] } = error as BuildFailure;
    const places = errors.flatMap(({ location }) => (location ? [resolve(root, location.file)] : []));
    const shown = esbuild()
      .formatMessagesSync(errors, { kind: "error", color: false })
      .flatMap((text) => text.trimEnd().split("\n"));
    return {
      faults: shown.length > 0 ? shown : [String(error)],
      versions: versions([...before.keys(), ...places]),
    };
  }
}

/** A bundle doesn't know where its parts were. It finds packages, but no files beside them. */
const asksWhereItIs = (source: string) =>
  source.replace(/createRequire\(import\.meta\.url\)\("(?=[\w@])/g, "").includes("import.meta");

/** Loaded only when there is something to compile, since it takes 10 MB. */
const esbuild = () => createRequire(import.meta.url)("esbuild") as typeof import("esbuild");

/** The synchronous way, because it leaves no process behind: an esbuild that stays can outlive a parent that was killed. */
function bundle(file: string, outfile: string) {
  return esbuild().buildSync({ ...oneFile, entryPoints: [file], outfile, metafile: true });
}

/**
 * Writes a program and its record. Each is written beside its place and renamed, since another cable may run the same
 * lesson. False if that isn't possible: the disk is full, or nobody may write there.
 */
function keep(
  { args, versions }: { args: string[]; versions: Versions },
  content: string | Uint8Array,
  program: string,
  record: string,
): boolean {
  const beside = (path: string) => `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(program), { recursive: true });
    writeFileSync(beside(program), content);
    const made = madeOf(beside(program));
    writeFileSync(beside(record), JSON.stringify({ args, made, versions: [...versions] } satisfies Record));
    renameSync(beside(program), program);
    renameSync(beside(record), record);
    return true;
  } catch {
    for (const path of [program, record].map(beside)) if (existsSync(path)) rmSync(path);
    return false;
  }
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
