// Compare, the page's half: hears one stream over four lanes, and measures what each of them costs.
import type { Message } from "../../shared/both/old-message.ts";
import type { Counts } from "../../shared/machinery/cable/entry.ts";
import { duration, readable } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";
import { Chart, legend } from "./chart.ts";
import { Figures, type PerMessage } from "./figures.ts";
import { longPolling } from "./lanes/long-polling.ts";
import { polling } from "./lanes/polling.ts";
import type { Reader } from "./lanes/reader.ts";
import { serverSentEvents } from "./lanes/server-sent-events.ts";
import { websocket } from "./lanes/websocket.ts";
import { oneIn, Picture } from "./picture.ts";
import { type Lane, lanes, names, type Settings, type Spent, toLanes } from "./settings.ts";
import { type Conditions, rows, save, toCsv, toTabs } from "./table.ts";
import { every, inWords } from "./words.ts";

type Laid = { page: string; ports: Record<Lane, number>; settings: Settings; cursor: Reader["cursor"] };
type Counted = { counts: Record<Lane, Counts>; spent: Record<Lane, Spent>; frozen: boolean };

const find = <Found extends Element>(selector: string, within: ParentNode = document) =>
  within.querySelector(selector) as Found;

// The four lanes on the page.
const places = toLanes((lane) => {
  const place = find<HTMLTemplateElement>("#lane").content.cloneNode(true) as DocumentFragment;
  const article = find<HTMLElement>("article", place);
  article.dataset.transport = lane;
  find("h2", place).textContent = names[lane];
  find("canvas", place).setAttribute("aria-label", `The last five seconds of the lane: ${names[lane]}`);
  find(".lanes").append(place);
  return article;
});
const pictures = toLanes((lane) => new Picture(find("canvas", places[lane])));
const chart = new Chart(find(".plot"));
find(".legend").innerHTML = legend;

let page = "";
let settings: Settings = { perSecond: 1, size: 100, everyMs: 1_000, clients: 1 };
let figures = toLanes(() => new Figures(0));
let stops: (() => void)[] = [];
let settled = false;

/** The server has laid a cable for each lane: all four begin at the same message. */
function begin({ ports, cursor }: Laid) {
  for (const stop of stops) stop();
  figures = toLanes(() => new Figures(cursor.after));
  settled = false;
  const reader = (lane: Lane): Reader => {
    const mine = { ...cursor };
    return {
      host: `${location.hostname}:${ports[lane]}`,
      cursor: mine,
      take(message) {
        mine.after = Math.max(mine.after, message.id);
        take(lane, message);
      },
      asked: () => pictures[lane].asked(Date.now()),
      state: (name, text = "") => state(lane, name, text),
    };
  };
  stops = [
    polling(reader("polling"), () => settings.everyMs),
    longPolling(reader("long-polling")),
    serverSentEvents(reader("sse")),
    websocket(reader("websocket")),
  ];
}

function take(lane: Lane, message: Message) {
  const now = Date.now();
  const late = Math.max(0, now - message.at);
  if (!figures[lane].take(message, JSON.stringify(message).length, now, late)) return;
  chart.add(lane, late);
  for (const each of lanes) pictures[each].published(message, settings.perSecond);
  pictures[lane].arrived(message.id, now);
}

function state(lane: Lane, name: string, text: string) {
  const place = find<HTMLElement>(".state", places[lane]);
  place.dataset.state = name;
  write(
    place,
    name === "open" && lane === "polling"
      ? `open, asks ${every(settings.everyMs)}`
      : name + (text && `, ${text}`),
  );
}

/** Only what has changed: a new text costs the browser a new layout, and some come a hundred times a second. */
function write(place: Element, text: string) {
  if (place.textContent !== text) place.textContent = text;
}

