// The four lanes on the page: a moving picture, a state and the figures of each, and the chart below them.
import { LatenessChart } from "../../shared/page/lateness-chart.ts";
import { MovingPicture, oneIn } from "../../shared/page/moving-picture.ts";
import { duration, readable } from "../../shared/page/numbers.ts";
import type { StreamFigures } from "../../shared/page/stream-figures.ts";
import { find, write } from "./page.ts";
import { type Lane, lanes, names, type Settings, toLanes } from "./settings.ts";
import { answer, every, inWords } from "./words.ts";

const places = toLanes((lane) => {
  const place = find<HTMLTemplateElement>("#lane").content.cloneNode(true) as DocumentFragment;
  const article = find("article", place);
  article.dataset.transport = lane;
  find("h2", place).textContent = names[lane];
  find("canvas", place).setAttribute("aria-label", `The last five seconds of this lane: ${names[lane]}`);
  find(".lanes").append(place);
  return article;
});
export const pictures = toLanes((lane) => new MovingPicture(find("canvas", places[lane])));
export const chart = new LatenessChart(find(".plot"), find(".legend"), names);

/** Shows the state of a lane's connection. `everyMs`: how often polling asks, in milliseconds. */
export function showState(lane: Lane, name: string, text: string, everyMs: number): void {
  const place = find(".state", places[lane]);
  place.dataset.state = name;
  const polls = name === "open" && lane === "polling";
  write(place, polls ? `open, asks ${every(everyMs)}` : name + (text && `, ${text}`));
}

/** Whether all four lanes are open. */
export const areOpen = () => lanes.every((lane) => find(".state", places[lane]).dataset.state === "open");

/** Says how many of the messages the pictures show: not all of them, when many are published. */
export function showShare(perSecond: number): void {
  const share = oneIn(perSecond);
  for (const lane of lanes) write(find(".drawn", places[lane]), share > 1 ? `one in ${share} drawn` : "");
}

/** Shows all figures, and says in words what they mean. */
export function show(figures: Record<Lane, StreamFigures>, settings: Settings): void {
  chart.draw(Date.now());
  const most = Math.max(...lanes.map((lane) => figures[lane].perMessage?.bytes ?? 0));
  for (const lane of lanes) showLane(lane, figures[lane], most);
  answer(figures).forEach((line, n) => {
    write(find(`.answer li:nth-child(${n + 1})`), line);
  });
  write(find(".seen"), inWords(figures, settings));
  const longest = Math.max(...lanes.map((lane) => figures[lane].measuredMs));
  write(find(".measured"), `${Math.round(longest / 1_000)} s`);
}

function showLane(lane: Lane, its: StreamFigures, most: number) {
  const { late, perMessage, cpuPerMessage, received, counts, lost, duplicated, outOfOrder } = its;
  const bytes = (value: number | undefined) => value !== undefined && `${readable(value)} B`;
  const shown = {
    p50: late && duration(late.p50),
    p95: late && duration(late.p95),
    worst: late && duration(late.worst),
    bytes: perMessage && bytes(Math.round(perMessage.bytes)),
    cpu: cpuPerMessage && micros(cpuPerMessage),
    message: bytes(perMessage?.message),
    wrapping: bytes(perMessage?.wrapping),
    headers: bytes(perMessage?.headers),
    asked: perMessage && String(Number(perMessage.requests.toPrecision(2))),
    received: readable(received),
    requests: readable(counts?.requests ?? 0),
    connections: readable(counts?.connections ?? 0),
    up: readable(counts?.up.bytes ?? 0),
    down: readable(counts?.down.bytes ?? 0),
    lost: readable(lost),
    duplicated: readable(duplicated),
    outOfOrder: readable(outOfOrder),
  };
  for (const [name, value] of Object.entries(shown)) {
    const place = find(`[data-figure="${name}"]`, places[lane]);
    write(place, value || "–");
    place.toggleAttribute("data-none", value === "0");
  }
  for (const part of ["message", "wrapping", "headers"] as const)
    find(`.bar .${part}`, places[lane]).style.width = `${(100 * (perMessage?.[part] ?? 0)) / most}%`;
}

/** Two digits: any further digits would change within a minute. */
function micros({ micros, below }: NonNullable<StreamFigures["cpuPerMessage"]>) {
  return `${below ? "< " : ""}${readable(Number(micros.toPrecision(2)))} µs`;
}

// The pictures move. For people who prefer no motion they stand still, and are drawn again every two seconds.
const still = matchMedia("(prefers-reduced-motion: reduce)");
const drawSoon = () => requestAnimationFrame(draw);
function draw() {
  for (const lane of lanes) pictures[lane].draw(Date.now());
  if (still.matches) setTimeout(drawSoon, 2_000);
  else drawSoon();
}
drawSoon();
