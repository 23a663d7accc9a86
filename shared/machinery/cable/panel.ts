// <wire-panel>: a drawer at the foot of the page, to look into the cable and to let it fail.
import { readable } from "../../page/numbers.ts";
import type { Counts, Entry } from "./entry.ts";
import { row } from "./panel-rows.ts";
import type { Faults, FromPanel, FullState, ToPanel } from "./protocol.ts";

// A phone in the room (LAN=1) sees no controls: they stay on this computer.
const isHere = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
/** Filled in by the pages server; empty when there is no cable. */
const port = (isHere && process.env.CABLE_PORT) || "";
const mostRows = 300;
const reconnectMs = 1_000;

const stylesheet = document.createElement("link");
stylesheet.rel = "stylesheet";
stylesheet.href = new URL("panel.css", import.meta.url).href;
document.head.append(stylesheet);

export class WirePanel extends HTMLElement {
  #socket: WebSocket | undefined;
  #run = "";
  #lastId = 0;
  #entries: Entry[] = [];
  #leftOut = 0;
  #waiting = 0;
  #samples: { at: number; counts: Counts }[] = [];

  connectedCallback() {
    this.innerHTML = `
      <section class="wire" aria-label="The cable">
        <div class="wire-bar">
          <button type="button" class="wire-fold" aria-expanded="false" aria-controls="wire-body">The cable</button>
          <p class="wire-sum"></p>
        </div>
        <div class="wire-body" id="wire-body" hidden>
          <div class="wire-steer">
            <svg class="wire-picture" viewBox="0 0 320 62" role="img" aria-labelledby="wire-words">
              <rect class="end page" x="1" y="14" width="62" height="34" rx="6"/>
              <text x="32" y="35">page</text>
              <g class="line"><path d="M63 24h62M195 24h62"/><path d="M63 38h62M195 38h62"/></g>
              <rect class="joint" x="125" y="10" width="70" height="42" rx="6"/>
              <text class="word" x="160" y="35">open</text>
              <circle class="dot up" r="4" cx="63" cy="24"/><circle class="dot down" r="4" cx="257" cy="38"/>
              <rect class="end server" x="257" y="14" width="62" height="34" rx="6"/>
              <text x="288" y="35">server</text>
            </svg>
            <p class="wire-words" id="wire-words"></p>
            <div class="wire-buttons" role="group" aria-label="Let the network fail">
              <button type="button" data-command="freeze" title="Nothing passes and nothing closes">Freeze</button>
              <button type="button" data-command="close" title="A FIN to both ends: an orderly end">End (FIN)</button>
              <button type="button" data-command="reset" title="A RST to both ends: an abrupt end">Reset</button>
              <button type="button" data-command="refuse" title="New connections are refused, open ones stay">Refuse</button>
              <button type="button" data-command="heal" class="heal" title="All is well again">Heal</button>
            </div>
            <div class="wire-buttons" role="group" aria-label="The server's process">
              <button type="button" data-command="kill" title="SIGKILL: no goodbye">Kill the server</button>
              <button type="button" data-command="stop" title="SIGTERM, and back after ten seconds">Stop it for 10 s</button>
              <button type="button" data-command="restart" title="SIGTERM, and back at once">Restart</button>
            </div>
            <div class="wire-settings">
              <label>which <select name="connection"><option value="">all</option></select></label>
              <label>way <select name="direction"><option value="both">both ways</option><option value="up">page → server</option><option value="down">page ← server</option></select></label>
              <label>delay <select name="delay"><option value="0">none</option><option value="100">100 ms</option><option value="500">500 ms</option><option value="2000">2 s</option><option value="20000">20 s</option></select></label>
              <label>jitter <select name="jitter"><option value="0">none</option><option value="50">± 50 ms</option><option value="300">± 300 ms</option></select></label>
              <label>throttle <select name="throttle"><option value="">none</option><option value="50000">50 kB/s</option><option value="5000">5 kB/s</option><option value="500">500 B/s</option></select></label>
              <label>when healed <select name="frozen"><option value="deliver">what was frozen arrives</option><option value="drop">what was frozen is lost</option></select></label>
            </div>
            <p class="wire-error" aria-live="polite"></p>
          </div>
          <div class="wire-log">
            <div class="wire-filter">
              <label><input type="checkbox" name="control" checked> ping, pong, close</label>
              <label><input type="checkbox" name="tcp" checked> TCP</label>
              <label>only <select name="only"><option value="">all connections</option></select></label>
              <button type="button" name="pause" aria-pressed="false">Pause</button>
              <button type="button" name="clear">Clear</button>
              <span class="wire-left-out"></span>
            </div>
            <ol class="wire-rows" tabindex="0" aria-label="What passes, one row each"></ol>
          </div>
        </div>
      </section>`;
    this.#fold(folded(this.hasAttribute("folded")));
    this.#on(".wire-fold", "click", () => this.#fold(!this.#element(".wire-body").hidden, true));
    for (const button of this.querySelectorAll<HTMLButtonElement>("[data-command]"))
      button.addEventListener("click", () => this.#press(button.dataset.command as FromPanel["command"]));
    for (const name of ["delay", "jitter", "throttle"])
      this.#on(`[name=${name}]`, "change", () => this.#set(name));
    for (const name of ["control", "tcp", "only"]) this.#on(`[name=${name}]`, "change", () => this.#redraw());
    this.#on("[name=pause]", "click", () => {
      const button = this.#element("[name=pause]");
      const paused = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(paused));
      button.textContent = paused ? "Go on" : "Pause";
      if (!paused) this.#redraw();
    });
    this.#on("[name=clear]", "click", () => {
      this.#entries = [];
      this.#leftOut = 0;
      this.#redraw();
    });
    if (port) this.#connect();
    else if (isHere) this.#gone("no cable: start the lesson with npm run lesson to look into it");
    else this.#gone("the cable is looked into on the computer that runs the lesson");
  }

  #connect() {
    const socket = new WebSocket(`ws://${location.hostname}:${port}/cable`);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onclose = () => {
      this.#gone("no cable: the lesson is not running");
      setTimeout(() => this.#connect(), reconnectMs);
    };
  }

  #gone(words: string) {
    this.querySelector(".wire")?.setAttribute("data-cable", "gone");
    this.#element(".wire-words").textContent = words;
    this.#element(".word").textContent = "–";
    for (const button of this.querySelectorAll<HTMLButtonElement>("[data-command]")) button.disabled = true;
  }

  #hear(message: ToPanel) {
    if (message.type === "hello" && message.run !== this.#run) {
      this.#run = message.run;
      this.#entries = [];
      this.#lastId = 0;
      this.#samples = [];
      this.#redraw();
    }
    if (message.type === "hello" || message.type === "state") this.#show(message.state);
    if (message.type === "reply") this.#element(".wire-error").textContent = message.ok ? "" : message.error;
    if (message.type === "entries") {
      const fresh = message.entries.filter(({ id }) => id > this.#lastId);
      this.#lastId = fresh.at(-1)?.id ?? this.#lastId;
      this.#leftOut += message.leftOut;
      this.#entries.push(...fresh);
      if (this.#entries.length > 2 * mostRows) this.#entries = this.#entries.slice(-mostRows);
      this.#travel(fresh);
      if (this.#paused()) this.#waiting += fresh.length;
      else this.#append(fresh);
      this.#tellLeftOut();
    }
  }

  /** The picture, the words beside it, and the sum of the last minute. */
  #show(state: FullState) {
    const { process, why, pid, backInMs } = state.server;
    const cable = cableWord(state);
    const wire = this.#element(".wire");
    wire.dataset.cable = cable.state;
    wire.dataset.server = process;
    this.#element(".word").textContent = cable.word;
    const server = why
      ? `${process}: ${why}`
      : process === "running" && pid
        ? `running, process ${pid}`
        : process;
    const back = backInMs === undefined ? "" : `, back in ${Math.ceil(backInMs / 1_000)} s`;
    const open = `${state.open} ${state.open === 1 ? "connection" : "connections"} open`;
    this.#element(".wire-words").textContent = `${cable.words}; ${open}; server ${server}${back}`;
    for (const button of this.querySelectorAll<HTMLButtonElement>("[data-command]")) button.disabled = false;
    this.#element<HTMLButtonElement>("[data-command=heal]").disabled = cable.state === "open";

    const numbers = state.connections.map(({ number, speaks, path }) => [
      number,
      `${number} · ${speaks} ${path ?? ""}`,
    ]);
    for (const name of ["connection", "only"])
      choices(this.#element<HTMLSelectElement>(`[name=${name}]`), numbers);
    for (const name of ["delay", "jitter", "throttle"]) this.#settle(name, state.faults);

    const now = performance.now();
    this.#samples.push({ at: now, counts: state.counts });
    this.#samples = this.#samples.filter(({ at }) => at > now - 61_000);
    this.#element(".wire-sum").textContent = sumOf(this.#samples);
  }

  /** A setting shows what is in force, unless the reader is about to choose. */
  #settle(name: string, faults: Faults) {
    const select = this.#element<HTMLSelectElement>(`[name=${name}]`);
    if (select === document.activeElement) return;
    if (name === "delay") select.value = String(faults.delay?.ms ?? 0);
    if (name === "jitter") select.value = String(faults.delay?.jitterMs ?? 0);
    if (name === "throttle") select.value = String(faults.throttle?.bytesPerSecond ?? "");
  }

  #press(command: FromPanel["command"]) {
    const which = this.#which();
    const direction = this.#value("direction") as "both" | "up" | "down";
    const frozen = this.#value("frozen") as "deliver" | "drop";
    if (command === "freeze") this.#send({ command, direction, ...which });
    else if (command === "heal") this.#send({ command, frozen, ...which });
    else if (command === "stop") this.#send({ command, forMs: 10_000 });
    else if (command === "close" || command === "reset") this.#send({ command, ...which });
    else this.#send({ command } as FromPanel);
  }

  #set(name: string) {
    const direction = this.#value("direction") as "both" | "up" | "down";
    const all = { direction, ...this.#which() };
    if (name === "throttle") {
      const bytes = this.#value("throttle");
      this.#send({ command: "throttle", bytesPerSecond: bytes ? Number(bytes) : null, ...all });
    } else {
      this.#send({
        command: "delay",
        ms: Number(this.#value("delay")),
        jitterMs: Number(this.#value("jitter")),
        ...all,
      });
    }
  }

  #send(command: FromPanel) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(command));
  }

  #append(entries: Entry[]) {
    const rows = this.#element(".wire-rows");
    const atEnd = rows.scrollTop + rows.clientHeight > rows.scrollHeight - 30;
    const shown = entries.filter((entry) => this.#passes(entry)).slice(-mostRows);
    rows.append(...shown.map((entry) => row(entry)));
    while (rows.children.length > mostRows) rows.firstElementChild?.remove();
    if (atEnd) rows.scrollTop = rows.scrollHeight;
  }

  #redraw() {
    this.#waiting = 0;
    this.#element(".wire-rows").replaceChildren();
    this.#append(this.#entries);
    this.#tellLeftOut();
  }

  #passes(entry: Entry): boolean {
    const only = this.#value("only");
    if (only && entry.connection !== 0 && entry.connection !== Number(only)) return false;
    if (entry.kind === "frame" && entry.opcode >= 8)
      return this.#element<HTMLInputElement>("[name=control]").checked;
    if (entry.kind === "connection-open" || entry.kind === "connection-end")
      return this.#element<HTMLInputElement>("[name=tcp]").checked;
    return true;
  }

  #tellLeftOut() {
    const parts = [];
    if (this.#waiting) parts.push(`${readable(this.#waiting)} waiting`);
    if (this.#leftOut) parts.push(`${readable(this.#leftOut)} left out`);
    this.#element(".wire-left-out").textContent = parts.join(", ");
  }

  /** A dot runs along the cable when something travels; one for a whole batch, and none where motion is unwelcome. */
  #travel(entries: Entry[]) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    for (const direction of ["up", "down"] as const) {
      if (!entries.some((entry) => "direction" in entry && entry.direction === direction)) continue;
      const [from, to] = direction === "up" ? [0, 194] : [0, -194];
      this.#element(`.dot.${direction}`).animate(
        [
          { transform: `translateX(${from}px)`, opacity: 1 },
          { transform: `translateX(${to}px)`, opacity: 1 },
        ],
        { duration: 500, easing: "ease-in-out" },
      );
    }
  }

  #fold(fold: boolean, remember = false) {
    this.#element(".wire-body").hidden = fold;
    this.#element(".wire-fold").setAttribute("aria-expanded", String(!fold));
    if (remember) localStorage.setItem("cable", fold ? "folded" : "open");
  }

  #which() {
    const connection = this.#value("connection");
    return connection ? { connection: Number(connection) } : {};
  }

  #paused = () => this.#element("[name=pause]").getAttribute("aria-pressed") === "true";
  #value = (name: string) => this.#element<HTMLSelectElement>(`[name=${name}]`).value;

  #element<E extends Element = HTMLElement>(selector: string): E {
    return this.querySelector(selector) as E;
  }

  #on(selector: string, event: string, listener: () => void) {
    this.#element(selector).addEventListener(event, listener);
  }
}

