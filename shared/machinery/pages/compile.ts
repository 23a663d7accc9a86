// Makes JavaScript for the browser from a TypeScript file, when the browser asks for it.
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { type Message, transform } from "esbuild";
import { readPort } from "../launcher/ports.ts";
import { publicHost } from "../launcher/public-host.ts";
import { lastReset } from "../reset/last-reset.ts";
import type { Fault } from "./fault-box.ts";

export type Compiled = { code: string; fails: boolean };

const compiled = new Map<string, Compiled & { version: string }>();

/** The file as a JavaScript module; if it has a syntax error, a module that shows the error in the page. */
export async function compile(file: string, url: string): Promise<Compiled> {
  const { mtimeMs, size } = await stat(file);
  const version = `${mtimeMs} ${size} ${lastReset()}`;
  const known = compiled.get(file);
  if (known?.version === version) return known;
  const source = await readFile(file, "utf8");
  const made = await toJavaScript(source, file).then(
    (code) => ({ code, fails: false }),
    (error) => ({ code: toErrorModule(error.errors?.[0], url), fails: true }),
  );
  compiled.set(file, { ...made, version });
  return made;
}

/** Starts esbuild's process, so that the first page doesn't have to wait for it. */
export function warmUp() {
  void transform("");
}

async function toJavaScript(source: string, file: string): Promise<string> {
  const { code } = await transform(source, {
    loader: "ts",
    target: "es2022",
    sourcemap: "inline",
    // The map names its source relative to the page's URL of this file: the same name, so breakpoints find it.
    sourcefile: basename(file),
    define: {
      "process.env.PORT": JSON.stringify(String(readPort("PORT"))),
      "process.env.LESSON": JSON.stringify(process.env.LESSON ?? ""),
      "process.env.LAST_RESET": JSON.stringify(lastReset()),
      "process.env.CABLE_PORT": JSON.stringify(process.env.CABLE_PORT ?? ""),
      "process.env.PUBLIC_HOST": JSON.stringify(publicHost() ?? ""),
    },
  });
  return code;
}

function toErrorModule(message: Message | undefined, url: string): string {
  const { line, column = 0, lineText } = message?.location ?? {};
  const fault: Fault = {
    title: "This file does not compile",
    where: line ? `${url}, line ${line}, column ${column + 1}` : url,
    // A tab stays a tab, or the caret would point to the wrong place.
    code: lineText && `${lineText}\n${lineText.slice(0, column).replace(/[^\t]/g, " ")}^`,
    text: `${message?.text ?? "It could not be read"}. Fix it and save. The page reloads by itself.`,
  };
  return `import { showFault } from "/shared/machinery/pages/fault-box.ts";\nshowFault(${JSON.stringify(fault)});\n`;
}