// What the cables count, twice a second.
function show(counts: Record<Lane, Counts>, spent: Record<Lane, Spent>) {
  const now = Date.now();
  // A minute's figures begin when all four are open: they compare the stream, not the beginning.
  settled ||= lanes.every((lane) => find<HTMLElement>(".state", places[lane]).dataset.state === "open");
  if (!settled) anew();
  for (const lane of lanes) figures[lane].sample(counts[lane], spent[lane], now);
  chart.draw(now);
  const dearest = Math.max(...lanes.map((lane) => figures[lane].perMessage?.bytes ?? 0));
  for (const lane of lanes) showLane(lane, dearest);
  write(find(".seen"), inWords(figures, settings));
  find(".measured").textContent =
    `${Math.round(Math.max(...lanes.map((lane) => figures[lane].measuredMs)) / 1_000)} s`;
}

function showLane(lane: Lane, dearest: number) {
  const { late, perMessage, cpuPerMessage, received, counts, lost, doubled, outOfOrder } = figures[lane];
  const values = {
    p50: late && duration(late.p50),
    p95: late && duration(late.p95),
    worst: late && duration(late.worst),
    bytes: perMessage && `${readable(Math.round(perMessage.bytes))} B`,
    cpu: cpuPerMessage && micros(cpuPerMessage),
    ...parts(perMessage),
    received: readable(received),
    requests: readable(counts?.requests ?? 0),
    connections: readable(counts?.connections ?? 0),
    up: readable(counts?.up.bytes ?? 0),
    down: readable(counts?.down.bytes ?? 0),
  };
  for (const [name, value] of Object.entries(values)) write(figure(lane, name), value ?? "–");
  for (const [name, value] of Object.entries({ lost, doubled, outOfOrder })) {
    write(figure(lane, name), readable(value));
    figure(lane, name).toggleAttribute("data-none", value === 0);
  }
  for (const part of ["message", "wrapping", "headers"] as const)
    find<HTMLElement>(`.bar .${part}`, places[lane]).style.width =
      `${(100 * (perMessage?.[part] ?? 0)) / dearest}%`;
}

/** Two digits: more would not come out the same a minute later. */
function micros({ micros, below }: NonNullable<Figures["cpuPerMessage"]>) {
  return `${below ? "< " : ""}${readable(Number(micros.toPrecision(2)))} µs`;
}

const figure = (lane: Lane, name: string) => find<HTMLElement>(`[data-figure="${name}"]`, places[lane]);

function parts(perMessage: PerMessage | undefined) {
  const bytes = (value: number | undefined) => (value === undefined ? undefined : `${readable(value)} B`);
  return {
    message: bytes(perMessage?.message),
    wrapping: bytes(perMessage?.wrapping),
    headers: bytes(perMessage?.headers),
  };
}

// The desk: one connection to the server, beside the lanes, for sliders and counts.
const status = find<HTMLElement>(".status");
let heardMs = performance.now();

function desk(name: string, text: string) {
  if (status.textContent === text) return;
  status.dataset.state = name;
  status.textContent = text;
}

function sit() {
  desk("connecting", "connecting");
  const source = new EventSource(`http://${serverHost}/lanes`);
  const on = (type: string, hear: (data: never) => void) =>
    source.addEventListener(type, ({ data }) => {
      heardMs = performance.now();
      hear(JSON.parse(data) as never);
    });
  on("lanes", (laid: Laid) => {
    page = laid.page;
    follow(laid.settings);
    begin(laid);
    void post("delay", { ms: delay.valueAsNumber, jitterMs: jitter.valueAsNumber });
  });
  on("settings", follow);
  on("counts", ({ counts, spent, frozen }: Counted) => {
    if (frozen) desk("reconnecting", "frozen: nothing passes, nothing closes, and no lane is told");
    else desk("open", "open: one stream, four lanes");
    show(counts, spent);
  });
  source.addEventListener("error", () => {
    desk("reconnecting", "reconnecting: the server does not answer");
    // Refused for good (nine pages look): the browser does not come back by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(sit, 2_000);
  });
}

