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
 * @param source what stands in the file: by default, what is on disk
 * @returns what is wrong, undefined when all is well
 * @throws Node's own error when `outfile` can't be written, as on a full disk
 */
export async function bundle(
  file: string,
  outfile?: string,
  source?: string,
): Promise<CompileError | undefined> {
  const path = relative(root, file).replaceAll("\\", "/");
  if (!existsSync(file)) return { where: path, text: `There is no such file. ${bringsBack(path)}`, code: "" };
  const { errors = [], outputFiles } = await build({
    ...oneFile,
    entryPoints: [file],
    ...(outfile && { outfile }),
    plugins: source === undefined ? [] : [replace(file, source)],
  }).catch(({ errors }: Partial<BuildResult>) => ({ errors, outputFiles: undefined }));
  const [error] = errors;
  if (!error) {
    // Not by esbuild, for which a file that it can't write is an error in the source.
    if (outfile && outputFiles?.[0]) {
      mkdirSync(dirname(outfile), { recursive: true });
      writeFileSync(outfile, outputFiles[0].contents);
    }
    return;
  }
  const { file: where = path, line = 1, column = 0, lineText = "" } = error.location ?? {};
  return {
    where: `${where.replaceAll("\\", "/")}:${line}:${column + 1}`,
    // At the end of a file there is no code to show: the mistake is somewhere before.
    text: lineText.trim() ? error.text : `${error.text}. Something above is opened and not closed.`,
    // A tab stays a tab, or the caret would point beside the mistake.
    code: lineText.trim() ? `${lineText}\n${lineText.slice(0, column).replace(/[^\t]/g, " ")}^` : "",
  };
}

/**
 * Where the code of a compiled server is from: a function of a line and a column in there, both counted from 0, that
 * returns "lessons/03-chat/server.ts:17:5", or undefined when they are from no file.
 */
export function placesIn(program: string): (line: number, column: number) => string | undefined {
  const [, map] = readFileSync(program, "utf8").match(/sourceMappingURL=data:\S+?base64,(\S+)/) ?? [];
  if (!map) return () => undefined;
  const sources = new SourceMap(JSON.parse(Buffer.from(map, "base64").toString()));
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

/** Compiles `contents` in place of what stands in the file. */
function replace(file: string, contents: string): Plugin {
  return {
    name: "replace",
    setup: ({ onLoad }) =>
      onLoad({ filter: /server\.ts$/ }, ({ path }) =>
        path === file ? { contents, loader: "ts" } : undefined,
      ),
  };
}
