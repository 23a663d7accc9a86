// Which packages a class needs: those of package-lock.json, for the systems that people bring.
import { existsSync } from "node:fs";
import { join } from "node:path";

/** `spec` is the package's name and version, as npm takes it: "ws@8.23.0". `integrity` is its hash. */
export type Package = { spec: string; integrity: string };

type Entry = {
  version: string;
  integrity?: string;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
};

const systems = ["win32", "darwin", "linux"];
const processors = ["x64", "arm64"];

/** @param lock the text of package-lock.json */
export function findPackages(lock: string): Package[] {
  const { packages } = JSON.parse(lock) as { packages: Record<string, Entry> };
  const found = Object.entries(packages).flatMap(([path, entry]): Package[] => {
    const [, name] = path.match(/.*node_modules\/(.+)$/) ?? [];
    if (!name || !entry.integrity || !isWanted(entry)) return [];
    return [{ spec: `${name}@${entry.version}`, integrity: entry.integrity }];
  });
  return [...new Map(found.map((one) => [one.spec, one])).values()];
}

/** A package for one system only is optional. Others that are optional serve systems which nobody brings. */
function isWanted({ optional, os, cpu, libc }: Entry): boolean {
  if (!optional) return true;
  const has = (list: string[] | undefined, wanted: string[]) =>
    !list || list.some((one) => wanted.includes(one));
  return os !== undefined && has(os, systems) && has(cpu, processors) && has(libc, ["glibc"]);
}

/** Whether npm's cache holds a package. It keeps each under its hash. */
export function isInCache(cache: string, { integrity }: Package): boolean {
  const [algorithm = "", base64 = ""] = integrity.split("-");
  const hex = Buffer.from(base64, "base64").toString("hex");
  return existsSync(
    join(cache, "_cacache", "content-v2", algorithm, hex.slice(0, 2), hex.slice(2, 4), hex.slice(4)),
  );
}
