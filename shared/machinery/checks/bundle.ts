// Compiles a lesson's server into one file: servers start three times as fast from it as from their sources.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, join, relative } from "node:path";
import { type BuildResult, build, type Plugin } from "esbuild";
import { root } from "../launcher/lessons.ts";
import { oneFile } from "../one-file.ts";

/** A file that doesn't compile. `code` is the line with a caret below it, empty where the file ends too early. */
export type CompileError = { where: string; text: string; code: string };

/**
 * Compiles a server, or a client where `outfile` is undefined and only the errors matter.
 * @param file where it is; its imports are found from there
 * @param source the file's text: by default, what is on disk
 * @param startsOften then Express is part of the file, too, and the source map is beside it, where no start reads it
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

/** With Express and all that it loads in the file, lesson 12 starts in two thirds of the time. The rest isn't touched. */
const packages: Plugin = {
  name: "packages",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^[^./]/ }, ({ path, kind, importer }) => {
      const isPart = /^(ws|valibot|express)$/.test(path) || importer.includes("node_modules");
      return kind === "entry-point" || isPart ? undefined : { path, external: true };
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