/** Folded as it was left; at first where the page asks for it (`folded`), or where there is little room. */
function folded(asked: boolean): boolean {
  const kept = localStorage.getItem("cable");
  return kept ? kept === "folded" : asked || innerWidth < 800 || innerHeight < 700;
}

/** The state of the cable as a word for the picture and as words beside it. */
function cableWord({ refusing, faults, connections }: FullState) {
  const ways = { both: "both ways", up: "page → server", down: "page ← server" };
  const frozenOnes = connections.filter((one) => one.faults.freeze).map(({ number }) => number);
  const words = [];
  if (faults.freeze) words.push(`frozen ${ways[faults.freeze]}`);
  else if (frozenOnes.length > 0) words.push(`frozen: connection ${frozenOnes.join(", ")}`);
  if (refusing) words.push("refusing new connections");
  if (faults.delay) words.push(`delayed by ${faults.delay.ms} ms ± ${faults.delay.jitterMs} ms`);
  if (faults.throttle) words.push(`throttled to ${faults.throttle.bytesPerSecond} B/s`);
  const troubled = words.length > 0 || connections.some((one) => Object.keys(one.faults).length > 0);
  const state =
    faults.freeze || frozenOnes.length > 0
      ? "frozen"
      : refusing
        ? "refusing"
        : troubled
          ? "troubled"
          : "open";
  const word = { frozen: "frozen", refusing: "refusing", troubled: "slow", open: "open" }[state];
  return { state, word, words: `cable ${words.join(", ") || "open"}` };
}

