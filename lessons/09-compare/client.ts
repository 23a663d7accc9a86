// Compare, the page: reads one stream over four lanes, and measures what each of them costs.
import type { Message } from "../../shared/both/message.ts";
import { LatenessChart } from "../../shared/page/lateness-chart.ts";
import { MovingPicture, oneIn } from "../../shared/page/moving-picture.ts";
import { duration, readable } from "../../shared/page/numbers.ts";
import { hostAt, serverHost } from "../../shared/page/server-host.ts";
import { type Counts, type Spent, StreamFigures } from "../../shared/page/stream-figures.ts";
import { longPolling, polling } from "./lanes/polling.ts";
import type { Reader } from "./lanes/reader.ts";
import { serverSentEvents } from "./lanes/server-sent-events.ts";
import { websocket } from "./lanes/websocket.ts";
import { initialSettings, type Lane, lanes, names, type Settings, toLanes } from "./settings.ts";
import { rows, save, toCsv, toTabs } from "./table.ts";
import { numberIn } from "./text.ts";
import { answer, every, inWords } from "./words.ts";

/** What the server sends first: who we are, the port of each lane, and how many messages there have been. */
type Opened = { page: string; ports: Record<Lane, number>; settings: Settings; published: number };
type Counted = { counts: Record<Lane, Counts>; spent: Record<Lane, Spent>; frozen: boolean };

const find = <Found extends HTMLElement>(selector: string, within: ParentNode = document) =>
  within.querySelector(selector) as Found;

// The four lanes on the page.
const places = toLanes((lane) => {
  const place = find<HTMLTemplateElement>("#lane").content.cloneNode(true) as DocumentFragment;
  const article = find("article", place);
  article.dataset.transport = lane;
  find("h2", place).textContent = names[lane];
  find("canvas", place).setAttribute("aria-label", `The last five seconds of this lane: ${names[lane]}`);
  find(".lanes").append(place);
  return article;
});
const pictures = toLanes((lane) => new MovingPicture(find("canvas", places[lane])));
const chart = new LatenessChart(find(".plot"), find(".legend"), names);

let page = "";
let settings = initialSettings;
let figures = toLanes(() => new StreamFigures(0));
let stops: (() => void)[] = [];
let settled = false;

/** The server has opened a cable for each lane. All four begin with the same message. */
function begin({ ports, published }: Opened) {
  for (const stop of stops) stop();
  figures = toLanes(() => new StreamFigures(published));
  settled = false;
  const reader = (lane: Lane): Reader => ({
    host: hostAt(ports[lane]),
    // A few earlier ones too, since not every lesson may have the latest yet. They are left out below.
    cursor: { after: Math.max(0, published - 20) },
    take: (message) => numberIn(message.text) > published && take(lane, message),
    asked: () => pictures[lane].asked(Date.now()),
    state: (name, text = "") => showState(lane, name, text),
  });
  stops = [
    polling(reader("polling"), () => settings.everyMs),
    longPolling(reader("long-polling")),
    serverSentEvents(reader("sse")),
    websocket(reader("websocket")),
  ];
}

function take(lane: Lane, { id, from, text, at }: Message) {
  const [number, now] = [numberIn(text), Date.now()];
  const bytes = new Blob([JSON.stringify({ id, from, text, at })]).size;
  if (!figures[lane].take(number, bytes, at, now)) return;
  chart.add(lane, Math.max(0, now - at));
  for (const each of lanes) pictures[each].published(number, at, settings.perSecond);
  pictures[lane].arrived(number, now);
}

function showState(lane: Lane, name: string, text: string) {
  const place = find(".state", places[lane]);
  place.dataset.state = name;
  const polls = name === "open" && lane === "polling";
  write(place, polls ? `open, asks ${every(settings.everyMs)}` : name + (text && `, ${text}`));
}

/** Writes only what has changed. A new text costs the browser a new layout, and some come a hundred times a second. */
function write(place: Element, text: string) {
  if (place.textContent !== text) place.textContent = text;
}

