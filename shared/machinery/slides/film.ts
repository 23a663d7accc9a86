// The moving picture at the top of README.md: two tabs of lesson 7, whose network freezes and is healed.
//
// node shared/machinery/start.cjs slides/film plays it in a browser and writes shared/page/film.svg. It takes a minute.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Page } from "playwright-core";
import { root } from "../launcher/lessons.ts";
import { startBrowser } from "../start-browser.ts";
import { startOnFreePorts } from "../start-on-free-ports.ts";

const file = join(root, "shared", "page", "film.svg");
const [width, height, captionHeight] = [900, 600, 50];

/** One still: what it says, for how long, and where the hand is. */
type Still = { caption: string; seconds: number; image: string; hand?: { x: number; y: number } };

const tab = (title: string) =>
  `<section><h2>${title}</h2><iframe title="${title}" src="/lessons/07-outbox/"></iframe></section>`;

/** Two tabs side by side and one drawer below them, as on the slides. */
const stage = `<style>
    body { margin: 0; border: 0; max-width: none; padding: 0; height: 600px; overflow: hidden; }
    .tabs { display: flex; gap: 16px; padding: 10px 16px 0; height: 340px; box-sizing: border-box; }
    .tabs section { flex: 1; display: flex; flex-direction: column; }
    .tabs h2 { align-self: flex-start; margin: 0; padding: 5px 18px; font: 600 15px var(--sans);
      border: 1px solid var(--rule); border-bottom: 0; border-radius: 8px 8px 0 0; background: white; }
    .tabs iframe { flex: 1; border: 1px solid var(--rule); border-radius: 0 8px 8px 8px; }
    wire-panel:not([hidden]) { position: absolute; top: 350px; left: 0; right: 0; height: 248px; overflow: hidden; }
    .wire-rows { max-height: none !important; height: 186px; }
    .wire-settings, .wire-filter { display: none !important; }
  </style><div class="tabs">${tab("Ada's tab")}${tab("Grace's tab")}</div><wire-panel></wire-panel>`;

/** The look of a slide's frame, and of the numbers only those of the story. */
const frameRules = `
  .controls, .numbers div:not(:has([data-number=outbox], [data-number=acknowledged], [data-number=lost])) { display: none; }
  .status { font-size: 19px; } .numbers dd { font-size: 24px; } .numbers dl { grid-template-columns: repeat(3, auto); }
  .log { font-size: 17px; } main.spread { gap: 6px; } html { color-scheme: light; }`;

async function play(page: Page, address: string): Promise<Still[]> {
  const stills: Still[] = [];
  const devtools = await page.context().newCDPSession(page);
  const still = async (caption: string, seconds: number, hand?: Still["hand"]) => {
    await pause(400); // what has just changed is drawn, and the drawer has counted it
    const { data } = await devtools.send("Page.captureScreenshot", { format: "webp", quality: 70 });
    stills.push({ caption, seconds, image: `data:image/webp;base64,${data}`, hand });
  };

  await page.goto(`${address}/`);
  await page.evaluate(() => localStorage.setItem("cable", "open"));
  await page.evaluate((html) => {
    document.body.dataset.transport = "websocket";
    document.body.innerHTML = html;
  }, stage);
  const [left, right] = await Promise.all(
    ["Ada's tab", "Grace's tab"].map(async (title, index) => {
      const tab = page.frameLocator(`iframe[title="${title}"]`);
      await tab.locator(".status", { hasText: "open" }).waitFor();
      const frame = await page.locator("iframe").nth(index).elementHandle();
      const inside = await frame?.contentFrame();
      await inside?.addStyleTag({ url: "/slides/frame.css" });
      await inside?.addStyleTag({ content: frameRules });
      await tab.getByLabel("Name").fill(["Ada", "Grace"][index] ?? "");
      return {
        type: (text: string) => tab.getByLabel("Message", { exact: true }).fill(text),
        send: () => tab.getByRole("button", { name: "Send" }).click(),
        shows: (text: string) => tab.locator(".log", { hasText: text }).waitFor(),
        isNow: (state: string) => tab.locator(".status", { hasText: state }).waitFor({ timeout: 90_000 }),
      };
    }),
  );
  if (!left || !right) throw new Error("Two tabs were expected.");
  await page.addScriptTag({ type: "module", url: "/shared/machinery/cable/panel.ts" });
  const press = async (name: string) => {
    const button = page.locator("wire-panel").getByRole("button", { name, exact: true });
    const box = await button.boundingBox();
    if (!box) throw new Error(`${name} can't be seen.`);
    return { hand: { x: box.x + box.width / 2, y: box.y + box.height / 2 }, click: () => button.click() };
  };
  await page.locator(".wire-words", { hasText: "running" }).waitFor();

  await still("Two tabs of one chat, and the cable between them and the server.", 2);
  await left.type("Are you there?");
  await still("Ada writes.", 1);
  await left.send();
  await right.shows("Are you there?");
  await still("Ada writes.", 1.2);
  await right.type("Yes. Freeze the network.");
  await right.send();
  await left.shows("Freeze the");
  await still("Grace answers. Each message is a row in the cable's log.", 2.2);
  const freeze = await press("Freeze");
  await still("Press Freeze: nothing gets through, and nothing closes.", 1.2, freeze.hand);
  await freeze.click();
  await page.locator(".wire-chip", { hasText: "FROZEN" }).waitFor();
  await still("Press Freeze: nothing gets through, and nothing closes.", 1.8, freeze.hand);
  await left.type("Did you get this?");
  await left.send();
  await left.shows("Did you get this?");
  await still("Ada's message waits in her outbox. Neither tab knows why.", 2.6);
  await Promise.all([left.isNow("reconnecting"), right.isNow("reconnecting")]);
  await still("25 seconds without a heartbeat: both tabs have noticed.", 2.6);
  const heal = await press("Heal");
  await still("Press Heal.", 1, heal.hand);
  await heal.click();
  await Promise.all([left.isNow("open"), right.isNow("open"), right.shows("Did you get this?")]);
  await still("Both reconnect. The message arrives, once. Nothing is lost.", 4);
  return stills;
}

