// One connection to the server beside the lanes: the settings, and what the cables count. Its state is the page's.
import { serverHost } from "../../shared/page/server-host.ts";
import type { Counts, Spent } from "../../shared/page/stream-figures.ts";
import { find, write } from "./page.ts";
import type { Lane, Settings } from "./settings.ts";

/** What the server sends first: who we are, the port of each lane, and how many messages there have been. */
export type Opened = { page: string; ports: Record<Lane, number>; settings: Settings; published: number };
/** What the cables have counted, and what the lanes have cost. `frozen`: nothing passes. */
export type Counted = { counts: Record<Lane, Counts>; spent: Record<Lane, Spent>; frozen: boolean };

type Handlers = {
  opened: (opened: Opened) => void;
  settings: (settings: Settings & { published: number }) => void;
  counted: (counted: Counted) => void;
};

const status = find(".status");
let heardMs = performance.now();

function showStatus(name: string, text: string) {
  write(status, text);
  status.dataset.state = name;
}

/** Connects, and calls these functions with what the server sends. Reconnects by itself. */
export function followServer(handlers: Handlers): void {
  showStatus("connecting", "connecting");
  const source = new EventSource(`http://${serverHost}/lanes`);
  const on = <Data>(type: string, act: (data: Data) => void) =>
    source.addEventListener(type, ({ data }) => {
      heardMs = performance.now();
      act(JSON.parse(data));
    });
  on("lanes", handlers.opened);
  on("settings", handlers.settings);
  on<Counted>("counts", (counted) => {
    find("#freeze").setAttribute("aria-pressed", String(counted.frozen));
    if (counted.frozen) showStatus("reconnecting", "frozen: nothing passes, nothing closes");
    else showStatus("open", "open: one stream, four lanes");
    handlers.counted(counted);
  });
  source.addEventListener("error", () => {
    showStatus("reconnecting", "reconnecting: the server does not answer");
    // Refused for good, because eight other pages are open: the browser doesn't try again by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => followServer(handlers), 2_000);
  });
}

setInterval(() => {
  if (status.dataset.state === "open" && performance.now() - heardMs > 3_000)
    showStatus("reconnecting", "silent: no counts from the server");
}, 500);
