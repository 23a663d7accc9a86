// <wire-panel>: the drawer at the bottom of the page. It shows what passes through the cable, and lets the cable fail.
import { readable } from "../../page/numbers.ts";
import { hostAt } from "../../page/server-host.ts";
import type { Counts, Entry } from "./entry.ts";
import { EntryList, mostRows } from "./panel-list.ts";
import { ownConnection, PlainWebSocket } from "./panel-own.ts";
import { template } from "./panel-template.ts";
import { cableWords, connectionLabel, counted, serverChip, serverWords, sumWords } from "./panel-words.ts";
import type { Faults, FromPanel, FullState, ToPanel } from "./protocol.ts";

/** A phone that has joined (LAN=1) gets no drawer: its buttons work on this computer only. */
const isHere =
  ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname) ||
  location.host === process.env.PUBLIC_HOST;
/** Filled in by the pages server; empty when there is no cable. */
const port = process.env.CABLE_PORT || "";
const reconnectMs = 1_000;
/** A dot's way along the cable. */
const travelMs = 500;
/** Wide enough for the drawer to open beside the page; the same as in panel.css. */
const beside = matchMedia("(min-width: 101rem)");

const stylesheet = document.createElement("link");
stylesheet.rel = "stylesheet";
stylesheet.href = new URL("panel.css", import.meta.url).href;
document.head.append(stylesheet);

export class WirePanel extends HTMLElement {
  #socket: WebSocket | undefined;
  #run = "";
  #offsetMs = Number.NEGATIVE_INFINITY; // the cable's clock minus this page's
  #state: FullState | undefined;
  #list: EntryList | undefined;
  #lastId = 0;
  #entries: Entry[] = [];
  #leftOut = 0;
  #waiting = 0;
  #samples: { at: number; counts: Counts }[] = [];
  #wayShown = "";
  #travelsUntil = { up: 0, down: 0 };
  #commands = 0;
  /** What to say when the latest command has been carried out. */
  #done = "";