async function post(path: string, body: object) {
  const refused = find(".refused");
  try {
    const response = await fetch(`http://${serverHost}/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(path === "settings" ? body : { page, ...body }),
    });
    refused.textContent = response.ok ? "" : (await response.json()).error;
  } catch {
    refused.textContent = "Not sent: the server does not answer.";
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
const ofStream = ["perSecond", "size", "everyMs", "clients"] as const;
const [delay, jitter] = [slider("delay"), slider("jitter")];
const chosen = ({ id, valueAsNumber }: HTMLInputElement) => steps[id]?.[valueAsNumber] ?? valueAsNumber;
const conditions = (): Conditions => ({
  ...settings,
  delayMs: delay.valueAsNumber,
  jitterMs: jitter.valueAsNumber,
});

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

/** Another page may have moved the stream's sliders. */
function follow(now: Settings) {
  settings = now;
  for (const id of ofStream) {
    const step = steps[id]?.indexOf(now[id]) ?? -1;
    if (step !== -1 && !sending) slider(id).value = String(step);
    label(slider(id));
  }
  const share = oneIn(now.perSecond);
  for (const lane of lanes)
    find(".drawn", places[lane]).textContent = share > 1 ? `one in ${share} drawn` : "";
  anew();
}

function anew() {
  for (const lane of lanes) figures[lane].restart();
}

let sending: ReturnType<typeof setTimeout> | undefined;
for (const each of [...ofStream.map(slider), delay, jitter]) {
  label(each);
  each.addEventListener("input", () => {
    label(each);
    clearTimeout(sending);
    sending = setTimeout(async () => {
      if (each === delay || each === jitter)
        await post("delay", { ms: delay.valueAsNumber, jitterMs: jitter.valueAsNumber });
      else await post("settings", Object.fromEntries(ofStream.map((id) => [id, chosen(slider(id))])));
      sending = undefined;
      anew();
    }, 150);
  });
}

// The buttons.
const button = (id: string, press: () => void) => find(`#${id}`).addEventListener("click", press);
for (const command of ["freeze", "cut", "heal"]) button(command, () => void post("network", { command }));

button("copy", async () => {
  await navigator.clipboard.writeText(toTabs(rows(figures, conditions())));
  find(".done").textContent = "Copied.";
});
button("save", () => save(toCsv(rows(figures, conditions())), "compare.csv"));

// No script can hide its own tab. It can open another in front of it, which ends itself after a minute.
button("hide", () => {
  const cover = open("");
  if (!cover) return;
  cover.document.title = "In front of lesson 8";
  cover.document.body.textContent =
    "Lesson 8 lies behind this tab, hidden, as if you read something else. This tab closes in a minute; or close it now.";
  cover.setTimeout(() => cover.close(), 60_000);
});

let hid: { atMs: number; received: Record<Lane, number> } | undefined;
document.addEventListener("visibilitychange", () => {
  const received = toLanes((lane) => figures[lane].received);
  if (document.hidden) hid = { atMs: performance.now(), received };
  else if (hid) {
    const { atMs, received: before } = hid;
    const counted = lanes
      .map((lane) => `${names[lane]} ${readable(received[lane] - before[lane])}`)
      .join(", ");
    const worst = lanes
      .map((lane) => `${names[lane]} ${duration(figures[lane].late?.worst ?? 0)}`)
      .join(", ");
    find(".hidden-for").textContent =
      `Hidden for ${duration(performance.now() - atMs)}. Messages meanwhile: ${counted}. The worst of the last minute: ${worst}.`;
  }
});

// The pictures move; for who wants no motion they stand, and are new every two seconds.
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
  const silentMs = performance.now() - heardMs;
  if (status.dataset.state === "open" && silentMs > 3_000)
    desk("reconnecting", "silent: no counts from the server");
}, 500);

// Kept in the back/forward cache, a page loses its connections.
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

sit();
