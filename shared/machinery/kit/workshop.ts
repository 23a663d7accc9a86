// The workshop's files, as somebody gets them who starts from the beginning.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { root } from "../launcher/lessons.ts";
import { startersFolder } from "../reset/starters.ts";

/**
 * Writes the files into a new folder: those of git's last commit or, without git, those that are here.
 * @returns in words, which these are
 * @throws a text for the reader
 */
export function exportWorkshop(folder: string): string {
  mkdirSync(folder, { recursive: true });
  if (exportCommit(folder)) return "as in the last commit (git)";
  const starters = startersFolder();
  cpSync(root, folder, { recursive: true, filter: (source) => isOurs(relative(root, source)) });
  if (!existsSync(starters)) return "as it is in this folder";
  rmSync(join(folder, "lessons"), { recursive: true, force: true });
  cpSync(starters, join(folder, "lessons"), { recursive: true });
  return "as it is in this folder, with the lessons as they were when you first started one";
}

/** Not what was installed, measured or printed here. */
function isOurs(path: string): boolean {
  const [top = ""] = path.split(sep);
  return !["node_modules", ".workshop", "site", ".git"].includes(top) && !/\.(log|pdf)$/.test(path);
}

/** False without git, and where it doesn't track the workshop. */
function exportCommit(folder: string): boolean {
  // An index of its own, so that git's is left alone.
  const index = join(folder, "index");
  const git = (...args: string[]) =>
    spawnSync("git", args, {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, GIT_INDEX_FILE: index },
      windowsHide: true,
    });
  const { status, stdout } = git("ls-tree", "--name-only", "HEAD", "package-lock.json");
  if (status !== 0 || stdout.trim() === "") return false;
  // The workshop may be a folder of somebody's larger repository.
  const prefix = git("rev-parse", "--show-prefix").stdout.trim();
  const isWritten =
    git("read-tree", `HEAD:${prefix}`).status === 0 &&
    git("--work-tree", folder, "checkout-index", "--all", "--force").status === 0;
  rmSync(index, { force: true });
  if (!isWritten) throw new Error("git could not write its last commit into the kit.");
  return true;
}
