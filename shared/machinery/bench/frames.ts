// How smooth a page stays under a stream: frames a second of lesson 4's page with its drawer open, beside a plain list
// of 200 rows that is written once for each frame and shows the same messages.
//
// node shared/machinery/start.cjs bench/frames 100 1000      messages a second; 1,000 unless told otherwise
//
// Measured with software drawing on two cores. On 2026-11-21, when each frame took several layouts: at 100 messages a
// second 53 frames, and 60 for the plain list; at 1,000, 35 and 60. On 2026-11-22, with one layout for each frame, in two
// runs on a quiet computer: at 100, 53 and 60, and 59 and 60 for the list; at 1,000, 50 and 53, and 60 both times.
import { setTimeout as pause } from "node:timers/promises";
import type { Page } from "playwright-core";
import { WebSocket } from "ws";
import { startBrowser } from "../start-browser.ts";
import { startOnFreePorts } from "../start-on-free-ports.ts";

const measuredMs = 5_000;
/** The server allows 200 messages a second from one client. */
const senders = 10;

/** In the page: a list as simple as can be. As text, so that it runs there unchanged. */
const plainList = (port: number) => `
  document.body.innerHTML = '<div style="height: 30rem; overflow-y: auto"><ol></ol></div>';
  const [box, list] = [document.querySelector("div"), document.querySelector("ol")];
  let waiting = [];
  new WebSocket("ws://localhost:${port}").onmessage = ({ data }) => {
    if (waiting.length === 0) requestAnimationFrame(write);
    waiting.push(data);
  };
  function write() {
    for (const text of waiting.splice(0)) {
      const row = list.children.length < 200 ? document.createElement("li") : list.firstElementChild;
      row.textContent = text;
      list.append(row);
    }
    box.scrollTop = box.scrollHeight;
  }`;

/** Frames a second, and milliseconds of CPU time that the page's own thread takes for each second. */
async function measure(page: Page): Promise<string> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  const cpuMs = async () => {
    const { metrics } = await devtools.send("Performance.getMetrics");
    return (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0) * 1_000;
  };
  await pause(1_000); // the first rows are made
  const before = await cpuMs();
  const [frames = 0, seconds = 1] = await page.evaluate<number[]>(`new Promise((resolve) => {
    let frames = 0;
    const began = performance.now();
    const next = (now) => {
      if (now - began > ${measuredMs}) return resolve([frames, (now - began) / 1_000]);
      frames++;
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  })`);
  const spent = (await cpuMs()) - before;
  return `${Math.round(frames / seconds)} frames a second, ${Math.round(spent / seconds)} ms of CPU`;
}

async function main() {
  const rates = process.argv
    .slice(2)
    .map(Number)
    .filter((rate) => rate > 0);
  const browser = await startBrowser();
  const { port, pagePort, end } = await startOnFreePorts("launcher/lesson", "4");
  const clients: WebSocket[] = [];
  let timer: ReturnType<typeof setInterval> | undefined;
  try {
    for (let n = 0; n < senders; n++) clients.push(new WebSocket(`ws://127.0.0.1:${port}`));
    await Promise.all(clients.map((client) => new Promise((resolve) => client.once("open", resolve))));
    for (const rate of rates.length > 0 ? rates : [1_000]) {
      let due = 0;
      let sent = 0;
      const everyMs = 10;
      timer = setInterval(() => {
        for (due += (rate * everyMs) / 1_000; sent < due; sent++)
          clients[sent % senders]?.send(
            JSON.stringify({ type: "say", from: "Ada", text: `message ${sent}` }),
          );
      }, everyMs);
      const results: string[] = [];
      for (const what of ["lesson 4, drawer open", "plain list of 200 rows"]) {
        const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
        await page.goto(
          `http://localhost:${pagePort}/${what.startsWith("lesson") ? "lessons/04-broadcast/" : ""}`,
        );
        if (what.startsWith("lesson")) await page.locator(".wire-body:not([hidden])").waitFor();
        else await page.evaluate(plainList(port));
        results.push(`${what} ${await measure(page)}`);
        await page.close();
      }
      clearInterval(timer);
      console.log(`${rate} messages a second: ${results.join("; ")}`);
    }
  } finally {
    clearInterval(timer);
    for (const client of clients) client.terminate();
    await browser.close();
    await end();
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
