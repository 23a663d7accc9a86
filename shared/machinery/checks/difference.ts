// The difference between two files, as git shows it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../launcher/lessons.ts";
import { fitDifference } from "../launcher/wrap.ts";

const coloured = Boolean(process.stdout.isTTY && !process.env.NO_COLOR);

export type File = { name: string; text: string };

/**
 * What changes from one file to the other, "" for nothing. Imports are left out: they say where files are, and nothing
 * about what the code does. Line numbers are left out as well, because they would be wrong.
 * @throws one line for the reader when there is no git
 */
export function difference(from: File, to: File): string {
  const folder = mkdtempSync(join(tmpdir(), "workshop-diff-"));
  try {
    const [a, b] = [from, to].map(({ text }, n) => {
      const copy = join(folder, `${n}.ts`);
      writeFileSync(copy, withoutImports(text));
      return copy;
    }) as [string, string];
    const options = ["--no-index", "--no-ext-diff", "--color=never", "--ignore-blank-lines"];
    const { output, status, error } = git("--no-pager", "diff", ...options, "--", a, b);
    // git's status is 1 where there is a difference.
    if (status !== 0 && status !== 1) throw new Error(error);
    const at = output.search(/^@@/m);
    if (at < 0) return "";
    const shown = output.slice(at).replace(/^@@ .*$/gm, "@@");
    return `${from.name} → ${to.name}\n${shown.replace(/^(.).*$/gm, paint)}`;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Runs git in the workshop's folder. @throws one line for the reader when there is no git */
export function git(...args: string[]): { output: string; status: number | null; error: string } {
  const { stdout, stderr, error, status } = spawnSync("git", args, {
    cwd: root,
    encoding: "utf8",
    windowsHide: true,
  });
  if (error) throw new Error("This command needs git, which is not installed here: https://git-scm.com");
  return { output: stdout, status, error: stderr.trim() };
}

function withoutImports(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(/^import [\s\S]*?;\n/gm, "");
}

/** A line of the difference as the terminal shows it: in color, and broken between words where it is too long. */
function paint(line: string, mark: string): string {
  const shown = fitDifference(line);
  const code = { "-": 31, "+": 32, "@": 36 }[mark];
  return coloured && code ? `\x1b[${code}m${shown}\x1b[0m` : shown;
}
