// The pages server puts this into each page: it reloads the page when one of its files is saved, and shows its errors.
import { faultIsShown, showFault } from "./fault-box.ts";

/** The paths of everything that this page has loaded from the pages server. */
const loaded = new Set([location.pathname.replace(/\/$/, "/index.html")]);
const missing = new Set<string>();

new PerformanceObserver((list) => {
  for (const entry of list.getEntries() as PerformanceResourceTiming[]) {
    const { origin, pathname } = new URL(entry.name, location.href);
    if (origin !== location.origin) continue;
    loaded.add(pathname);
    if (entry.responseStatus >= 400) missing.add(pathname);
  }
}).observe({ type: "resource", buffered: true });

listen();

function listen(retryInMs = 500) {
  const socket = new WebSocket(`ws://${location.host}/reload`);
  socket.onopen = () => {
    retryInMs = 500;
  };
  socket.onmessage = ({ data }) => {
    const { changed } = JSON.parse(data) as { changed: string };
    if (concerns(decodeURI(changed))) location.reload();
  };
  // The pages server was stopped, and may come back.
  socket.onclose = () => setTimeout(listen, retryInMs, Math.min(retryInMs * 2, 5_000));
}

function concerns(changed: string): boolean {
  if (loaded.has(encodeURI(changed)) || loaded.has(changed)) return true;
  // The table of contents is made of all READMEs.
  if (location.pathname === "/") return changed.endsWith("/README.md");
  // The slides are made from all files there.
  if (location.pathname === "/slides/") return changed.startsWith("/slides/") && changed.endsWith(".md");
  // A fault may be fixed in a file that couldn't be loaded at all.
  return faultIsShown() && /\.(ts|js|css|html)$/.test(changed);
}

addEventListener(
  "error",
  (event: Event) => {
    // Harmless: the browser only says that it continues in the next frame.
    if (event instanceof ErrorEvent && event.message.startsWith("ResizeObserver loop")) return;
    if (event instanceof ErrorEvent) void showScriptError(event);
    else if (event.target instanceof HTMLScriptElement) void showMissing(event.target);
  },
  true, // an element's own error event does not bubble
);
addEventListener("unhandledrejection", ({ reason }) =>
  showFault({ title: "A promise was rejected and nobody caught it", text: describe(reason) }),
);

async function showScriptError({ error, message, filename }: ErrorEvent) {
  // A module that does not compile has no exports, and its importer fails before it could say so.
  if (error instanceof SyntaxError && (await showCompileError())) return;
  const where = filename && new URL(filename, location.href).pathname;
  showFault({ title: "An error nobody caught", where, text: describe(error ?? message) });
}

async function showMissing({ src }: HTMLScriptElement) {
  await new Promise((resolve) => setTimeout(resolve, 50)); // the observer learns of it a moment later
  const files = [...missing].filter((path) => /\.[jt]s$/.test(path));
  const text = files.length
    ? `Not found: ${files.join(", ")}. Is an import misspelled?`
    : "One of the files it imports was not found, or the pages server has stopped.";
  showFault({ title: "A script could not be loaded", where: new URL(src).pathname, text });
}

async function showCompileError(): Promise<boolean> {
  const seen = new Set<string>();
  // The observer learns of a file some time after it has come, and later on a busy computer.
  for (let look = 1; look <= 10; look++) {
    for (const path of loaded) {
      if (!path.endsWith(".ts") || seen.has(path)) continue;
      seen.add(path);
      const answer = await fetch(path);
      if (!answer.headers.has("Compile-Error")) continue;
      await import(path);
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

function describe(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `${text} (The console, F12, shows the line.)`;
}
