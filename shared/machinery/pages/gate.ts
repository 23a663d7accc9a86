// The pages server's guard: which requests it answers, and which files it may serve.
import { constants } from "node:fs";
import { access, readdir, readFile, realpath, stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join, relative, sep } from "node:path";
import { headerValues, hostNames } from "../../server/allowed-hosts.ts";
import { root } from "../launcher/lessons.ts";
import { publicHost } from "../launcher/public-host.ts";

/** What may be served, at the top of the repository. */
const served = new Set(["lessons", "shared", "slides", "node_modules", "README.md", "LICENSE"]);

/**
 * Whether the Host header names this computer. A page of another site can make its own name point to 127.0.0.1
 * (DNS rebinding) and would read our files as its own; its name is then in this header.
 */
export function judgeHost(request: IncomingMessage): "ours" | "foreign" | "malformed" {
  const [host, ...more] = headerValues(request, "host");
  const [, name, port = "80"] = host?.match(/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i) ?? [];
  if (!name || Number(port) > 65_535 || more.length > 0) return "malformed";
  const isOurs = hostNames.includes(name.toLowerCase()) || host?.toLowerCase() === publicHost();
  return isOurs ? "ours" : "foreign";
}

/** Whether a request comes from a program on this computer. */
export function isHere({ socket }: IncomingMessage): boolean {
  return ["127.0.0.1", "::1", "::ffff:127.0.0.1"].includes(socket.remoteAddress ?? "");
}

export type Found = { file: string; url: string; isFolder: boolean };

/** The file or folder that a request asks for, if it may be served. */
export async function findServed(target: string): Promise<Found | undefined> {
  const segments = decode(target)?.split("/").slice(1);
  if (!segments) return;
  if (segments.at(-1) === "") segments.pop(); // the slash of a folder
  if (!segments.every(isPlain)) return;
  try {
    const top = await realpath(root);
    // Its real path: a link may lead out of the workshop, and Windows has a second, short name for each file.
    const file = await realpath(join(top, ...segments));
    const parts = relative(top, file).split(sep);
    if (!served.has(parts[0] ?? "") || !parts.every(isPlain)) return;
    if (parts[0] === "node_modules" && !(await isNamedByAPage(parts.join("/")))) return;
    const stats = await stat(file);
    const slash = target.split("?")[0]?.endsWith("/") ?? false;
    if (!stats.isDirectory() && (slash || !stats.isFile())) return;
    await access(file, constants.R_OK);
    return { file, url: `/${parts.join("/")}`, isFolder: stats.isDirectory() };
  } catch {
    return;
  }
}

/** Of node_modules only the files are served that a page names, in its import map or as a style sheet. */
async function isNamedByAPage(path: string): Promise<boolean> {
  const lessons = await readdir(join(root, "lessons"));
  const pages = [...lessons.map((lesson) => join(root, "lessons", lesson)), join(root, "slides")];
  const texts = await Promise.all(
    pages.map((page) => readFile(join(page, "index.html"), "utf8").catch(() => "")),
  );
  return texts.some((text) => text.includes(`/${path}"`));
}

function decode(target: string): string | undefined {
  try {
    return target.startsWith("/") ? decodeURIComponent(target.split("?")[0] ?? "") : undefined;
  } catch {
    return;
  }
}

/** No dot-file, no "..", nothing empty, nothing that Windows reads differently (backslash, file:stream, "name. "). */
function isPlain(segment: string): boolean {
  return /^[^.]/.test(segment) && !/[\\:\0]|[. ]$/.test(segment);
}
