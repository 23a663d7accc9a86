// The difference of two files, as git tells it.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../launcher/lessons.ts";

const coloured = Boolean(process.stdout.isTTY && !process.env.NO_COLOR);

/**
 * What changes from one file to the other, "" for nothing. With `clean`, what it makes of both is compared, and line
 * numbers, which would be wrong, are left out.
 * @throws one line for the reader when there is no git
 */
export function difference(from: string, to: string, clean?: (text: string) => string): string {
  if (!clean) return describe(from, to, ask(from, to));
  const folder = join(root, ".workshop", `diff-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    const copies = [from, to].map((file, n) => {
      const copy = join(folder, `${n}.ts`);
      writeFileSync(copy, clean(readFileSync(join(root, file), "utf8")));
      return copy;
    }) as [string, string];
    return describe(from, to, ask(...copies).replace(/^@@ .*$/gm, "@@"));
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Imports say where files lie, and nothing about what the code does. */
export const withoutImports = (text: string) =>
  text.replaceAll("\r\n", "\n").replace(/^import [\s\S]*?;\n/gm, "");

function ask(from: string, to: string): string {
  const options = ["--no-index", "--no-ext-diff", "--color=never", "--ignore-blank-lines"];
  const { stdout, stderr, error, status } = spawnSync(
    "git",
    ["--no-pager", "diff", ...options, "--", from, to],
    { cwd: root, encoding: "utf8", windowsHide: true },
  );
  if (error)
    throw new Error(
      "The difference is made by git, and there is no git here: get it from https://git-scm.com",
    );
  if (status !== 0 && status !== 1) throw new Error(stderr.trim());
  return stdout;
}

/** The two paths, instead of git's own four lines about them, and the lines in their colours. */
function describe(from: string, to: string, told: string): string {
  const at = told.search(/^@@/m);
  return at < 0 ? "" : `${from} → ${to}\n${told.slice(at).replace(/^([-+@]).*$/gm, paint)}`;
}

function paint(line: string, mark: string): string {
  const code = { "-": 31, "+": 32 }[mark] ?? 36;
  return coloured ? `\x1b[${code}m${line}\x1b[0m` : line;
}
