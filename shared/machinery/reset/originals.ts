// How the lessons were at the start: from git where it tracks them, else from the copy that the first start made.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { git } from "../checks/difference.ts";
import { root } from "../launcher/lessons.ts";
import { startersFolder } from "./starters.ts";

export type Originals = {
  /** For the reader: where the originals are from. */
  source: string;
  /** The lessons' folders: "03-chat". */
  folders: string[];
  /** What has changed in a lesson since. Paths are relative to the workshop, with slashes. */
  changes(folder: string): Changes;
  /** Brings back a lesson's changed and missing files. */
  restore(folder: string, changes: Changes): void;
};

/** Files that are different now, that are gone, and that the learner has added. */
export type Changes = { changed: string[]; missing: string[]; added: string[] };

/** Undefined without git and without a copy. */
export function findOriginals(): Originals | undefined {
  return inGit() ?? inCopy();
}

function inGit(): Originals | undefined {
  const folders = tracked("lessons/").flatMap((path) => path.match(/^lessons\/(\d\d-[^/]+)\//)?.[1] ?? []);
  if (folders.length === 0) return;
  return {
    source: "the same as in the last commit (git)",
    folders: [...new Set(folders)],
    changes(folder) {
      const originals = tracked(`lessons/${folder}/`);
      // git compares, since it may have changed the ends of lines when it wrote these files.
      const { output } = git(
        "diff",
        "--relative",
        "--no-renames",
        "--name-only",
        "-z",
        "HEAD",
        "--",
        `lessons/${folder}`,
      );
      const different = new Set(output.split("\0"));
      return compare(folder, originals, (path) => different.has(path));
    },
    restore(folder, { changed, missing, added }) {
      if (changed.length + missing.length + added.length === 0) return;
      // The index first, so that a file which was added there is forgotten.
      for (const command of [
        ["reset", "-q", "HEAD"],
        ["checkout", "-q", "HEAD"],
      ]) {
        const { status, error } = git(...command, "--", `lessons/${folder}`);
        if (status !== 0) throw new Error(`git could not restore lessons/${folder}: ${error}`);
      }
    },
  };
}

/** The files that git's last commit has in this folder. None without git, and where it tracks something else. */
function tracked(folder: string): string[] {
  try {
    const { output, status } = git("ls-tree", "-r", "-z", "--name-only", "HEAD", folder);
    return status === 0 ? output.split("\0").filter(Boolean) : [];
  } catch {
    return [];
  }
}

function inCopy(): Originals | undefined {
  const copy = startersFolder();
  if (!existsSync(copy)) return;
  const inside = (path: string) => join(copy, path.slice("lessons/".length));
  return {
    source: "the same as when you first started a lesson",
    folders: readdirSync(copy).filter((name) => /^\d\d-/.test(name)),
    changes(folder) {
      const originals = filesIn(copy, folder).map((path) => `lessons/${path}`);
      return compare(
        folder,
        originals,
        (path) => !readFileSync(join(root, path)).equals(readFileSync(inside(path))),
      );
    },
    restore(_, { changed, missing }) {
      for (const path of [...changed, ...missing]) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        copyFileSync(inside(path), join(root, path));
      }
    },
  };
}

function compare(folder: string, originals: string[], isDifferent: (path: string) => boolean): Changes {
  const here = new Set(filesIn(root, `lessons/${folder}`));
  return {
    changed: originals.filter((path) => here.has(path) && isDifferent(path)),
    missing: originals.filter((path) => !here.has(path)),
    added: [...here].filter((path) => !originals.includes(path)),
  };
}

/** What systems and programs leave behind by themselves. */
const isLitter = (name: string) => /^(\.DS_Store|Thumbs\.db|desktop\.ini)$|\.log$/i.test(name);

/** All files below `top/folder`, as paths from `top`. */
function filesIn(top: string, folder: string): string[] {
  if (!existsSync(join(top, folder))) return [];
  return readdirSync(join(top, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return filesIn(top, path);
    return isLitter(entry.name) ? [] : [path];
  });
}
