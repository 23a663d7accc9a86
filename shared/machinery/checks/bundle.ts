// Compiles a lesson's server into one file: servers start three times as fast from it as from their sources.
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { type BuildResult, build, type Plugin } from "esbuild";
import { root } from "../launcher/lessons.ts";
import { oneFile } from "../one-file.ts";

/** A file that doesn't compile. `code` is the line with a caret below it, empty where the file ends too early. */
export type CompileError = { where: string; text: string; code: string };

/**
 * Compiles a server, or a client where `outfile` is undefined and only the errors matter.
 * @param file where it is; its imports are found from there
 * @param source the file's text: by default, what is on disk
 * @param startsOften then packages are files beside it, compiled once, and so is its source map, which no start reads
 * @returns what is wrong, undefined when all is well
 * @throws Node's own error when `outfile` can't be written, as on a full disk
 */
export async function bundle(
  file: string,
  outfile?: string,
  source?: string,
  startsOften = false,
): Promise<CompileError | undefined> {
  const path = relative(root, file).replaceAll("\\", "/");
  if (!existsSync(file)) return { where: path, text: `There is no such file. ${bringsBack(path)}`, code: "" };
  const { errors = [], outputFiles } = await build({
    ...oneFile,
    entryPoints: [file],
    ...(outfile && { outfile }),
    ...(startsOften && { packages: "bundle", sourcemap: "linked" }),
    plugins: [...(startsOften ? [packages] : []), ...(source === undefined ? [] : [replace(file, source)])],
  }).catch(({ errors }: Partial<BuildResult>) => ({ errors, outputFiles: undefined }));
  const [error] = errors;
  if (!error) {
    // Not by esbuild, for which a file that it can't write is an error in the source.
    if (outfile) {
      mkdirSync(dirname(outfile), { recursive: true });
      for (const { path, contents } of outputFiles ?? []) writeFileSync(path, contents);
    }
    return;
  }
  const { file: where = path, line = 1, column = 0, lineText = "" } = error.location ?? {};
  return {
    where: `${where.replaceAll("\\", "/")}:${line}:${column + 1}`,
    // At the end of a file there is no code to show: the mistake is somewhere before.
    text: lineText.trim() ? error.text : `${error.text}. Something above is opened but never closed.`,
    // A tab stays a tab, or the caret would point beside the mistake.
    code: lineText.trim() ? `${lineText}\n${lineText.slice(0, column).replace(/[^\t]/g, " ")}^` : "",
  };
}

/**
 * Where the code of a server is from that was compiled to start often: a function of a line and a column in there, both
 * counted from 0, that returns "lessons/03-chat/server.ts:17:5", or undefined when they are from no file.
 */
export function placesIn(program: string): (line: number, column: number) => string | undefined {
  if (!existsSync(`${program}.map`)) return () => undefined;
  const sources = new SourceMap(JSON.parse(readFileSync(`${program}.map`, "utf8")));
  return (line, column) => {
    const entry = sources.findEntry(line, column);
    if (!("originalSource" in entry)) return;
    const file = relative(root, join(dirname(program), entry.originalSource)).replaceAll("\\", "/");
    return `${file}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  };
}

/** `npm run reset` brings back the whole lesson. It keeps a copy of what it takes away. */
function bringsBack(path: string): string {
  const number = Number(path.match(/^lessons\/(\d+)/)?.[1]);
  return `npm run reset ${number} brings it back, and starts this lesson over.`;
}

const compiled = new Map<string, Promise<string | undefined>>();

/** The address of a package as one file, which stays on disk until npm installs something else. */
async function compile(name: string): Promise<string> {
  const installed = statSync(join(root, "node_modules", ".package-lock.json"), { throwIfNoEntry: false });
  const outfile = join(root, ".workshop", "compiled", `${name}-${Math.round(installed?.mtimeMs ?? 0)}.mjs`);
  if (!existsSync(outfile)) {
    const contents = `export { ${Object.keys(await import(name))} } from "${name}"`;
    const options = {
      packages: "bundle",
      sourcemap: false,
      write: true,
      minifyWhitespace: true,
      minifySyntax: true,
    } as const;
    // Written beside its place and renamed, since another check may be reading it.
    const beside = `${outfile}.${process.pid}`;
    await build({ ...oneFile, ...options, stdin: { contents, resolveDir: root }, outfile: beside });
    renameSync(beside, outfile);
  }
  return pathToFileURL(outfile).href;
}

/** Packages that lessons import are compiled once, and then only loaded. Compiling lesson 12 with Express takes ten times as long. */
const packages: Plugin = {
  name: "packages",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^[^./]/ }, async ({ path, kind }) => {
      if (kind === "entry-point") return;
      if (!/^(ws|valibot|express)$/.test(path)) return { path, external: true };
      // Where it can't be written, as on a full disk, it becomes part of each server's file.
      const compiling = compiled.get(path) ?? compile(path).catch(() => undefined);
      compiled.set(path, compiling);
      const file = await compiling;
      return file === undefined ? undefined : { path: file, external: true };
    }),
};

/** Compiles `contents` in place of the file's own text. */
function replace(file: string, contents: string): Plugin {
  return {
    name: "replace",
    setup: ({ onLoad }) =>
      onLoad({ filter: /server\.ts$/ }, ({ path }) =>
        path === file ? { contents, loader: "ts" } : undefined,
      ),
  };
}