// What the cables count, twice a second.
function show({ counts, spent }: Counted) {
  const now = Date.now();
  // The figures begin when all four lanes are open. They compare the stream, not the start.
  settled ||= lanes.every((lane) => find(".state", places[lane]).dataset.state === "open");
  if (!settled) startMeasuring(0);
  for (const lane of lanes) figures[lane].sample(counts[lane], spent[lane], now);
  chart.draw(now);
  const most = Math.max(...lanes.map((lane) => figures[lane].perMessage?.bytes ?? 0));
  for (const lane of lanes) showLane(lane, most);
  answer(figures).forEach((line, n) => {
    write(find(`.answer li:nth-child(${n + 1})`), line);
  });
  write(find(".seen"), inWords(figures, settings));
  const longest = Math.max(...lanes.map((lane) => figures[lane].measuredMs));
  write(find(".measured"), `${Math.round(longest / 1_000)} s`);
}

function showLane(lane: Lane, most: number) {
  const { late, perMessage, cpuPerMessage, received, counts, lost, doubled, outOfOrder } = figures[lane];
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
    received: readable(received),
    requests: readable(counts?.requests ?? 0),
    connections: readable(counts?.connections ?? 0),
    up: readable(counts?.up.bytes ?? 0),
    down: readable(counts?.down.bytes ?? 0),
    lost: readable(lost),
    doubled: readable(doubled),
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

/** Two digits: a minute later, more would be different. */
function micros({ micros, below }: NonNullable<StreamFigures["cpuPerMessage"]>) {
  return `${below ? "< " : ""}${readable(Number(micros.toPrecision(2)))} µs`;
}

// One connection to the server beside the lanes, for the sliders and the counts.
const status = find(".status");
let heardMs = performance.now();

function showStatus(name: string, text: string) {
  write(status, text);
  status.dataset.state = name;
}

function connect() {
  showStatus("connecting", "connecting");
  const source = new EventSource(`http://${serverHost}/lanes`);
  const on = <Data>(type: string, act: (data: Data) => void) =>
    source.addEventListener(type, ({ data }) => {
      heardMs = performance.now();
      act(JSON.parse(data));
    });
  on<Opened>("lanes", (opened) => {
    page = opened.page;
    follow({ ...opened.settings, published: opened.published });
    begin(opened);
    void postDelay();
  });
  on("settings", follow);
  on<Counted>("counts", (counted) => {
    if (counted.frozen)
      showStatus("reconnecting", "frozen: nothing passes, nothing closes, and no lane notices");
    else showStatus("open", "open: one stream, four lanes");
    show(counted);
  });
  source.addEventListener("error", () => {
    showStatus("reconnecting", "reconnecting: the server does not answer");
    // Refused for good, because eight other pages are open: the browser doesn't try again by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2_000);
  });
}

async function post(path: string, body: object) {
  const refused = find(".refused");
  try {
    const response = await fetch(`http://${serverHost}/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    refused.textContent = response.ok ? "" : answer.error;
    return answer;
  } catch {
    refused.textContent = "Not sent: the server does not answer.";
    return {};
  }
}

// The sliders. Some go in steps: 0.1, 0.2, 0.5, 1, 2, …
const steps: Record<string, number[]> = {
  perSecond: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100],
  size: [60, 100, 200, 500, 1_000, 2_000, 4_000],
  everyMs: [100, 200, 500, 1_000, 2_000, 5_000],
  clients: [1, 2, 5, 10, 20, 50, 100, 200],
};
const slider = (id: string) => find<HTMLInputElement>(`#${id}`);
const streamSliders = (["perSecond", "size", "everyMs", "clients"] as const).map(slider);
const [delay, jitter] = [slider("delay"), slider("jitter")];
const chosen = ({ id, valueAsNumber }: HTMLInputElement) => steps[id]?.[valueAsNumber] ?? valueAsNumber;

function label(slider: HTMLInputElement) {
  const value = chosen(slider);
  const units: Record<string, string> = {
    perSecond: `${value}`,
    clients: `${value}`,
    size: `${readable(value)} B`,
  };
  const text = units[slider.id] ?? duration(value);
  find(`output[for="${slider.id}"]`).textContent = text;
  slider.setAttribute("aria-valuetext", text);
}

/** New settings are in force. They may come from another page. */
function follow({ published, ...now }: Settings & { published: number }) {
  settings = now;
  for (const each of streamSliders) {
    const step = steps[each.id]?.indexOf(now[each.id as keyof Settings]) ?? -1;
    if (step !== -1 && !postSettings.waiting()) each.value = String(step);
    label(each);
  }
  const share = oneIn(now.perSecond);
  for (const lane of lanes) write(find(".drawn", places[lane]), share > 1 ? `one in ${share} drawn` : "");
  startMeasuring(published);
}

/** Leaves out everything up to the message with this number. */
function startMeasuring(published: number) {
  for (const lane of lanes) figures[lane].restart(published, Date.now());
}

/** Acts 150 ms after the last call, so that a slider on its way sends only where it stops. */
function whenStill(act: () => Promise<void>) {
  let calls = 0;
  let done = 0;
  const later = async () => {
    const mine = ++calls;
    await new Promise((resolve) => setTimeout(resolve, 150));
    if (mine === calls) await act();
    done = Math.max(done, mine);
  };
  return Object.assign(later, { waiting: () => done < calls });
}

const postSettings = whenStill(() =>
  post("settings", Object.fromEntries(streamSliders.map((each) => [each.id, chosen(each)]))),
);
const postDelay = whenStill(async () => {
  const answer = await post("delay", { page, ms: delay.valueAsNumber, jitterMs: jitter.valueAsNumber });
  startMeasuring(answer.published ?? 0);
});
function onSlide(each: HTMLInputElement) {
  label(each);
  void (each === delay || each === jitter ? postDelay() : postSettings());
}
for (const each of [...streamSliders, delay, jitter]) {
  label(each);
  each.addEventListener("input", () => onSlide(each));
}

// The buttons.
const button = (id: string, press: () => void) => find(`#${id}`).addEventListener("click", press);
for (const command of ["freeze", "cut", "heal"])
  button(command, () => void post("network", { page, command }));

button("back", () => {
  for (const each of [...streamSliders, delay, jitter]) {
    each.value = each.defaultValue;
    onSlide(each);
  }
});

const table = () =>
  rows(figures, { ...settings, delayMs: delay.valueAsNumber, jitterMs: jitter.valueAsNumber });
button("copy", async () => {
  await navigator.clipboard.writeText(toTabs(table()));
  write(find(".done"), "Copied.");
});
button("save", () => save(toCsv(table()), "compare.csv"));

// A script can't hide its own tab. It can open another one in front of it, which closes itself after a minute.
button("hide", () => {
  const cover = open("");
  if (!cover) return;
  cover.document.title = "In front of lesson 9";
  cover.document.body.textContent =
    "Lesson 9 is hidden behind this tab, as if you were reading something else. This tab closes in a minute, or when you close it.";
  cover.setTimeout(() => cover.close(), 60_000);
});

let hidden: { sinceMs: number; received: Record<Lane, number> } | undefined;
document.addEventListener("visibilitychange", () => {
  const received = toLanes((lane) => figures[lane].received);
  if (document.hidden) hidden = { sinceMs: performance.now(), received };
  else if (hidden) {
    const { sinceMs, received: before } = hidden;
    const each = (text: (lane: Lane) => string) =>
      lanes.map((lane) => `${names[lane]} ${text(lane)}`).join(", ");
    find(".hidden-for").textContent =
      `Hidden for ${duration(performance.now() - sinceMs)}. Messages meanwhile: ${each((lane) => readable(received[lane] - before[lane]))}. ` +
      `The worst of the last minute: ${each((lane) => duration(figures[lane].late?.worst ?? 0))}.`;
  }
});

// The pictures move. For people who prefer no motion they stand still, and are drawn again every two seconds.
const still = matchMedia("(prefers-reduced-motion: reduce)");
let drawnMs = Number.NEGATIVE_INFINITY;
function draw(now: number) {
  if (!still.matches || now - drawnMs > 2_000) {
    for (const lane of lanes) pictures[lane].draw(Date.now());
    drawnMs = now;
  }
  requestAnimationFrame(draw);
}
requestAnimationFrame(draw);

setInterval(() => {
  if (status.dataset.state === "open" && performance.now() - heardMs > 3_000)
    showStatus("reconnecting", "silent: no counts from the server");
}, 500);

// A page kept in the back/forward cache has lost its connections.
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

connect();
