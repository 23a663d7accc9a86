// The files that a lesson's server is made of: do they compile, and has one of them been saved?
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { type BuildFailure, buildSync, formatMessagesSync } from "esbuild";

const lookEveryMs = 100;

export type Sources = {
  /** Looks at what is there now. Answers with what is wrong with it, as lines to show; none if it compiles. */
  check(): string[];
  end(): void;
};

/**
 * Calls `saved` when `file` or something that it imports has been changed and then left alone for 100 ms.
 * The files are looked at again and again: that also works where the system does not tell of changes
 * (a Windows folder seen from WSL, a container's volume).
 */
export function sources(file: string, saved: () => void): Sources {
  /** Each file, as it was when it was last checked. */
  let checked = new Map([[file, versionOf(file)]]);
  let latest = "";
  let timer: NodeJS.Timeout | undefined;
  let ended = false;

  function look(): void {
    const now = [...checked.keys()].map(versionOf).join();
    // An editor may save in steps, or put a new file in place of the old one.
    const settled = now === latest;
    latest = now;
    if (settled && now !== [...checked.values()].join()) {
      checked = versions(checked.keys());
      saved();
    }
    if (!ended) timer = setTimeout(look, lookEveryMs);
  }
  look();

  return {
    check() {
      // Before the files are read: what is saved meanwhile is newer than what was checked.
      const before = versions(checked.keys());
      let files = [...before.keys()];
      // esbuild knows what a file imports. The synchronous way, because it leaves no process behind: an esbuild that
      // stays to watch can outlive a parent that was killed.
      try {
        const { metafile } = buildSync({
          entryPoints: [file],
          bundle: true,
          packages: "external",
          platform: "node",
          format: "esm",
          write: false,
          metafile: true,
          logLevel: "silent",
        });
        files = Object.keys(metafile.inputs).map((path) => resolve(path));
        return [];
      } catch (error) {
        const { errors = [] } = error as BuildFailure;
        const places = errors.flatMap(({ location }) => (location ? [resolve(location.file)] : []));
        files = [...new Set([...files, ...places])];
        const color = (process.env.FORCE_COLOR ?? "0") !== "0";
        const shown = formatMessagesSync(errors, { kind: "error", color }).flatMap((text) =>
          text.trimEnd().split("\n"),
        );
        return shown.length > 0 ? shown : [String(error)];
      } finally {
        checked = new Map(files.map((path) => [path, before.get(path) ?? versionOf(path)]));
      }
    },
    end() {
      ended = true;
      clearTimeout(timer);
    },
  };
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
