// The files that a lesson's server is made of: do they compile, and has one of them been saved?
import { type Compiled, compiled, type Versions, versionsOf } from "./compiled.ts";

const lookEveryMs = 100;

export type Sources = {
  /** Compiles what is there now. */
  compile(): Compiled;
  /** Stops watching. */
  end(): void;
};

/**
 * Calls `saved` when `file` or something that it imports has been changed and then left alone for 100 ms.
 * The files are checked again and again: that also works where the system does not report changes
 * (a Windows folder seen from WSL, a container's volume).
 */
export function sources(file: string, saved: () => void): Sources {
  /** Each file, as it was when it was last compiled. */
  let versions = versionsOf([file]);
  let latest = "";
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const inWords = (versions: Versions) => [...versions.values()].join();

  function look(): void {
    const found = versionsOf(versions.keys());
    const now = inWords(found);
    // An editor may save in steps, or put a new file in place of the old one.
    const settled = now === latest;
    latest = now;
    if (settled && now !== inWords(versions)) {
      versions = found;
      saved();
    }
    if (!ended) timer = setTimeout(look, lookEveryMs);
  }
  timer = setTimeout(look, lookEveryMs);

  return {
    compile() {
      const result = compiled(file, versions.keys());
      versions = result.versions;
      return result;
    },
    end() {
      ended = true;
      clearTimeout(timer);
    },
  };
}
