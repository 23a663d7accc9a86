// The figures as a table, to copy into a spreadsheet or to save. All figures cover the same time: the window.
import type { StreamFigures } from "../../shared/page/stream-figures.ts";
import { find, onPress, write } from "./page.ts";
import { type Lane, lanes, names, type Settings } from "./settings.ts";

type Delay = { ms: number; jitterMs: number };
type Table = (string | number)[][];

/** A row of headings, and a row for each lane. */
export function rows(all: Record<Lane, StreamFigures>, conditions: Settings, delay: Delay): Table {
  const columns: [string, (figures: StreamFigures, lane: Lane) => string | number | undefined][] = [
    ["lane", (_, lane) => names[lane]],
    ["messages per second", () => conditions.perSecond],
    ["message bytes", () => conditions.size],
    ["clients", () => conditions.clients],
    ["polling interval ms", () => conditions.everyMs],
    ["network delay ms", () => delay.ms],
    ["jitter ms", () => delay.jitterMs],
    ["measured s", ({ measuredMs }) => measuredMs / 1_000],
    ["mean latency ms", ({ late }) => late?.mean],
    ["p50 latency ms", ({ late }) => late?.p50],
    ["p95 latency ms", ({ late }) => late?.p95],
    ["worst latency ms", ({ late }) => late?.worst],
    ["bytes per message", ({ perMessage }) => perMessage?.bytes],
    ["up per message", ({ perMessage }) => perMessage?.up],
    ["down per message", ({ perMessage }) => perMessage?.down],
    ["header bytes per message", ({ perMessage }) => perMessage?.headers],
    ["requests per message", ({ perMessage }) => perMessage?.requests],
    ["server CPU us per message", ({ cpuPerMessage: cpu }) => (cpu?.below ? undefined : cpu?.micros)],
    ["messages", ({ window }) => window.received],
    ["requests", ({ window }) => window.requests],
    ["new TCP connections", ({ window }) => window.connections],
    ["bytes up", ({ window }) => window.up],
    ["bytes down", ({ window }) => window.down],
    ["lost", ({ window }) => window.lost],
    ["duplicated", ({ window }) => window.duplicated],
    ["out of order", ({ window }) => window.outOfOrder],
  ];
  const round = (value: string | number = "") =>
    typeof value === "number" ? Math.round(value * 100) / 100 : value;
  return [
    columns.map(([heading]) => heading),
    ...lanes.map((lane) => columns.map(([, value]) => round(value(all[lane], lane)))),
  ];
}

/** RFC 4180. No field here contains a comma or a quote. */
const toCsv = (table: Table) => `${table.map((row) => row.join(",")).join("\r\n")}\r\n`;

/** Spreadsheets take this from the clipboard as it is. */
const toTabs = (table: Table) => table.map((row) => row.join("\t")).join("\n");

/** Offers the text as a file to save. */
function save(text: string, name: string) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
}

/** Makes the buttons work that copy and save the table. */
export function offerTable(table: () => Table): void {
  onPress("copy", async () => {
    // Browsers refuse this now and then, and always to a page that comes over http from another computer.
    const copied = await navigator.clipboard?.writeText(toTabs(table())).then(
      () => true,
      () => false,
    );
    write(find(".done"), copied ? "Copied." : "The browser doesn't allow that. Save them as CSV instead.");
  });
  onPress("save", () => save(toCsv(table()), "compare.csv"));
}
