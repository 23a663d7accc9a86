// For tests: a copy of the workshop in a folder of its own, with one small lesson that tests may break and fix.
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { atEnd } from "../testing/clean-up.ts";
import { type Running, root, runNode } from "../testing/process.ts";

export const serverSource = `
import { createServer } from "node:http";
console.log("server pid", process.pid);
const server = createServer((request, response) => response.end("hello"));
server.listen(process.env.PORT, "127.0.0.1", () => console.log("listening"));
process.on("SIGTERM", () => {
  console.log("goodbye");
  server.close(() => process.exit());
});
`;

export const clientSource = `// A comment, so that lines move.
interface Greeting {
  text: string;
}

export function greet(): Greeting {
  const greeting: Greeting = { text: "hello from " + process.env.PORT };
  return greeting;
}
const output = document.querySelector("output");
if (output) output.textContent = greet().text;
`;

export const pageSource = `<!doctype html>
<html lang="en">
  <head>
    <title>A tale</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="style.css">
    <script type="module" src="client.ts"></script>
  </head>
  <body><output></output></body>
</html>
`;

const lessonFiles = {
  "README.md":
    "# 3 · A <i>tale</i>\n\n> Two & two. · 20 minutes\n\n[the page](./) ![a dot](dot.svg)\n\n## Need & run\n",
  "index.html": pageSource,
  "client.ts": clientSource,
  "server.ts": serverSource,
  "style.css": "output { color: rgb(1, 2, 3) }",
  "dot.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
};

export type Copy = {
  path(...parts: string[]): string;
  /** Writes a file of the copy. */
  save(file: string, text: string): Promise<void>;
  /** `npm run lesson ...` or `npm run pages`, without npm. */
  start(args: string[], env?: Record<string, string | undefined>): Running;
  /** `npm run ...` */
  npmRun(args: string[], env?: Record<string, string | undefined>): Running;
};

/** Makes the copy; removed after the last test of the file. The folder's name has a space, as people's names have. */
export async function copyWorkshop(): Promise<Copy> {
  const folder = join(await realpath(await mkdtemp(join(tmpdir(), "workshop-"))), "my copy");
  atEnd(() => rm(dirname(folder), { recursive: true, force: true, maxRetries: 5 }));
  for (const room of ["both", "server", "page", "pieces", "machinery"])
    await cp(join(root, "shared", room), join(folder, "shared", room), {
      recursive: true,
      filter: (source) => !source.endsWith(".test.ts"),
    });
  await cp(join(root, "package.json"), join(folder, "package.json"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  const copy: Copy = {
    path: (...parts) => join(folder, ...parts),
    save: async (file, text) => {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text);
    },
    npmRun: (args, env) => runNode([npmCli(), "--prefix", folder, "run", ...args], env, []),
    start: (args, env) => runNode([join(folder, "shared", "machinery", "start.cjs"), ...args], env, [], true),
  };
  for (const [name, text] of Object.entries(lessonFiles))
    await copy.save(join("lessons", "03-tale", name), text);
  await mkdir(join(folder, "slides"), { recursive: true });
  return copy;
}

/** npm's own program: that of the npm which runs these tests, or the one beside Node. */
const npmCli = () =>
  process.env.npm_execpath ?? join(dirname(process.execPath), "../lib/node_modules/npm/bin/npm-cli.js");
