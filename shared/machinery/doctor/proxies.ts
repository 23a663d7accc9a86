// Proxies: programs between this computer and the web. Requests to localhost must not go through them.
import { spawnSync } from "node:child_process";
import type { Finding } from "./finding.ts";

export function proxies(): Finding[] {
  return [...inEnvironment(process.env), ...inSystem()];
}

/** Variables that programs in a terminal follow, such as npm and curl. Names are the same in capitals on Windows. */
export function inEnvironment(env: NodeJS.ProcessEnv): Finding[] {
  const about = "Proxy";
  const read = (name: string) => env[name.toLowerCase()] || env[name];
  const set = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].filter(read);
  if (set.length === 0) return [{ about, verdict: "ok", found: "none in the environment" }];
  const exceptions = (read("NO_PROXY") ?? "").split(/[\s,]+/).map((name) => name.replace(/^\*?\./, ""));
  const isFree = (name: string) => exceptions.includes("*") || exceptions.includes(name);
  const found = `${set.map((name) => `${name} is ${withoutPassword(read(name) ?? "")}`).join(", ")}`;
  const missing = ["localhost", "127.0.0.1"].filter((name) => !isFree(name));
  if (missing.length === 0) return [{ about, verdict: "ok", found: `${found}; NO_PROXY has localhost` }];
  // From version 24 on, and with this variable only, Node follows them as well.
  const nodeFollows = env.NODE_USE_ENV_PROXY === "1" || /--use-env-proxy/.test(env.NODE_OPTIONS ?? "");
  return [
    {
      about,
      verdict: nodeFollows ? "stop" : "note",
      found: `${found}, and NO_PROXY lacks ${missing.join(" and ")}.`,
      advice: `Set NO_PROXY to localhost,127.0.0.1,::1${nodeFollows ? ", since NODE_USE_ENV_PROXY is set" : ""}.`,
    },
  ];
}

/** A proxy's address without the name and password that may be in it. */
const withoutPassword = (url: string) => url.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^@]*@/i, "$1…@");

/** The system's own settings, which browsers follow. */
function inSystem(): Finding[] {
  if (process.platform === "win32") {
    const key = "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
    return inWindows(run("reg", ["query", key]));
  }
  if (process.platform === "darwin") return inMacos(run("scutil", ["--proxy"]));
  return [];
}

/** @param text what `reg query` prints of Windows' Internet Settings */
export function inWindows(text: string): Finding[] {
  const value = (name: string) => text.match(new RegExp(`^ +${name} +REG_\\w+ +(.+?)\\r?$`, "m"))?.[1] ?? "";
  const script = value("AutoConfigURL");
  const proxy = Number(value("ProxyEnable")) === 1 ? value("ProxyServer") : "";
  return describe(proxy, script, /<-loopback>/.test(value("ProxyOverride")));
}

/** @param text what `scutil --proxy` prints on macOS */
export function inMacos(text: string): Finding[] {
  const value = (name: string) => text.match(new RegExp(`^ +${name} : (.+)$`, "m"))?.[1] ?? "";
  const script = value("ProxyAutoConfigEnable") === "1" ? value("ProxyAutoConfigURLString") : "";
  const proxy = value("HTTPEnable") === "1" ? `${value("HTTPProxy")}:${value("HTTPPort")}` : "";
  return describe(proxy, script, false);
}

function describe(proxy: string, script: string, evenLocalhost: boolean): Finding[] {
  if (!proxy && !script) return [];
  const what = [proxy && withoutPassword(proxy), script && `the script ${script}`]
    .filter(Boolean)
    .join(" and ");
  return [
    {
      about: "Proxy",
      verdict: evenLocalhost ? "stop" : "note",
      found: evenLocalhost
        ? `the system sends even localhost to ${what}.`
        : `the system has one for browsers: ${what}.`,
      advice: evenLocalhost
        ? "Remove <-loopback> from the exceptions in the system's proxy settings."
        : "Browsers leave localhost out by themselves. If pages don't open, add it to the exceptions.",
    },
  ];
}

function run(command: string, args: string[]): string {
  return spawnSync(command, args, { encoding: "utf8", windowsHide: true, timeout: 3_000 }).stdout ?? "";
}
