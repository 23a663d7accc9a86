// The files that a lesson's server is made of: do they compile, and has one of them been saved?
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type BuildFailure, buildSync, formatMessagesSync } from "esbuild";
import { root } from "../launcher/lessons.ts";

const lookEveryMs = 100;
const compiledFolder = join(root, ".workshop", "servers");

export type Sources = {
  /** Compiles what is there now: arguments for `node`, or what is wrong, as lines to show. */
  compile(): { args: string[] } | { faults: string[] };
  /** Stops watching. */
  end(): void;
};

/** What was compiled, kept beside it: nothing is compiled again until one of these files changes. */
type Record = { args: string[]; versions: [path: string, version: string][] };

/**
 * Calls `saved` when `file` or something that it imports has been changed and then left alone for 100 ms.
 * The files are looked at again and again: that also works where the system does not report changes
 * (a Windows folder seen from WSL, a container's volume).
 */
export function sources(file: string, saved: () => void): Sources {
  /** Each file, as it was when it was last compiled. */
  let compiled = new Map([[file, versionOf(file)]]);
  let latest = "";
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const name = createHash("sha256").update(file).digest("hex").slice(0, 16);
  const program = join(compiledFolder, `${name}.mjs`);
  const record = join(compiledFolder, `${name}.json`);

  function look(): void {
    const now = [...compiled.keys()].map(versionOf).join();
    // An editor may save in steps, or put a new file in place of the old one.
    const settled = now === latest;
    latest = now;
    if (settled && now !== [...compiled.values()].join()) {
      compiled = versions(compiled.keys());
      saved();
    }
    if (!ended) timer = setTimeout(look, lookEveryMs);
  }
  timer = setTimeout(look, lookEveryMs);

  return {
    compile() {
      const known = readRecord(record);
      if (known?.versions.every(([path, version]) => versionOf(path) === version)) {
        compiled = new Map(known.versions);
        return { args: known.args };
      }
      // Before the files are read: what is saved meanwhile is newer than what was compiled.
      const before = versions(compiled.keys());
      let files = [...before.keys()];
      try {
        const { metafile, outputFiles } = bundle(file, program);
        files = Object.keys(metafile.inputs).map((path) => resolve(root, path));
        // In one file, without tsx, the server starts twice as fast. But a bundle does not know where its parts were.
        const asksWhere = files.some((path) => readFileSync(path, "utf8").includes("import.meta"));
        const args = asksWhere ? ["--import", "tsx", file] : ["--enable-source-maps", program];
        save(program, outputFiles[0]?.contents ?? "");
        const used = files.map((path): [string, string] => [path, before.get(path) ?? versionOf(path)]);
        save(record, JSON.stringify({ args, versions: used } satisfies Record));
        return { args };
      } catch (error) {
        const { errors = [] } = error as BuildFailure;
        const places = errors.flatMap(({ location }) => (location ? [resolve(root, location.file)] : []));
        files = [...new Set([...files, ...places])];
        const shown = formatMessagesSync(errors, { kind: "error", color: false }).flatMap((text) =>
          text.trimEnd().split("\n"),
        );
        return { faults: shown.length > 0 ? shown : [String(error)] };
      } finally {
        compiled = new Map(files.map((path) => [path, before.get(path) ?? versionOf(path)]));
      }
    },
    end() {
      ended = true;
      clearTimeout(timer);
    },
  };
}

/** The synchronous way, because it leaves no process behind: an esbuild that stays can outlive a parent that was killed. */
function bundle(file: string, outfile: string) {
  return buildSync({
    entryPoints: [file],
    absWorkingDir: root,
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "inline",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
}

/** Written beside and renamed, since another cable may run the same lesson. */
function save(path: string, content: string | Uint8Array): void {
  mkdirSync(compiledFolder, { recursive: true });
  writeFileSync(`${path}.${process.pid}`, content);
  renameSync(`${path}.${process.pid}`, path);
}

function readRecord(path: string): Record | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return; // The first start of this lesson.
  }
}

function versions(paths: Iterable<string>): Map<string, string> {
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
