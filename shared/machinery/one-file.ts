// How esbuild makes one file of a program that runs on Node: it starts two to three times as fast as its sources.
import type { BuildOptions } from "esbuild";
import { root } from "./launcher/lessons.ts";

/** Options for esbuild. Paths that it returns are relative to the workshop's folder. */
export const oneFile = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  // Node finds packages by itself, except two that lessons load at each start: they become part of the file.
  packages: "external",
  alias: { ws: "./node_modules/ws/wrapper.mjs", valibot: "./node_modules/valibot" },
  // `ws` asks for Node's own modules with `require`, which a module doesn't have.
  banner: {
    js: 'import { createRequire as requireFor } from "node:module"; const require = requireFor(import.meta.url);',
  },
  sourcemap: "inline",
  // Where a line is from is enough: Node reads the map at each start, and the line itself from its file.
  sourcesContent: false,
  write: false,
  logLevel: "silent",
} satisfies BuildOptions;

/** The same options for esbuild's own program. */
export const oneFileFlags = [
  "--bundle",
  `--platform=${oneFile.platform}`,
  `--format=${oneFile.format}`,
  `--target=${oneFile.target}`,
  `--packages=${oneFile.packages}`,
  ...Object.entries(oneFile.alias).map(([name, path]) => `--alias:${name}=${path}`),
  `--banner:js=${oneFile.banner.js}`,
  `--sourcemap=${oneFile.sourcemap}`,
  `--sources-content=${oneFile.sourcesContent}`,
];