/** What passed in the last minute, from the cable's own counts: none of it is estimated. */
function sumOf(samples: { at: number; counts: Counts }[]): string {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || first === last) return "";
  const seconds = Math.round((last.at - first.at) / 1_000);
  const sum = (of: (counts: Counts) => number) => of(last.counts) - of(first.counts);
  const requests = sum(({ requests }) => requests);
  const frames = sum(({ up, down }) => up.frames + down.frames);
  const header = sum(({ up, down }) => up.headerBytes + down.headerBytes);
  const payload = sum(({ up, down }) => up.payloadBytes + down.payloadBytes);
  const what = [requests && `${readable(requests)} requests`, frames && `${readable(frames)} frames`];
  const text = what.filter(Boolean).join(", ") || "nothing";
  return `last ${Math.max(1, seconds)} s: ${text}, ${bytes(header)} of headers for ${bytes(payload)} of payload`;
}

/** 532 B, 32 kB. */
export function bytes(count: number): string {
  return count < 10_000 ? `${readable(count)} B` : `${readable(count / 1_000)} kB`;
}

function choices(select: HTMLSelectElement, options: (string | number)[][]) {
  const wanted = options.map(([value, text]) => `${value}|${text}`).join();
  if (select.dataset.wanted === wanted || select === document.activeElement) return;
  select.dataset.wanted = wanted;
  const chosen = select.value;
  while (select.options.length > 1) select.remove(1);
  for (const [value, text] of options) select.add(new Option(String(text), String(value)));
  select.value = options.some(([value]) => String(value) === chosen) ? chosen : "";
}

customElements.define("wire-panel", WirePanel);
