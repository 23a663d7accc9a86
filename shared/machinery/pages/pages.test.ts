// The pages server: what it serves, what it refuses, and what a page shows of its own faults.
import { rename, symlink, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { networkInterfaces } from "node:os";
import type { CDPSession, Page } from "playwright-core";
import { beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type Copy, clientSource, copyWorkshop, pageSource } from "../launcher/workshop-copy.ts";
import { openPage } from "../testing/browser.ts";
import { freePort, type Running } from "../testing/process.ts";

let workshop: Copy;
let port: number;
let pages: Running;
let at: string;
let idle: Promise<number[]>;

beforeAll(async () => {
  workshop = await copyWorkshop();
  port = await freePort();
  await workshop.save("secret.txt", "secret");
  await workshop.save("README.md", "# The workshop\n\nHello.\n");
  await workshop.save("LICENSE", "MIT");
  await workshop.save(".git/config", "secret");
  await workshop.save("lessons/.env", "secret");
  await workshop.save("lessons/03-tale/.cache/secret.js", "secret");
  await symlink(workshop.path("secret.txt"), workshop.path("lessons/03-tale/link.txt"));
  await symlink(workshop.path(".git"), workshop.path("lessons/03-tale/linked"), "junction");
  pages = workshop.start(["pages/pages"], { PAGE_PORT: String(port), PORT: "4321" });
  await pages.prints(/Pages at/);
  at = `http://localhost:${port}`;
  const asked = "GET /LICENSE HTTP/1.1\r\nHost: localhost\r\n\r\n";
  idle = Promise.all(["", "GET / HTTP/1.1\r\nHo", asked].map(timeToClose));
});

const client = "lessons/03-tale/client.ts";

let tab: Promise<Page> | undefined;

/** An empty tab, for each test the same: in a new one a page costs three times as much. */
async function emptyTab(): Promise<Page> {
  tab ??= openPage("about:blank");
  const page = await tab;
  await page.goto("about:blank");
  return page;
}

/** Opens the lesson, or what is at `path`. */
async function open(path = "/lessons/03-tale/"): Promise<Page> {
  const page = await emptyTab();
  await page.goto(at + path);
  return page;
}

/** Opens the lesson. Resolves when the page's reload socket is open. */
async function openListening(): Promise<Page> {
  const page = await emptyTab();
  const socket = page.waitForEvent("websocket");
  await page.goto(`${at}/lessons/03-tale/`);
  expect((await socket).url()).toBe(`ws://localhost:${port}/reload`);
  await page.waitForLoadState("load");
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
  return page;
}

/** Sends `text` and no more. Resolves with the milliseconds until the connection is closed. */
function timeToClose(text: string): Promise<number> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", () => {}).on("error", () => {});
    socket.on("close", () => resolve(performance.now() - startedAt));
  });
}

type Answer = { status: number; headers: Record<string, string | string[] | undefined>; body: string };

/** A request whose target and headers go out as they stand, nothing tidied up. */
function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, method, agent: false };
    httpRequest({ ...options, headers: { Host: `localhost:${port}`, ...headers } }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    })
      .on("error", reject)
      .end();
  });
}

/** Bytes as no client library would send them; the first line of what comes back. */
function askRaw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.end(text));
    socket.setEncoding("utf8").on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("close", () => resolve(answer.split("\r\n")[0] ?? "")).on("error", reject);
  });
}

