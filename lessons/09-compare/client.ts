// Compare, the page: reads one stream over four lanes, and measures what each of them costs.
import type { Message } from "../../shared/both/message.ts";
import { hostAt } from "../../shared/page/server-host.ts";
import { StreamFigures } from "../../shared/page/stream-figures.ts";
import { longPolling, polling } from "./lanes/polling.ts";
import type { Reader } from "./lanes/reader.ts";
import { serverSentEvents } from "./lanes/server-sent-events.ts";
import { websocket } from "./lanes/websocket.ts";
import { onPress, post } from "./page.ts";
import { type Counted, followServer, type Opened } from "./server-events.ts";
import { initialSettings, type Lane, lanes, type Settings, toLanes } from "./settings.ts";
import { chosenDelay, offerSliders, showSettings } from "./sliders.ts";
import { offerHiding } from "./tab-away.ts";
import { offerTable, rows } from "./table.ts";
import { numberIn } from "./text.ts";
import { areOpen, chart, pictures, show, showShare, showState } from "./view.ts";

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
    state: (name, text = "") => showState(lane, name, text, settings.everyMs),
  });
  stops = [
    polling(reader("polling"), () => settings.everyMs),
    longPolling(reader("long-polling")),
    serverSentEvents(reader("sse")),
    websocket(reader("websocket")),
  ];
}

function take(lane: Lane, { id, from, text, at }: Message) {
  const number = numberIn(text);
  const now = Date.now();
  const bytes = new Blob([JSON.stringify({ id, from, text, at })]).size;
  if (!figures[lane].take(number, bytes, at, now)) return;
  chart.add(lane, Math.max(0, now - at));
  for (const each of lanes) pictures[each].published(number, at, settings.perSecond);
  pictures[lane].arrived(number, now);
}

// What the cables count, twice a second.
function count({ counts, spent }: Counted) {
  // The figures begin when all four lanes are open, so that opening them isn't part of the comparison.
  if (areOpen()) settled = true;
  if (!settled) startMeasuring(0);
  for (const lane of lanes) figures[lane].sample(counts[lane], spent[lane], Date.now());
  show(figures, settings);
}

/** New settings are in force. They may come from another page. */
function follow({ published, ...inForce }: Settings & { published: number }) {
  settings = inForce;
  showSettings(settings);
  showShare(settings.perSecond);
  startMeasuring(published);
}

/** Leaves out everything up to the message with this number. */
function startMeasuring(published: number) {
  for (const lane of lanes) figures[lane].restart(published, Date.now());
}

const postDelay = offerSliders(async () => {
  const answer = await post("delay", { page, ...chosenDelay() });
  startMeasuring(answer.published ?? 0);
});

// The buttons.
for (const command of ["freeze", "cut", "heal"])
  onPress(command, () => void post("network", { page, command }));
offerHiding(() => figures);
offerTable(() => rows(figures, settings, chosenDelay()));

// A page kept in the back/forward cache has lost its connections.
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

followServer({
  opened(opened) {
    page = opened.page;
    follow({ ...opened.settings, published: opened.published });
    begin(opened);
    void postDelay();
  },
  settings: follow,
  counted: count,
});
