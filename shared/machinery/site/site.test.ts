// npm run site: pages to read on the web.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { findLessons } from "../launcher/lessons.ts";
import { browser } from "../testing/browser.ts";
import { atEnd } from "../testing/clean-up.ts";
import { buildSite } from "./site.ts";

let folder: string;
let pages: string[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "site-"));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  await buildSite(folder);
  pages = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".html"));
});

test("has every lesson, its code, and the slides", () => {
  for (const lesson of findLessons())
    for (const name of ["index.html", "server.ts.html", "client.ts.html"])
      expect(existsSync(join(folder, "lessons", lesson.folder, name)), name).toBe(true);
  const slides = readFileSync(join(folder, "slides", "index.html"), "utf8");
  for (const { name } of findLessons()) expect(slides).toContain(`<section id="${name}"`);
});

test("has no dead link, and none that leaves its own folder", () => {
  for (const page of pages) {
    const html = readFileSync(join(folder, page), "utf8");
    expect(html).not.toContain("/reload.ts");
    for (const [, link = ""] of html.matchAll(/ (?:href|src|data-poster)="([^"]*)"/g)) {
      if (/^(https:|data:)/.test(link)) continue;
      expect(link, page).not.toMatch(/^(\/|\w+:)/);
      const [path = "", hash = ""] = link.replace(/\?[^#]*/, "").split("#");
      let target = path ? join(folder, dirname(page), decodeURI(path)) : join(folder, page);
      if (statSync(target, { throwIfNoEntry: false })?.isDirectory()) target = join(target, "index.html");
      expect(target.startsWith(folder) && existsSync(target), `${page}: ${link}`).toBe(true);
      // #/chat is a slide, which reveal.js finds by its id.
      const id = decodeURI(hash).replace(/^\//, "");
      if (id) expect(readFileSync(target, "utf8"), `${page}: ${link}`).toContain(`id="${id}"`);
    }
  }
});

test("works in a folder of a web server, with slides that need no lesson", async () => {
  const types: Record<string, string> = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
  };
  const server = createServer(({ url = "" }, response) => {
    const path = url.replace(/[?#].*/, "").replace(/\/$/, "/index.html");
    const file = join(folder, path.replace(/^\/workshop\//, ""));
    if (!path.startsWith("/workshop/") || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": types[extname(file)] ?? "" }).end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(() => server.close().closeAllConnections());
  const page = await (await browser()).newPage();
  const complaints: string[] = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", ({ message }) => complaints.push(message));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/workshop/slides/#/chat`);
  await page.locator("html[data-ready]").waitFor();
  await page.getByRole("heading", { name: "Chat" }).first().waitFor();
  expect(await page.locator(".live img, .live .not-running:not([hidden])").count()).toBeGreaterThan(5);
  expect(complaints).toEqual([]);
});