describe("what is refused", () => {
  test.each([
    ...["/package.json", "/secret.txt", "/.git/config", "/lessons/.env", "/lessons/03-tale/.cache/secret.js"],
    ...["/lessons/../secret.txt", "/lessons/..%2fsecret.txt", "/lessons/%2e%2e/secret.txt", "/../secret.txt"],
    ...[
      "/lessons/%252e%252e/secret.txt",
      "/lessons/..%5csecret.txt",
      "/lessons/..\\secret.txt",
      "/%2e%2e%2f",
    ],
    ...[
      "/lessons/03-tale/client.ts%00.html",
      "/lessons/03-tale/client.ts::$DATA",
      "/lessons/03-tale/client.ts.",
    ],
    ...["/lessons/03-tale/link.txt", "/lessons/03-tale/linked/config", "//secret.txt", "//lessons//03-tale/"],
    ...[
      "/%2egit/config",
      "/%",
      "/%ff",
      "/%c0%ae%c0%ae/secret.txt",
      "/c:/secret.txt",
      "/README.md/",
      "/nothing",
    ],
    ...[
      "/lessons/",
      "/lessons/03-tale/nothing.ts",
      "/node_modules/.bin/tsx",
      "/node_modules/ws/wrapper.mjs",
      "/node_modules/uplot/package.json",
      `/lessons/${"a".repeat(5_000)}`,
    ],
  ])("%s gets 404 and no byte of a file", async (path) => {
    const { status, body } = await ask(path);
    expect(status).toBe(404);
    expect(body).toBe("Not Found");
  });

  test.each([
    ["evil.example", 421],
    [`evil.example:8000`, 421],
    ["localhost.evil.example", 421],
    ["127.0.0.1.evil.example", 421],
    ["192.168.0.1", 421],
    ["localhost:99999", 400],
    ["local host", 400],
    ["localhost@evil.example", 400],
    ["[::1", 400],
  ])("the host %j gets %i", async (host, status) => {
    expect((await ask("/README.md", { Host: host })).status).toBe(status);
  });

  test.each(["localhost", "LOCALHOST:1", "127.0.0.1:8000", "[::1]:8000"])(
    "the host %s is accepted",
    async (host) => {
      expect((await ask("/LICENSE", { Host: host })).status).toBe(200);
    },
  );

  test.each([
    ["GET /LICENSE HTTP/1.1\r\n\r\n", /400/],
    ["GET /LICENSE HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", /400/],
    ["GET /LICENSE HTTP/1.0\r\n\r\n", /400/],
    ["GET http://evil.example/secret.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", /404/],
    ["GET * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", /40[04]/],
  ])("%j is answered with a 4xx", async (text, answer) => {
    expect(await askRaw(text)).toMatch(answer);
  });

  test("two Host headers get 400", async () => {
    const text =
      "GET /LICENSE HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    expect(await askRaw(text)).toMatch(/400/);
  });

  test("a second request before the answer to the first closes the connection", async () => {
    const text = "GET /slides/ HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n";
    expect(await askRaw(text.repeat(1_000))).toBe("");
    expect((await ask("/LICENSE")).status).toBe(200);
  });

  test("an upgrade to anything but a WebSocket is answered like a request", async () => {
    const { status, body } = await ask("/LICENSE", { Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c" });
    expect([status, body]).toEqual([200, "MIT"]);
  });

  test("other methods than GET and HEAD get 405 with Allow", async () => {
    const { status, headers } = await ask("/LICENSE", {}, "POST");
    expect([status, headers.allow]).toEqual([405, "GET, HEAD"]);
  });

  test("no other site may read: there is no CORS header", async () => {
    const { headers } = await ask("/LICENSE", { Origin: "http://evil.example" });
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  const outside = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === "IPv4" && !one.internal)?.address;
  test.skipIf(!outside)("the network cannot reach it, only this computer", async () => {
    await expect(fetch(`http://${outside}:${port}/`)).rejects.toThrow();
  });

  test("a taken port is reported in one line, with exit code 1", async () => {
    const second = workshop.start(["pages/pages"], { PAGE_PORT: String(port) });
    expect(await second.ended).toBe(1);
    expect(second.output()).toBe(
      `Port ${port} is taken by another program, perhaps a lesson in another terminal: stop that one, or set PAGE_PORT to another port.\n`,
    );
  });
});

describe("the policy", () => {
  test("lets the workshop's own scripts run and none that is written into a page from outside", async () => {
    const page = await open();
    await page.getByText("hello from 4321").waitFor();
    const ran = await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "window.injected = true";
      document.body.append(script);
      const image = document.createElement("div");
      image.innerHTML = "<img src=x onerror='window.injected = true'>";
      document.body.append(image);
      return new Promise((resolve) => setTimeout(() => resolve("injected" in window), 200));
    });
    expect(ran).toBe(false);
    await emptyTab();
    for (const path of ["/", "/lessons/03-tale/", "/lessons/03-tale/README.md", "/nothing"]) {
      const { headers } = await ask(path, { Accept: "text/html" });
      expect(headers["content-security-policy"]).toMatch(/script-src 'self'(?! 'unsafe)/);
      expect(headers["content-security-policy"]).toContain("frame-ancestors 'self'");
    }
  });

  test("lets an import map and a script run that are in the page's own file", async () => {
    const script = "document.title = 'ran'";
    await workshop.save(
      "lessons/03-tale/own.html",
      `<!doctype html><title>no</title><script>${script}</script>`,
    );
    const page = await open("/lessons/03-tale/own.html");
    expect(await page.title()).toBe("ran");
    await emptyTab();
  });

  test("keeps an import map before the script that reloads the page, wherever in the head it is", async () => {
    const map = '<script type="importmap">{}</script>';
    for (const head of [map, `<title>late</title>\n<link rel="icon" href="data:,">${map}`]) {
      await workshop.save("lessons/03-tale/map.html", `<!doctype html><head>${head}</head><body></body>`);
      const { body } = await ask("/lessons/03-tale/map.html", { Accept: "text/html" });
      expect(body.indexOf('type="module"')).toBeGreaterThan(body.indexOf('type="importmap"'));
    }
  });

  test("lets no foreign page frame a lesson", async () => {
    const html = `<iframe src="${at}/lessons/03-tale/"></iframe>`;
    const other = createServer((_, response) => response.setHeader("Content-Type", "text/html").end(html));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const page = await emptyTab();
    const refused = page.waitForEvent("console", {
      predicate: (message) => message.text().includes("frame-ancestors"),
    });
    await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
    await refused;
    await emptyTab();
    other.close();
  });
});

describe("what is served", () => {
  test("a download that is broken off is no error, and nothing is printed", async () => {
    await workshop.save("lessons/03-tale/large.txt", "x".repeat(30_000_000));
    const before = pages.output();
    await new Promise<void>((resolve) => {
      const socket = connect(port, "127.0.0.1", () =>
        socket.write("GET /lessons/03-tale/large.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      );
      socket.once("data", () => socket.resetAndDestroy());
      socket.on("close", () => resolve());
    });
    expect((await ask("/")).status).toBe(200);
    expect((await ask("/LICENSE")).status).toBe(200);
    expect(pages.output()).toBe(before);
  });

  test("a folder without its slash is sent to the one with it", async () => {
    const { status, headers } = await ask("/lessons/03-tale?a=1");
    expect([status, headers.location]).toEqual([301, "/lessons/03-tale/?a=1"]);
  });

  test("an unchanged file is answered with 304, a changed one with 200", async () => {
    for (const path of ["/lessons/03-tale/client.ts", "/lessons/03-tale/", "/LICENSE", "/"]) {
      const { headers } = await ask(path);
      expect(headers["cache-control"]).toBe("no-cache");
      expect((await ask(path, { "If-None-Match": String(headers.etag) })).status).toBe(304);
    }
    const { headers } = await ask("/lessons/03-tale/style.css");
    await workshop.save("lessons/03-tale/style.css", "output { color: rgb(3, 2, 1) }");
    expect((await ask("/lessons/03-tale/style.css", { "If-None-Match": String(headers.etag) })).status).toBe(
      200,
    );
  });

  test("TypeScript arrives as JavaScript that knows the server's port", async () => {
    const { headers, body } = await ask("/lessons/03-tale/client.ts");
    expect(headers["content-type"]).toMatch(/^text\/javascript/);
    expect(body).toContain("hello from 4321");
    expect(body).not.toContain("interface");
  });

  test("a person who opens a .ts file reads its source", async () => {
    const { headers, body } = await ask("/lessons/03-tale/client.ts", { Accept: "text/html,*/*" });
    expect([headers["content-type"], headers.vary]).toEqual(["text/plain; charset=utf-8", "Accept"]);
    expect(body).toBe(clientSource);
  });

  test("the table of contents shows each lesson, and what comes from files is shown as text", async () => {
    const page = await open("/");
    expect(await page.getByRole("link", { name: "A <i>tale</i>" }).getAttribute("href")).toBe(
      "/lessons/03-tale/",
    );
    expect(await page.getByText("Two & two.").count()).toBe(1);
    expect(await page.getByText("20 minutes").count()).toBe(1);
    expect(await page.getByText("npm run lesson 1").count()).toBe(1);
    await emptyTab();
  });

  test("a README is a page for people, with working links and images, and Markdown for the others", async () => {
    const page = await open("/lessons/03-tale/README.md");
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("3 · A tale");
    expect(await page.locator("main article.prose h2#need--run").count()).toBe(1);
    expect(
      await page.locator("img").evaluate((image: HTMLImageElement) => image.decode().then(() => true)),
    ).toBe(true);
    await page.getByRole("link", { name: "the page" }).click();
    await page.getByText("hello from 4321").waitFor();
    await emptyTab();
    const { headers, body } = await ask("/lessons/03-tale/README.md");
    expect([headers["content-type"], headers.vary]).toEqual(["text/markdown; charset=utf-8", "Accept"]);
    expect(body).toMatch(/^# 3 · A/);
  });
});

describe("a page", () => {
  /** Writes a file in the way of an editor that saves beside it and renames. */
  async function saveByRenaming(file: string, text: string) {
    await writeFile(workshop.path(`${file}~`), text);
    await rename(workshop.path(`${file}~`), workshop.path(file));
  }

  test("reloads each time its script is saved, however the editor saves", async () => {
    const page = await openListening();
    for (const [index, save] of [workshop.save, saveByRenaming, saveByRenaming, workshop.save].entries()) {
      await save(client, clientSource.replace("hello from", `version ${index} of`));
      await page.getByText(`version ${index} of 4321`).waitFor();
      await page.waitForLoadState("load");
    }
    await workshop.save(client, clientSource);
    await page.getByText("hello from").waitFor();
    await emptyTab();
  });

  test("does not reload for files that it has not loaded", async () => {
    const page = await openListening();
    await page.evaluate(() => Object.assign(window, { same: true }));
    const changes = listenToChanges();
    await changes.open;
    for (const name of ["server.ts", "client.test.ts", "README.md"]) {
      const told = changes.next(name);
      await workshop.save(`lessons/03-tale/${name}`, "// saved\n");
      await told;
    }
    expect(await page.evaluate(() => "same" in window)).toBe(true);
    const told = changes.next("index.html");
    await Promise.all([
      told,
      saveByRenaming("lessons/03-tale/index.html", pageSource),
      page.waitForEvent("load"),
    ]);
    expect(await page.evaluate(() => "same" in window)).toBe(false);
    changes.close();
    await emptyTab();
  });

  test("shows a syntax error of its script, with file, line, column and a caret, until it is fixed", async () => {
    const page = await openListening();
    await workshop.save(client, "const fine = 1;\nconst <b>broken</b> = ;\n");
    const alert = page.getByRole("alert");
    await alert.waitFor();
    const text = (await alert.allInnerTexts()).join();
    expect(text).toContain("/lessons/03-tale/client.ts, line 2, column 7");
    expect(text).toContain("const <b>broken</b> = ;\n      ^");
    expect(await alert.locator("b").count()).toBe(0);
    expect(text).not.toMatch(/node_modules| at /);
    await workshop.save(client, clientSource);
    await page.getByText("hello from").waitFor();
    expect(await alert.count()).toBe(0);
    await emptyTab();
  });

  test("shows the syntax error of a file that its script imports from", async () => {
    await workshop.save("lessons/03-tale/part.ts", "export const part = = 2;\n");
    await workshop.save(client, 'import { part } from "./part.ts";\nconsole.log(part);\n');
    const page = await open();
    await page.getByText("part.ts, line 1, column 21").waitFor();
    await emptyTab();
  });

  test("shows that an import leads nowhere", async () => {
    await workshop.save(client, 'import "./no-such-file.ts";\n');
    const page = await open();
    await page.getByRole("alert").getByText("Not found: /lessons/03-tale/no-such-file.ts").waitFor();
    await emptyTab();
  });

  test.each([
    ["an error", 'setTimeout(() => { throw new RangeError("too far"); });', "RangeError: too far"],
    ["a rejection", 'Promise.reject(new Error("not kept"));', "Error: not kept"],
  ])("shows %s that nobody caught", async (_, source, text) => {
    await workshop.save(client, source);
    const page = await open();
    await page.getByRole("alert").getByText(text).waitFor();
    await emptyTab();
  });

  test("stops at a breakpoint where the source has it", async () => {
    await workshop.save(client, clientSource);
    const page = await open();
    const session = await page.context().newCDPSession(page);
    const { sources, generated } = await mapOf(session, page, "client.ts");
    expect(sources).toEqual([`${at}/lessons/03-tale/client.ts`]);
    const line = clientSource.split("\n").findIndex((text) => text.includes("return greeting"));
    const position = generated(line);
    await session.send("Debugger.setBreakpointByUrl", {
      url: `${at}/lessons/03-tale/client.ts`,
      lineNumber: position.line,
      columnNumber: position.column,
    });
    const paused = new Promise<{ functionName: string; line: number }>((resolve) =>
      session.once("Debugger.paused", ({ callFrames: [frame] }) =>
        resolve({ functionName: frame?.functionName ?? "", line: frame?.location.lineNumber ?? -1 }),
      ),
    );
    const reloaded = page.reload();
    expect(await paused).toEqual({ functionName: "greet", line: position.line });
    await session.send("Debugger.resume");
    await reloaded;
    await session.detach();
    await emptyTab();
  });
});

describe("the slides", () => {
  const deck = (title: string) => `---\ntitle: Tale\nshort: 1\nlong: 1\n---\n# ${title}\n`;
  const slides = async () => (await ask("/slides/", { Accept: "text/html" })).body;

  test("are rendered once for each change on disk", async () => {
    await workshop.save("slides/index.html", "<head></head><body><!-- slides --></body>");
    // Rendering a deck of 400 slides takes a while.
    const more = Array.from(
      { length: 400 },
      (_, index) => `---\n\n## Slide ${index}\n\n\`\`\`ts\nlet a = 1;\n\`\`\`\n`,
    );
    await workshop.save("slides/03-tale.md", deck("Before") + more.join("\n"));
    expect(await slides()).toContain("Before");
    let onceMs = Number.POSITIVE_INFINITY;
    for (let n = 0; n < 5; n++) {
      const startedAt = performance.now();
      expect(await slides()).toContain("Before");
      onceMs = Math.min(onceMs, performance.now() - startedAt);
    }
    await workshop.save("slides/03-tale.md", deck("After") + more.join("\n"));
    const changedAt = performance.now();
    expect(await slides()).toContain("After");
    expect(onceMs).toBeLessThan((performance.now() - changedAt) / 2);
  });

  test("show a quoted file as it is now", async () => {
    await workshop.save("lessons/03-tale/quoted.ts", "const one = 1;\n");
    const quote = "\n## Code\n\n```ts lessons/03-tale/quoted.ts\nconst\n```\n";
    await workshop.save("slides/03-tale.md", `${deck("Quotes")}\n---\n${quote}`);
    await slides();
    await workshop.save("lessons/03-tale/quoted.ts", "const two = 22;\n");
    expect(await slides()).not.toContain("const one");
  });
});

describe("the reload socket", () => {
  test.each([
    ["of another site's page", "/reload", { origin: "http://evil.example" }, 403],
    ["without an origin", "/reload", {}, 403],
    ["of another port's page", "/reload", { origin: "http://localhost:1" }, 403],
    [
      "for another host",
      "/reload",
      { origin: "http://evil.example", headers: { Host: "evil.example" } },
      421,
    ],
    ["on another path", "/other", {}, 404],
  ])("refuses one %s", async (_, path, options, status) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, options);
    const answer = await new Promise((resolve) =>
      socket.on("error", ({ message }) => resolve(message)).on("open", () => resolve("open")),
    );
    socket.terminate();
    expect(answer).toBe(`Unexpected server response: ${status}`);
  });

  test("survives a malformed frame and a large one", async () => {
    for (const bytes of [
      Buffer.from([0xff, 0xff, 0xff]),
      Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]),
    ]) {
      const { socket, open } = listenToChanges();
      await open;
      const closed = new Promise((resolve) => socket.on("close", resolve));
      // @ts-expect-error the bare connection below the WebSocket, on purpose
      socket._socket.write(bytes);
      await closed;
    }
    expect((await ask("/LICENSE")).status).toBe(200);
  });
});

// It began before the first test.
test("a connection that sends nothing, or stops after an answer, is closed within 20 s", async () => {
  for (const ms of await idle) expect(ms).toBeLessThan(20_000);
});

// The last test, since it ends the pages server and all its connections.
test("a page listens again when the pages server has come back", async () => {
  const page = await openListening();
  pages.child.kill();
  await pages.ended;
  pages = workshop.start(["pages/pages"], { PAGE_PORT: String(port), PORT: "4321" });
  await pages.prints(/Pages at/);
  await expect
    .poll(
      async () => {
        await workshop.save(client, clientSource.replace("hello from", "back on"));
        return page.getByText("back on 4321").count();
      },
      { timeout: 30_000, interval: 500 },
    )
    .toBe(1);
  await workshop.save(client, clientSource);
});

function listenToChanges() {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/reload`, { origin: `http://127.0.0.1:${port}` });
  socket.on("error", () => {});
  return {
    socket,
    open: new Promise((resolve) => socket.on("open", resolve)),
    /** Resolves when a change of the file `name` is announced. */
    next: (name: string) =>
      new Promise<void>((resolve) => {
        const receive = (data: Buffer) => {
          if (!String(data).includes(`/${name}"`)) return;
          socket.off("message", receive);
          resolve();
        };
        socket.on("message", receive);
      }),
    close: () => socket.terminate(),
  };
}

/** The source map of a loaded script: its sources, and where a source line begins in the generated code (0-based). */
async function mapOf(session: CDPSession, page: Page, name: string) {
  const found = new Promise<string>((resolve) =>
    session.on("Debugger.scriptParsed", ({ url, sourceMapURL }) => {
      if (url.endsWith(name) && sourceMapURL) resolve(sourceMapURL);
    }),
  );
  await session.send("Debugger.enable");
  const map = await (await fetch(await found)).json();
  const { SourceMap } = await import("node:module");
  const reader = new SourceMap(map);
  const lines = (await (await fetch(`${at}/lessons/03-tale/${name}`)).text()).split("\n");
  const sources = map.sources.map((source: string) => new URL(source, `${page.url()}${name}`).href);
  const generated = (wanted: number) => {
    for (const [line, text] of lines.entries())
      for (let column = 0; column < text.length; column++) {
        const entry = reader.findEntry(line, column);
        if ("originalLine" in entry && entry.originalLine === wanted && entry.generatedLine === line)
          return { line, column: entry.generatedColumn };
      }
    throw new Error(`Line ${wanted} is not in the map.`);
  };
  return { sources, generated };
}