  connectedCallback() {
    this.hidden = !isHere;
    if (!isHere) return;
    this.innerHTML = template;
    this.#list = new EntryList(this.#element(".wire-rows"));
    this.#fold(startsFolded(this.hasAttribute("folded")));
    this.#listen();
    new ResizeObserver(() => this.#reserve()).observe(this.#element(".wire"));
    beside.addEventListener("change", () => this.#reserve());
    if (port) this.#connect();
    else this.#gone("no cable: to see what passes, start the lesson with npm run lesson");
  }

  #listen() {
    this.#on(".wire-fold", "click", () => this.#fold(!this.#isFolded(), true));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented || this.#isFolded()) return;
      if (this.#element(".wire-body").contains(document.activeElement)) this.#element(".wire-fold").focus();
      this.#fold(true, true);
    });
    for (const button of this.#commandButtons())
      button.addEventListener("click", () => this.#press(button.dataset.command as FromPanel["command"]));
    for (const name of ["delay", "jitter", "throttle"])
      this.#on(`[name=${name}]`, "change", () => this.#set(name));
    this.#on("[name=connection]", "change", () => {
      this.#say("");
      this.#showChosen();
    });
    for (const name of ["control", "tcp", "only"]) this.#on(`[name=${name}]`, "change", () => this.#redraw());
    this.#on("[name=pause]", "click", () => {
      const button = this.#element("[name=pause]");
      const paused = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(paused));
      button.textContent = paused ? "Continue" : "Pause";
      if (!paused) this.#redraw();
    });
    this.#on("[name=clear]", "click", () => {
      this.#entries = [];
      this.#leftOut = 0;
      this.#redraw();
    });
  }

  #connect() {
    const socket = new PlainWebSocket(`ws://${hostAt(port)}/cable`);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = () => {
      this.#gone("no cable: the lesson is not running");
      setTimeout(() => this.#connect(), reconnectMs);
    };
  }

  #gone(words: string) {
    this.#state = undefined;
    const wire = this.#element(".wire");
    wire.dataset.cable = "gone";
    delete wire.dataset.some;
    this.#write(".wire-words", words);
    this.#write(".word", "–");
    this.#write(".word-some", "");
    this.#showChips(["no cable"]);
    for (const button of this.#commandButtons()) button.disabled = true;
  }

  #receive(message: ToPanel) {
    if (message.type === "hello" && message.run !== this.#run) this.#startAgain(message.run);
    if (message.type === "hello" || message.type === "state") this.#show(message.state);
    else if (message.type === "entries") this.#take(message.entries, message.leftOut);
    else if (message.ok) this.#write(".wire-error", "");
    else this.#write(".wire-error", message.error);
    if (message.type === "reply" && message.ok && message.id === this.#commands && this.#done)
      this.#say(this.#done);
  }

  /** The cable has been restarted, and numbers its entries from 1 again. */
  #startAgain(run: string) {
    this.#run = run;
    this.#offsetMs = Number.NEGATIVE_INFINITY;
    this.#entries = [];
    this.#lastId = 0;
    this.#samples = [];
    this.#redraw();
  }

  #take(entries: Entry[], leftOut: number) {
    const isHistory = this.#lastId === 0;
    const fresh = entries.filter(({ id }) => id > this.#lastId);
    this.#lastId = fresh.at(-1)?.id ?? this.#lastId;
    // A reloaded page begins with the last 200 entries. Those before them are missing from nothing.
    if (!isHistory) this.#leftOut += leftOut;
    this.#entries.push(...fresh);
    if (this.#entries.length > 2 * mostRows) this.#entries = this.#entries.slice(-mostRows);
    if (this.#isFolded()) return;
    this.#travel(fresh);
    if (this.#isPaused()) this.#waiting += fresh.length;
    else if (isHistory) this.#redraw();
    else this.#leftOut += this.#list?.add(fresh.filter((entry) => this.#passes(entry))) ?? 0;
    this.#countLeftOut();
  }

  /** The picture, the words below it, the buttons, and the sum of the last minute. */
  #show(state: FullState) {
    this.#state = state;
    // The largest difference is the most accurate: messages can be late, but not early.
    this.#offsetMs = Math.max(this.#offsetMs, state.nowMs - performance.now());
    const { process, why, backInMs } = state.server;
    const cable = cableWords(state);
    const wire = this.#element(".wire");
    wire.dataset.cable = cable.state;
    wire.dataset.server = process;
    wire.dataset.way = state.faults.freeze ?? "both";
    if (cable.some) wire.dataset.some = cable.some;
    else delete wire.dataset.some;
    this.#write(".word", cable.word);
    this.#write(".word-some", cable.someWord);
    const open = `${readable(state.open)} ${state.open === 1 ? "connection" : "connections"} open`;
    this.#write(".wire-words", `${cable.words}; ${open}; server ${serverWords(state.server)}`);
    this.#showChips([...cable.chips, serverChip(state.server)].filter(Boolean));
    for (const button of this.#commandButtons()) button.disabled = false;
    this.#element<HTMLButtonElement>("[data-command=heal]").disabled = cable.chips.length === 0;
    this.#pressed("refuse", state.refusing);
    this.#pressed("kill", process === "dead" && /^killed/.test(why ?? ""));
    this.#pressed("stop", process === "stopped" || backInMs !== undefined);
    this.#showConnections(state);
    this.#showChosen();

    const now = { at: performance.now(), counts: state.counts };
    this.#samples = [...this.#samples.filter(({ at }) => at > now.at - 61_000), now];
    const [first = now] = this.#samples;
    this.#write(".wire-sum", first === now ? "" : sumWords(first, now));
  }

  #showChips(chips: string[]) {
    const place = this.#element(".wire-chips");
    if (place.dataset.chips === chips.join()) return; // a live region is read out when it is written
    place.dataset.chips = chips.join();
    place.replaceChildren(
      ...chips.map((text) => {
        const chip = document.createElement("span");
        chip.className = "wire-chip";
        chip.textContent = text;
        return chip;
      }),
    );
  }

  #showConnections({ connections, open }: FullState) {
    const own = ownConnection(connections, this.#offsetMs);
    const labels = new Map(
      connections.map((one) => [
        String(one.number),
        `${connectionLabel(one)}${one.number === own ? " (this page)" : ""}`,
      ]),
    );
    // The cable lists the latest 100 connections. Whether the others have ended isn't known here.
    const listsAll = open === connections.length;
    for (const name of ["connection", "only"]) {
      const select = this.#element<HTMLSelectElement>(`[name=${name}]`);
      const chosen = select.value;
      if (chosen && !labels.has(chosen) && listsAll) {
        const option = select.selectedOptions[0];
        if (option && !option.dataset.ended) {
          option.dataset.ended = "yes";
          option.text = `${chosen} · ended`;
          if (name === "connection") this.#say(`${ended(chosen)} Nothing is chosen now: ${choose}`);
        }
      }
      updateOptions(select, labels);
    }
  }

  /** Shows which faults are in force for the chosen connection, or for all: pressed buttons, and settings. */
  #showChosen() {
    if (!this.#state) return;
    const chosen = this.#value("connection");
    const one = this.#state.connections.find(({ number }) => String(number) === chosen);
    const faults = chosen ? (one?.faults ?? {}) : this.#state.faults;
    this.#pressed("freeze", faults.freeze !== undefined);
    this.#showWay(chosen, faults);
    for (const name of ["delay", "jitter", "throttle"]) this.#settle(name, faults);
  }

  /**
   * The control "way" shows the direction of the faults in force when they begin, and after a reload. After that it
   * keeps what the reader chooses for the next command. It can't show two directions: the line below the picture does.
   */
  #showWay(chosen: string, { freeze, delay, throttle }: Faults) {
    const ways = new Set([freeze, delay?.direction, throttle?.direction].filter((way) => way !== undefined));
    const shown = [chosen, ...ways].join();
    if (shown === this.#wayShown) return;
    this.#wayShown = shown;
    const [way] = ways;
    if (way && ways.size === 1) this.#element<HTMLSelectElement>("[name=direction]").value = way;
  }

  /** A setting shows the fault that is in force, unless the reader is about to choose. */
  #settle(name: string, faults: Faults) {
    const select = this.#element<HTMLSelectElement>(`[name=${name}]`);
    if (select === document.activeElement) return;
    if (name === "delay") select.value = String(faults.delay?.ms ?? 0);
    if (name === "jitter") select.value = String(faults.delay?.jitterMs ?? 0);
    if (name === "throttle") select.value = String(faults.throttle?.bytesPerSecond ?? "");
  }

  #press(command: FromPanel["command"]) {
    const which = this.#which();
    const direction = this.#direction();
    const frozen = this.#value("frozen") as "deliver" | "drop";
    if (command === "freeze") this.#send({ command, direction, ...which });
    else if (command === "heal") this.#send({ command, frozen, ...which }, this.#healed(which.connection));
    else if (command === "stop") this.#send({ command, forMs: 10_000 });
    else if (command === "close" || command === "reset") this.#send({ command, ...which });
    else this.#send({ command } as FromPanel);
  }

  /** Says what healing one connection did, and what it left unchanged. */
  #healed(connection: number | undefined): string {
    if (connection === undefined || !this.#state) return "";
    const { state, words } = cableWords({ ...this.#state, connections: [] });
    const rest = state === "open" ? "" : ` The rest stays as it is: ${words}.`;
    return `Connection ${connection} is healed.${rest}`;
  }

  #set(name: string) {
    const all = { direction: this.#direction(), ...this.#which() };
    if (name === "throttle") {
      const bytes = this.#value("throttle");
      this.#send({ command: "throttle", bytesPerSecond: bytes ? Number(bytes) : null, ...all });
    } else {
      const ms = Number(this.#value("delay"));
      const jitterMs = Number(this.#value("jitter"));
      this.#send({ command: "delay", ms, jitterMs, ...all });
    }
  }

  /** Sends a command, unless it is for a connection that has ended. `done` is shown when it has been carried out. */
  #send(command: FromPanel, done = "") {
    const option = this.#element<HTMLSelectElement>("[name=connection]").selectedOptions[0];
    if ("connection" in command && option?.dataset.ended) {
      this.#write(".wire-error", `${ended(option.value)} To go on, ${choose}`);
      return;
    }
    this.#say("");
    this.#done = done;
    if (this.#socket?.readyState === WebSocket.OPEN)
      this.#socket.send(JSON.stringify({ ...command, id: ++this.#commands }));
  }

  #redraw() {
    this.#waiting = 0;
    this.#list?.replace(this.#entries.filter((entry) => this.#passes(entry)));
    this.#countLeftOut();
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

  #countLeftOut() {
    const parts = [];
    if (this.#waiting) parts.push(`${counted(this.#waiting, "row")} waiting`);
    if (this.#leftOut) parts.push(`${counted(this.#leftOut, "row")} left out: more than the drawer can show`);
    this.#write(".wire-left-out", parts.join(", "));
  }

  /** A dot runs along the cable when something travels: one for a whole batch, and none for readers who prefer no motion. */
  #travel(entries: Entry[]) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    for (const direction of ["up", "down"] as const) {
      const dot = this.#element(`.dot.${direction}`);
      // Not getAnimations(): the browser would calculate all styles first.
      const isMoving = performance.now() < this.#travelsUntil[direction];
      if (isMoving || !entries.some((one) => "direction" in one && one.direction === direction)) continue;
      const to = direction === "up" ? 194 : -194;
      dot.animate(
        [
          { transform: "translateX(0)", opacity: 1 },
          { transform: `translateX(${to}px)`, opacity: 1 },
        ],
        { duration: travelMs, easing: "ease-in-out" },
      );
      this.#travelsUntil[direction] = performance.now() + travelMs;
    }
  }

  #fold(fold: boolean, remember = false) {
    this.#element(".wire-body").hidden = fold;
    this.#element(".wire-fold").setAttribute("aria-expanded", String(!fold));
    if (remember) localStorage.setItem("cable", (fold ? "folded" : "open") + lastReset);
    if (!fold && !this.#isPaused()) this.#redraw();
  }

  /** Keeps the drawer's height free when the browser scrolls to what is focused. */
  #reserve() {
    const isBeside = beside.matches && !this.#isFolded();
    const height = isBeside ? 0 : this.#element(".wire").offsetHeight;
    document.documentElement.style.setProperty("--drawer", `${height}px`);
  }

  #say(words: string) {
    this.#write(".wire-notice", words);
    this.#write(".wire-error", "");
  }

  #pressed(command: FromPanel["command"], pressed: boolean) {
    this.#element(`[data-command=${command}]`).setAttribute("aria-pressed", String(pressed));
  }

  #which() {
    const connection = this.#value("connection");
    return connection ? { connection: Number(connection) } : {};
  }

  #direction = () => this.#value("direction") as "both" | "up" | "down";
  #isFolded = () => this.#element(".wire-body").hidden;
  #isPaused = () => this.#element("[name=pause]").getAttribute("aria-pressed") === "true";
  #value = (name: string) => this.#element<HTMLSelectElement>(`[name=${name}]`).value;
  #commandButtons = () => this.querySelectorAll<HTMLButtonElement>("[data-command]");

  #write(selector: string, text: string) {
    const place = this.#element(selector);
    if (place.textContent !== text) place.textContent = text;
  }

  #element<E extends Element = HTMLElement>(selector: string): E {
    return this.querySelector(selector) as E;
  }

  #on(selector: string, event: string, listener: () => void) {
    this.#element(selector).addEventListener(event, listener);
  }
}

const ended = (connection: string) => `Connection ${connection} has ended.`;
const choose = "choose another connection, or all.";

/** When `npm run reset` ran last, or "". The drawer forgets how it was left before that. */
const lastReset = process.env.LAST_RESET ?? "";

/** As the reader left it. At first, folded if the page asks for that (`folded`), or if it would cover the lesson. */
function startsFolded(asked: boolean): boolean {
  const [, kept, since] = /^(folded|open)(.*)$/.exec(localStorage.getItem("cable") ?? "") ?? [];
  if (kept && since === lastReset) return kept === "folded";
  return asked || innerWidth < 800 || (innerHeight < 1_000 && !beside.matches);
}

/** Gives a select these options, by value, after its first one. The chosen one stays, even if it isn't among them. */
function updateOptions(select: HTMLSelectElement, labels: Map<string, string>) {
  const options = [...select.options].slice(1);
  for (const option of options) {
    const label = labels.get(option.value);
    if (label === undefined && !option.selected) option.remove();
    else if (label !== undefined && option.text !== label) option.text = label;
  }
  const known = new Set(options.map(({ value }) => value));
  for (const [value, label] of labels) if (!known.has(value)) select.add(new Option(label, value));
}

customElements.define("wire-panel", WirePanel);
