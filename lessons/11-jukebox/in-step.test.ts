// Four browsers on networks of different slowness play in step, and are in step again after one of them was frozen.
// IN_STEP=1 measures it at the real times, and prints what it finds. Otherwise it takes seconds.
import { setTimeout as pause } from "node:timers/promises";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { type Cable, createCable } from "../../shared/machinery/cable/proxy.ts";
import { browser } from "../../shared/machinery/testing/browser.ts";
import { atEnd } from "../../shared/machinery/testing/clean-up.ts";
import { lessonPorts, until } from "../../shared/machinery/testing/lesson.ts";
import { driftOf } from "./drift.ts";
import { tracks } from "./state.ts";

const real = process.env.IN_STEP !== undefined;
const delaysMs = real ? [0, 100, 200, 300] : [0, 300];
const jitterMs = 50;
const frozenMs = real ? 20_000 : 2_000;

type Listener = { page: Page; cable: Cable; delayMs: number };

/** Opens the page in a browser profile of its own, behind a cable of its own. */
async function listen(
  ports: Awaited<ReturnType<typeof lessonPorts>>,
  serverPort: number,
  delayMs: number,
): Promise<Listener> {
  const cable = await createCable({ listenPort: 0, targetPort: serverPort });
  atEnd(cable.end);
  cable.delay({ ms: delayMs, jitterMs });
  const context = await (await browser()).newContext({ bypassCSP: true });
  const page = await context.newPage();
  // All pages come from one server, which tells all of them the same port.
  await page.addInitScript(
    ([from, to]) => {
      const BrowserSocket = WebSocket;
      globalThis.WebSocket = class extends BrowserSocket {
        constructor(url: string | URL) {
          super(String(url).replace(`:${from}`, `:${to}`));
        }
      };
    },
    [ports.serverPort, cable.port],
  );
  await page.goto(ports.url);
  await page.getByRole("button", { name: "Join" }).click();
  return { page, cable, delayMs };
}

/** What a page's audio clock says is heard now, as the position that this would be at the time 0 of the wall clock. */
const heard = async ({ page }: Listener, lengthMs: number): Promise<number> => {
  const { heard = "", at = "" } = await page
    .locator(".jukebox")
    .evaluate(({ dataset }) => ({ heard: dataset.heard, at: dataset.at }));
  return heard === "" ? Number.NaN : Number(heard) - (Number(at) % lengthMs);
};

/** The largest difference between two of them now, in milliseconds. NaN while one of them is silent. */
async function apart(listeners: Listener[], track: number): Promise<number> {
  const { lengthMs } = tracks[track] as { lengthMs: number };
  const positions = await Promise.all(listeners.map((listener) => heard(listener, lengthMs)));
  const drifts = positions.map((position) => driftOf(position, positions[0] ?? 0, lengthMs));
  return Math.max(...drifts) - Math.min(...drifts);
}

/** The same, measured again and again within two seconds: the least, the median and the most. */
async function allApart(listeners: Listener[], track: number) {
  const measured: number[] = [];
  for (let n = 0; n < (real ? 40 : 5); n++) {
    measured.push(await apart(listeners, track));
    await pause(50);
  }
  measured.sort((a, b) => a - b);
  const [least = 0, median = 0, most = 0] = [0, 0.5, 1].map(
    (share) => measured[Math.floor(share * (measured.length - 1))],
  );
  return { least, median, most };
}

/** Resolves with the time, by the page's own clock, when the track whose name begins so is heard. */
const plays = ({ page }: Listener, name: string) =>
  page.evaluate(
    (name) =>
      new Promise<number>((resolve) => {
        const look = () => {
          const box = document.querySelector(".jukebox") as HTMLElement;
          const isHeard = box.dataset.heard && box.querySelector(".track")?.textContent?.startsWith(name);
          if (isHeard) resolve(Date.now());
          else requestAnimationFrame(look);
        };
        look();
      }),
    name,
  );

/** What each page believes of the server's clock. It is the same computer, so the offset is the error. */
const offsets = (listeners: Listener[]) =>
  Promise.all(
    listeners.map(async ({ page }) =>
      (await page.locator("[data-number=offset], [data-number=uncertainty]").allTextContents()).join(" "),
    ),
  );

test("pages with delays of 0 to 300 ms and jitter play within 50 ms of each other, and within 100 ms after a freeze is healed", {
  timeout: 300_000,
}, async () => {
  const ports = await lessonPorts("11-jukebox");
  const { port } = await ports.startServer({ PORT: "0" });
  const listeners: Listener[] = [];
  for (const delayMs of delaysMs) listeners.push(await listen(ports, port, delayMs));
  const [first, last] = [listeners[0] as Listener, listeners.at(-1) as Listener];
  const say = (...words: unknown[]) => real && console.log(...words);
  /** At the real times: after `afterMs`, at every moment. Else at some time, because a busy computer interrupts sound. */
  async function isApartLessThan(ms: number, track: number, afterMs: number) {
    if (!real) return until(async () => (await allApart(listeners, track)).median < ms);
    await pause(afterMs);
    const all = await allApart(listeners, track);
    say("apart, in ms:", all, "offset and uncertainty:", await offsets(listeners));
    expect(all.most).toBeLessThan(ms);
  }

  await first.page.getByRole("button", { name: "Play" }).click();
  await isApartLessThan(50, 0, 10_000);

  // While one of them is frozen, the others hear another track.
  last.cable.freeze();
  await first.page.getByRole("button", { name: "Next" }).click();
  await pause(frozenMs);
  expect(await last.page.getByRole("heading", { name: "1 of 3" }).count()).toBe(1);
  const back = plays(last, "2 of 3");
  const healedAt = Date.now();
  await last.cable.heal();
  last.cable.delay({ ms: last.delayMs, jitterMs });
  say(`after a freeze of ${frozenMs / 1_000} s: sounds again ${(await back) - healedAt} ms later`);
  await until(async () => (await apart(listeners, 1)) < 100);
  await isApartLessThan(100, 1, 0);
  for (const { page } of listeners) await page.context().close();
});
