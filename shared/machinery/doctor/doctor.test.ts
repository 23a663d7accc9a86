// Promises of `npm run doctor`: a line for each thing, what to do about it, and exit code 1 when lessons won't run.
import { once } from "node:events";
import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, test } from "vitest";
import { installedBrowser } from "../browser.ts";
import { copyWorkshop } from "../launcher/workshop-copy.ts";
import { fitDifference, fitTerminal, wrap } from "../launcher/wrap.ts";
import { freePort, type Running, runNode } from "../testing/process.ts";
import { disk } from "./computer.ts";
import { chromePath } from "./localhost.ts";
import { localhostName, vpn } from "./network.ts";
import { inEnvironment, inMacos, inWindows } from "./proxies.ts";

const env = async () => ({
  PORT: String(await freePort()),
  PAGE_PORT: String(await freePort()),
  npm_config_user_agent: "npm/11.0.0 node/v22.0.0",
});

async function read(doctor: Running) {
  const code = await doctor.ended;
  const output = doctor.output();
  for (const line of output.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
  expect(output).not.toContain("\x1b");
  return { code, output };
}

/** As if the terminal had no end of a line. */
const inOneLine = (text: string) => text.replace(/\s+/g, " ");

test("a computer that has everything: a line for each thing, and exit code 0", async () => {
  const ports = await env();
  const { code, output } = await read(runNode(["shared/machinery/start.cjs", "doctor/doctor"], ports, []));
  expect(output).toMatch(/ok {4}Node {8}2\d\./);
  expect(output).toMatch(/ok {4}npm {9}11\.0\.0\n/);
  expect(output).toMatch(/ok {4}Packages {4}all \d+ are installed\n/);
  expect(output).toContain(`ok    Port ${ports.PORT}  free, for a lesson's server\n`);
  expect(output).toContain(`ok    Port ${ports.PAGE_PORT}  free, for the pages\n`);
  expect(output).toMatch(/ok {4}Browser {5}\d+\.[\d.]+, opens pages and WebSockets at localhost\n/);
  expect(output).toMatch(/Network {5}/);
  expect(output).toContain("Lessons will run here: npm run lesson 1");
  expect(code).toBe(0);
});

describe("in a copy with faults", () => {
  test("a taken port and a missing package stop the lessons; a password of a proxy is not shown", async () => {
    const workshop = await copyWorkshop();
    const lock = { packages: { "": {}, "node_modules/nothing": { version: "1.0.0" } } };
    await workshop.save("package-lock.json", JSON.stringify(lock));
    const other = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    // Our own pages are no fault.
    const pages = workshop.start(["pages/pages"], await env());
    const [, own = ""] = await pages.prints(/Pages at http:\/\/localhost:(\d+)/);
    const { code, output } = await read(
      workshop.start(["doctor/doctor"], {
        PORT: String(port),
        PAGE_PORT: own,
        HTTP_PROXY: "http://ada:secret@proxy.example:3128",
        NO_PROXY: "",
        CHROME_PATH: process.execPath, // no browser
      }),
    );
    expect(code).toBe(1);
    expect(output).toContain("stop  Packages    1 missing: nothing.\n                    Run npm install.\n");
    expect(output).toMatch(
      new RegExp(`stop {2}Port ${port} +taken by another program\\.\\n +Stop that program`),
    );
    expect(output).toContain(`note  Port ${own}  used by this workshop itself (the pages server)\n`);
    expect(inOneLine(output)).toContain(
      "note Proxy HTTP_PROXY is http://…@proxy.example:3128, and NO_PROXY lacks localhost and 127.0.0.1.",
    );
    expect(output).not.toContain("secret");
    expect(inOneLine(output)).toContain(`Browser ${process.execPath} could not be started for a trial.`);
    expect(output).toContain('Lessons will not run yet: see what is marked "stop" above.');
    await pages.kill();
    other.close();
  });

  test("a browser that doesn't start is named in one line by npm run slides:pdf", async () => {
    const workshop = await copyWorkshop();
    const pdf = workshop.start(["slides/slides-pdf"], { CHROME_PATH: process.execPath });
    expect(await pdf.ended).toBe(1);
    const advice = "Set CHROME_PATH to another Chrome, Edge or Chromium.";
    expect(pdf.output()).toBe(`${process.execPath} could not be started. ${advice}\n`);
  });

  test("packages of another system are named in two lines, by every command", async () => {
    const workshop = await copyWorkshop();
    await rename(workshop.path("node_modules"), workshop.path("away"));
    await mkdir(workshop.path("node_modules/tsx"), { recursive: true });
    await mkdir(workshop.path("node_modules/@esbuild/plan9-vax"), { recursive: true });
    for (const command of ["doctor/doctor", "launcher/lesson"])
      expect(await read(workshop.start([command]))).toEqual({
        code: 1,
        output:
          "The workshop's packages are incomplete, or were installed on another system:\n" +
          "delete the folder node_modules, then run npm install.\n",
      });
    await rm(workshop.path("node_modules"), { recursive: true });
  });

  test.skipIf(process.platform !== "linux")("a proxy before localhost stops the lessons", async () => {
    const workshop = await copyWorkshop();
    const hijacked = workshop.path("browser.sh");
    const flags = "--proxy-server=127.0.0.1:9 '--proxy-bypass-list=<-loopback>'";
    await writeFile(hijacked, `#!/bin/sh\nexec "${installedBrowser()}" ${flags} "$@"\n`);
    await chmod(hijacked, 0o755);
    const doctor = workshop.start(["doctor/doctor"], { ...(await env()), CHROME_PATH: hijacked });
    const { code, output } = await read(doctor);
    expect(code).toBe(1);
    expect(output).toMatch(/stop {2}Browser {5}it does not reach a server at localhost:\s+\S/);
    expect(output).toContain("Exclude");
  });
});

describe("proxies", () => {
  const proxy = { HTTPS_PROXY: "http://proxy.example:3128" };

  test.each<[string, NodeJS.ProcessEnv, string]>([
    ["none", {}, "ok"],
    ["localhost excepted", { ...proxy, NO_PROXY: "intranet, localhost,127.0.0.1" }, "ok"],
    ["everything excepted", { ...proxy, no_proxy: "*" }, "ok"],
    ["nothing excepted", { ...proxy }, "note"],
    ["only the name excepted", { ...proxy, NO_PROXY: "localhost" }, "note"],
    ["Node follows it, too", { ...proxy, NODE_USE_ENV_PROXY: "1" }, "stop"],
  ])("in the environment, %s", (_, env, verdict) => {
    expect(inEnvironment(env)).toMatchObject([{ verdict }]);
  });

  const windows = (lines: string) =>
    `\r\nHKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\r\n${lines}`;
  const enabled = "    ProxyEnable    REG_DWORD    0x1\r\n    ProxyServer    REG_SZ    proxy:80\r\n";

  test("in Windows: off, on, on for localhost as well, and a script", () => {
    expect(inWindows(windows(enabled.replace("0x1", "0x0")))).toEqual([]);
    expect(inWindows("")).toEqual([]);
    expect(inWindows(windows(enabled))).toMatchObject([{ verdict: "note" }]);
    const override = "    ProxyOverride    REG_SZ    <local>;<-loopback>\r\n";
    expect(inWindows(windows(enabled + override))).toMatchObject([{ verdict: "stop" }]);
    const script = "    AutoConfigURL    REG_SZ    http://wpad.example/proxy.pac\r\n";
    expect(inWindows(windows(script))).toMatchObject([{ found: expect.stringContaining("wpad.example") }]);
  });

  test("in macOS: off, and on", () => {
    const text = (on: number) =>
      `<dictionary> {\n  HTTPEnable : ${on}\n  HTTPPort : 8888\n  HTTPProxy : proxy.example\n}\n`;
    expect(inMacos(text(0))).toEqual([]);
    expect(inMacos(text(1))).toMatchObject([{ found: expect.stringContaining("proxy.example:8888") }]);
  });
});

test("a VPN is guessed from the name of an interface that has an IPv4 address", () => {
  const on = (name: string, family = "IPv4") =>
    vpn({ [name]: [{ family, address: "10.8.0.2", internal: false } as NetworkInterfaceInfo] }).verdict;
  for (const name of ["tun0", "utun4", "wg0", "tailscale0", "Cisco AnyConnect"])
    expect(on(name)).toBe("note");
  for (const name of ["eth0", "en0", "Wi-Fi", "lo"]) expect(on(name)).toBe("ok");
  expect(on("utun0", "IPv6")).toBe("ok");
});

test("a disk that is nearly full is noted, and a full one stops the lessons", () => {
  const free = (megabytes: number) => disk({ bavail: megabytes * 256, bsize: 4096 }).verdict;
  expect([free(20), free(200), free(2_000)]).toEqual(["stop", "note", "ok"]);
});

test("a CHROME_PATH that names no file is noted", () => {
  expect(chromePath({ CHROME_PATH: "/no/browser" })).toMatchObject([{ verdict: "note" }]);
  expect(chromePath({ CHROME_PATH: process.execPath })).toEqual([]);
  expect(chromePath({})).toEqual([]);
});

test("a localhost that means another computer is noted", async () => {
  const find =
    (...list: string[]) =>
    async () =>
      list.map((address) => ({ address, family: 4 }));
  expect((await localhostName(find("127.0.0.1", "::1") as never)).verdict).toBe("ok");
  expect((await localhostName(find("192.0.2.1") as never)).verdict).toBe("note");
  expect((await localhostName((() => Promise.reject(new Error())) as never)).verdict).toBe("note");
});

test("lines break between words, and a path stays whole", () => {
  expect(wrap("one two three", 0, 8)).toBe("one two\nthree");
  expect(wrap("one two three", 2, 8)).toBe("one\n  two\n  three");
  expect(wrap("see /a/very/long/path now", 0, 8)).toBe("see\n/a/very/long/path\nnow");
  expect(wrap("one\ntwo", 2)).toBe("one\n  two");
});

test("in a terminal, a long line goes on below its last column; in a pipe it stays one line", () => {
  const text = "  Open      http://localhost:8000/  in two windows, side by side\n\n  End       Ctrl-C";
  expect(fitTerminal(text, 50)).toBe(
    "  Open      http://localhost:8000/  in two\n            windows, side by side\n\n  End       Ctrl-C",
  );
  expect(fitTerminal("a line that has no columns and is too long", 40)).toBe(
    "a line that has no columns and is too\nlong",
  );
  expect(fitTerminal(text, 0)).toBe(text);
});

test("in a terminal, a long line of a difference goes on after the same sign", () => {
  const line = '+  if (!isFresh) return client.close(4401, "log in first");';
  expect(fitDifference(line, 40)).toBe(
    '+  if (!isFresh) return\n+      client.close(4401, "log in\n+      first");',
  );
  expect(fitDifference(line, 80)).toBe(line);
  expect(fitDifference(line, 0)).toBe(line);
});
