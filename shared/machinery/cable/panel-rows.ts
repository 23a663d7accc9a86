// One row for each entry. When it is opened, it shows headers or payload, and a frame's fields bit by bit.
import { readable } from "../../page/numbers.ts";
import type { Entry, Frame, Headers, Preview } from "./entry.ts";

const cellNames = ["arrow", "at", "on", "kind", "words", "sizes"] as const;

/** A row of the drawer's list. It shows one entry after the other: new elements would cost more than new text. */
export class Row {
  readonly item = document.createElement("li");
  readonly #details = document.createElement("details");
  readonly #cells = cellNames.map((name) => cell(name, ""));
  #entry: Entry | undefined;

  constructor() {
    const summary = document.createElement("summary");
    summary.append(...this.#cells);
    this.#details.append(summary);
    this.#details.addEventListener("toggle", () => this.#open());
    this.item.append(this.#details);
  }

  show(entry: Entry): void {
    this.#entry = entry;
    this.#details.open = false;
    this.#details.children[1]?.remove();
    this.item.dataset.kind = entry.kind;
    this.item.className = "direction" in entry ? entry.direction : "aside";
    const { mark, kind, words, sizes } = line(entry);
    const at = `${(entry.atMs / 1_000).toFixed(3)} s`;
    const on = entry.connection ? `#${entry.connection}` : "";
    for (const [index, text] of [mark, at, on, kind, words, sizes].entries()) {
      const place = this.#cells[index];
      if (place && place.textContent !== text) place.textContent = text;
    }
  }

  /** Makes the contents of a row when it is opened: most rows never are. */
  #open(): void {
    if (!this.#details.open || !this.#entry) return;
    if (this.#details.children.length === 1) this.#details.append(explain(this.#entry));
    this.item.scrollIntoView({ block: "nearest" });
  }
}

type Line = { mark: string; kind: string; words: string; sizes: string };

function line(entry: Entry): Line {
  const way = "direction" in entry ? entry.direction : undefined;
  const mark = way === "up" ? "→" : way === "down" ? "←" : "·";
  const sizes =
    "headerBytes" in entry ? `${readable(entry.headerBytes)} + ${readable(entry.payloadBytes)} B` : "";
  switch (entry.kind) {
    case "request":
      return {
        mark,
        kind: entry.method,
        words: `${entry.path}${entry.nth > 1 ? `  (same connection, ${nth(entry.nth)})` : ""}`,
        sizes,
      };
    case "response":
      return {
        mark,
        kind: String(entry.status),
        words: `${entry.reason}${held(entry.heldMs)}${entry.upgradeRefused ? "  upgrade refused" : ""}`,
        sizes,
      };
    case "handshake":
      return { mark, kind: "101", words: "handshake: WebSocket frames from here on", sizes };
    case "body":
      return {
        mark,
        kind: "body",
        words: entry.missing ? "ended before it was complete" : short(entry.preview),
        sizes,
      };
    case "frame":
      return { mark, kind: frameName(entry), words: frameWords(entry), sizes };
    case "connection-open":
      return { mark: "○", kind: "TCP", words: "connection opened", sizes };
    case "connection-end":
      return {
        mark: "✕",
        kind: entry.how,
        words: `from the ${entry.by}${entry.why ? `: ${entry.why}` : ""}`,
        sizes,
      };
    case "not-understood":
      return { mark: "?", kind: "bytes", words: `not understood: ${entry.why}`, sizes };
    default:
      return { mark: "!", kind: entry.kind, words: entry.text, sizes };
  }
}

const held = (ms: number | undefined) =>
  ms !== undefined && ms >= 100 ? `  held ${(ms / 1_000).toFixed(1)} s` : "";
const nth = (n: number) =>
  `${n}${["th", "st", "nd", "rd"][n % 10 > 3 || (n % 100) - (n % 10) === 10 ? 0 : n % 10]}`;
const short = (preview: Preview) => ("text" in preview ? preview.text : preview.hex).slice(0, 120);

function frameName({ name, continues, compressed, fin }: Frame): string {
  return `${name}${continues ? ` of ${continues}` : ""}${fin ? "" : " (more follows)"}${compressed ? ", compressed" : ""}`;
}

function frameWords({ close, wrong, preview, missingBytes }: Frame): string {
  if (wrong) return `wrong: ${wrong}`;
  if (missingBytes) return `${readable(missingBytes)} B never arrived`;
  return close ? `${close.code} ${close.reason}` : short(preview);
}

/** The contents of an opened row, below its line. */
export function explain(entry: Entry): HTMLElement {
  const box = document.createElement("div");
  box.className = "wire-open";
  if (entry.kind === "frame") box.append(frameTable(entry));
  if (entry.kind === "handshake") box.append(headerTable("Request headers", entry.requestHeaders));
  if ("headers" in entry)
    box.append(headerTable(entry.kind === "request" ? "Request headers" : "Response headers", entry.headers));
  if ("preview" in entry)
    box.append(payload(entry.preview, "payloadBytes" in entry ? entry.payloadBytes : 0));
  if (box.children.length === 0) box.append(cell("", aside(entry)));
  return box;
}

function aside(entry: Entry): string {
  if (entry.kind === "connection-end" && entry.how === "FIN")
    return "FIN: this side has nothing more to send. The other side may still send until its own FIN (RFC 9293 §3.6).";
  if (entry.kind === "connection-end")
    return "RST: the connection ends immediately for both sides, and data on its way is lost (RFC 9293 §3.5.2).";
  if (entry.kind === "connection-open")
    return "SYN, SYN-ACK, ACK: a TCP connection costs one round trip before the first byte (RFC 9293 §3.5).";
  return "text" in entry ? entry.text : "";
}

/** The header of a frame, field by field as RFC 6455 §5.2 draws it. */
function frameTable(frame: Frame): HTMLElement {
  const header = frame.header.match(/../g)?.map((hex) => Number.parseInt(hex, 16)) ?? [];
  const bits = header.slice(0, 2).map((byte) => byte.toString(2).padStart(8, "0"));
  const [first = "", second = ""] = bits;
  const extended = { 7: 0, 16: 2, 64: 8 }[frame.lengthBits];
  const hex = (from: number, count: number) =>
    frame.header.slice(2 * from, 2 * (from + count)).replace(/..(?=.)/g, "$& ");
  const rows: [string, string, string, string][] = [
    [
      "FIN",
      first[0] ?? "",
      frame.fin ? "the last frame of its message" : "more frames of this message follow",
      "§5.4",
    ],
    ["RSV1", first[1] ?? "", frame.compressed ? "compressed (RFC 7692)" : "not compressed", "§5.2"],
    ["RSV2, RSV3", first.slice(2, 4), "reserved for extensions", "§5.2"],
    ["opcode", first.slice(4), `${frame.opcode}: ${frame.name}`, "§11.8"],
    [
      "MASK",
      second[0] ?? "",
      frame.masked ? "masked, like every frame from a client" : "not masked, like every frame from a server",
      "§5.1",
    ],
    ["length", second.slice(1), lengthWords(frame), "§5.2"],
  ];
  if (extended) rows.push(["extended length", hex(2, extended), `${readable(frame.payloadBytes)} B`, "§5.2"]);
  if (frame.masked)
    rows.push([
      "masking key",
      hex(2 + extended, 4),
      "each byte of the payload is XORed with one of these",
      "§5.3",
    ]);
  const table = document.createElement("table");
  table.createCaption().textContent = `Frame header, ${frame.headerBytes} B: ${frame.header.replace(/..(?=.)/g, "$& ")}`;
  const head = table.createTHead().insertRow();
  for (const name of ["field", "bits or bytes", "meaning", "RFC 6455"]) {
    const th = document.createElement("th");
    th.scope = "col";
    th.textContent = name;
    head.append(th);
  }
  const body = table.createTBody();
  for (const [field, value, says, section] of rows) {
    const tr = body.insertRow();
    for (const text of [field, value, says, section]) tr.insertCell().textContent = text;
  }
  return table;
}

function lengthWords({ lengthBits, payloadBytes }: Frame): string {
  if (lengthBits === 7) return `${readable(payloadBytes)} B of payload`;
  return lengthBits === 16
    ? "126: the length is in the next 16 bits"
    : "127: the length is in the next 64 bits";
}

function headerTable(title: string, headers: Headers): HTMLElement {
  const table = document.createElement("table");
  table.createCaption().textContent = title;
  const body = table.createTBody();
  for (const [name, value] of headers) {
    const tr = body.insertRow();
    const th = document.createElement("th");
    th.scope = "row";
    th.textContent = name;
    tr.append(th);
    tr.insertCell().textContent = value;
  }
  return table;
}

function payload(preview: Preview, payloadBytes: number): HTMLElement {
  const text = "text" in preview ? preview.text : preview.hex.replace(/..(?=.)/g, "$& ");
  const pre = document.createElement("pre");
  pre.textContent = payloadBytes === 0 ? "no payload" : text;
  return pre;
}

function cell(className: string, text: string): HTMLElement {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}