/** Every still over the one before, each shown when its turn comes. People who prefer no motion see the network frozen. */
function draw(stills: Still[]): string {
  const total = stills.reduce((sum, { seconds }) => sum + seconds, 0);
  const quiet = stills.findIndex(({ caption }) => caption.startsWith("Ada's message waits"));
  let begins = 0;
  const rules: string[] = [];
  const groups = stills.map(({ caption, seconds, image, hand }, index) => {
    const [from, to] = [begins / total, (begins + seconds) / total].map((part) => (part * 100).toFixed(2));
    begins += seconds;
    const before = index === 0 ? "" : "0% { visibility: hidden } ";
    const after = index === stills.length - 1 ? "" : `${to}% { visibility: hidden }`;
    rules.push(`@keyframes still-${index} { ${before}${from}% { visibility: visible } ${after} }`);
    const arrow = hand
      ? `<path class="hand" transform="translate(${hand.x} ${hand.y + captionHeight})" d="M0 0v21l5-4.5 3.5 8 3.5-1.5-3.5-8h6.5z"/>`
      : "";
    return (
      `<g class="still${index === quiet ? " quiet" : ""}" style="animation-name: still-${index}">` +
      `<image y="${captionHeight}" width="${width}" height="${height}" href="${image}"/>${arrow}` +
      `<text x="${width / 2}" y="33">${caption}</text></g>`
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + captionHeight}" role="img" aria-label="Two tabs chat. Their network freezes, and is healed.">
<style>
.still { animation: ${total.toFixed(1)}s step-end infinite; visibility: hidden; }
text { font: 600 20px system-ui, sans-serif; text-anchor: middle; fill: #fff; }
.hand { fill: #000; stroke: #fff; stroke-width: 1.5; }
@media (prefers-reduced-motion: reduce) { .still { animation: none; } .quiet { visibility: visible; } }
${rules.join("\n")}
</style>
<rect width="100%" height="100%" fill="#0b3d5c"/>
${groups.join("\n")}
</svg>
`;
}

async function main() {
  const browser = await startBrowser();
  const lesson = await startOnFreePorts("launcher/lesson", "7");
  try {
    const page = await browser.newPage({
      viewport: { width, height },
      deviceScaleFactor: 1.5,
      colorScheme: "light",
      reducedMotion: "reduce",
    });
    const svg = draw(await play(page, `http://localhost:${lesson.pagePort}`));
    writeFileSync(file, svg);
    console.log(`Written: ${file}, ${Math.round(svg.length / 1000)} kB`);
  } finally {
    await browser.close();
    await lesson.end();
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
