// The figures as a table: to copy into a spreadsheet, or to save.
import type { Figures } from "./figures.ts";
import { type Lane, lanes, names, type Settings } from "./settings.ts";

export type Conditions = Settings & { delayMs: number; jitterMs: number };

/** A head and a row for each lane. */
export function rows(all: Record<Lane, Figures>, conditions: Conditions): (string | number)[][] {
  const round = (value = 0) => Math.round(value * 10) / 10;
  const columns: [string, (figures: Figures, lane: Lane) => string | number][] = [
    ["lane", (_, lane) => names[lane]],
    ["messages per second", () => conditions.perSecond],
    ["message bytes", () => conditions.size],
    ["clients", () => conditions.clients],
    ["polling interval ms", () => conditions.everyMs],
    ["network delay ms", () => conditions.delayMs],
    ["jitter ms", () => conditions.jitterMs],
    ["measured s", ({ measuredMs }) => round(measuredMs / 1_000)],
    ["mean ms late", ({ late }) => (late ? round(late.mean) : "")],
    ["p50 ms late", ({ late }) => late?.p50 ?? ""],
    ["p95 ms late", ({ late }) => late?.p95 ?? ""],
    ["worst ms late", ({ late }) => late?.worst ?? ""],
    ["bytes per message", ({ perMessage }) => (perMessage ? round(perMessage.bytes) : "")],
    ["up per message", ({ perMessage }) => (perMessage ? round(perMessage.up) : "")],
    ["down per message", ({ perMessage }) => (perMessage ? round(perMessage.down) : "")],
    ["header bytes per message", ({ perMessage }) => (perMessage ? round(perMessage.headers) : "")],
    ["requests per message", ({ perMessage }) => (perMessage ? round(perMessage.requests * 10) / 10 : "")],
    ["server CPU us per message", ({ cpuPerMessage: cpu }) => (cpu && !cpu.below ? round(cpu.micros) : "")],
    ["messages", ({ received }) => received],
    ["requests", ({ counts }) => counts?.requests ?? 0],
    ["TCP connections", ({ counts }) => counts?.connections ?? 0],
    ["bytes up", ({ counts }) => counts?.up.bytes ?? 0],
    ["bytes down", ({ counts }) => counts?.down.bytes ?? 0],
    ["lost", ({ lost }) => lost],
    ["doubled", ({ doubled }) => doubled],
    ["out of order", ({ outOfOrder }) => outOfOrder],
  ];
  return [
    columns.map(([head]) => head),
    ...lanes.map((lane) => columns.map(([, value]) => value(all[lane], lane))),
  ];
}

/** RFC 4180; no field here holds a comma or a quote. */
export const toCsv = (table: (string | number)[][]) =>
  `${table.map((row) => row.join(",")).join("\r\n")}\r\n`;

/** Spreadsheets take it from the clipboard as it is. */
export const toTabs = (table: (string | number)[][]) => table.map((row) => row.join("\t")).join("\n");

/** Hands the reader a file. */
export function save(text: string, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
}
