// What was measured, as Markdown that can be read in a terminal, in a README and on a slide.
import { type FanOut, plainest } from "./fan-out.ts";
import type { Detection } from "./half-open.ts";
import { demosWay, type OneWrite } from "./one-write.ts";
import type { Return } from "./outage.ts";
import type { Pointers } from "./pointers.ts";
import type { Transport } from "./transports.ts";

export type Results = {
  /** ISO 8601, to the day. */
  date: string;
  machine: string;
  versions: string;
  transports: Transport[];
  pointers: Pointers[];
  fanOut: FanOut[];
  oneWrite: OneWrite[];
  returns: Return[];
  halfOpen: { shortened: number; sides: Detection[] };
};

export function toMarkdown({
  date,
  machine,
  versions,
  transports,
  pointers,
  fanOut,
  oneWrite,
  returns,
  halfOpen,
}: Results): string {
  const conditions = grouped(transports, (row) => `${row.clients} ${row.messagesPerSecond}`);
  const crowds = grouped(fanOut, (row) => `${row.clients}`);
  return [
    `Measured on ${date}, ${machine}, ${versions}. Node to Node over loopback, HTTP/1.1, no TLS. Other machines give other figures.`,
    ...conditions.flatMap(transportsTable),
    "Messages are 100 bytes of JSON, published at random moments. Bytes (both ways, with all headers), requests and the server's CPU time are for each message that reached a client. The CPU time includes the work of receiving the message from its publisher. Latency: the time from publishing to arrival. Half of the messages took less than p50, and 99 in 100 took less than p99. A browser's request has about 500 more bytes of headers.",
    ...grouped(pointers, (row) => `${row.pointers}`).flatMap(pointersTable),
    "Every pointer moves 60 times a second. Bytes and messages are those that each client receives, with the headers of frames. 1,000 ms of CPU time per second is a whole core. Latency: the time from hand to screen. 95 in 100 of the positions that a screen shows took less than p95. The naive way is measured with slower pointers, and its figures are multiplied, because no core can do it at full speed.",
    ...crowds.flatMap(fanOutTable),
    `Deliveries a second: by the clock, with server and clients on one machine. Relative: compared with the ${plainest}. Per CPU second: deliveries for one second of the server's own CPU time. Per connection: heap and buffers at rest, without the kernel's memory.`,
    ...grouped(oneWrite, (row) => `${row.together}`).flatMap(oneWriteTable),
    "The heading of each table says how many messages are sent together. The next ones follow when every client has received them. Speedup: compared with the first row, which is what many demos do. Latency: the time from sending to arrival. Half of the messages took less than p50, and 99 in 100 took less than p99.",
    ...grouped(returns, (row) => `${row.awaySeconds} ${row.clients}`).flatMap(returnTable),
    "Worst 100 ms: the largest share of the clients that tried to connect within any one span of 100 ms.",
    "## Half-open connections",
    table(
      ["who notices", "tries", "median", "worst", "promised"],
      halfOpen.sides.map(({ side, tries, median, worst, promised }) => [
        `the ${side}`,
        whole(tries),
        ...[median, worst, promised].map((seconds) => `${seconds.toFixed(1)} s`),
      ]),
    ),
    `Measured with all times of lesson 5 divided by ${halfOpen.shortened}. The table multiplies the results by ${halfOpen.shortened}.`,
    "",
  ].join("\n\n");
}

function transportsTable(rows: Transport[]): string[] {
  const [{ clients = 0, messagesPerSecond = 0 } = {}] = rows;
  const people = clients === 1 ? "1 client" : `${clients} clients`;
  const pace = messagesPerSecond === 1 ? "1 message a second" : `${messagesPerSecond} messages a second`;
  return [
    `## Transports: ${people}, ${pace}`,
    table(
      ["", "bytes", "requests", "p50 latency", "p99 latency", "server CPU"],
      rows.map(({ transport, bytes, requests, p50, p99, cpuUs }) => [
        transport,
        whole(bytes),
        `${requests}`,
        ...[p50, p99].map((ms) => `${ms.toLocaleString("en-US")} ms`),
        `${whole(cpuUs)} µs`,
      ]),
    ),
  ];
}

function pointersTable(rows: Pointers[]): string[] {
  return [
    `## Pointers: ${whole(rows[0]?.pointers ?? 0)} in one room`,
    table(
      ["per second", "bytes", "messages", "server CPU", "p95 latency"],
      rows.map(({ way, bytesDown, messagesDown, cpuMs, p95, slower }) => [
        slower > 1 ? `${way} (× ${slower})` : way,
        whole(bytesDown),
        whole(messagesDown),
        `${whole(cpuMs)} ms`,
        p95 === undefined ? "–" : `${whole(p95)} ms`,
      ]),
    ),
  ];
}

function fanOutTable(rows: FanOut[]): string[] {
  const base = rows.find(({ server }) => server === plainest);
  return [
    `## Fan-out: ${whole(rows[0]?.clients ?? 0)} clients`,
    table(
      ["", "deliveries a second", "relative", "per CPU second", "per connection"],
      rows.map(({ server, perSecond, perCpuSecond, bytesPerConnection }) => [
        server,
        whole(Number(perSecond.toPrecision(3))),
        (perSecond / (base?.perSecond ?? 1)).toFixed(2),
        whole(Number(perCpuSecond.toPrecision(3))),
        `${(bytesPerConnection / 1_000).toFixed(1)} kB`,
      ]),
    ),
  ];
}

function oneWriteTable(rows: OneWrite[]): string[] {
  const [{ clients = 0, together = 0 } = {}] = rows;
  const base = rows.find(({ way }) => way === demosWay);
  return [
    `## One write for many: ${whole(clients)} clients, ${together === 1 ? "1 message" : `${together} messages`} at a time`,
    table(
      ["", "deliveries a second", "speedup", "p50 latency", "p99 latency"],
      rows.map(({ way, perSecond, p50, p99 }) => [
        way,
        whole(Number(perSecond.toPrecision(3))),
        (perSecond / (base?.perSecond ?? 1)).toPrecision(3),
        `${Number(p50.toPrecision(2))} ms`,
        `${Number(p99.toPrecision(2))} ms`,
      ]),
    ),
  ];
}

function returnTable(rows: Return[]): string[] {
  const [{ clients = 0, awaySeconds = 0 } = {}] = rows;
  return [
    `## Coming back: ${whole(clients)} clients${awaySeconds === 3 ? "" : `, after ${awaySeconds} s`}`,
    table(
      [`after ${awaySeconds} s away`, "worst 100 ms", "99% back after"],
      rows.map(({ way, worst100Ms, backAfter }) => [
        way,
        `${Math.round(worst100Ms * 100)}%`,
        `${backAfter.toFixed(1)} s`,
      ]),
    ),
  ];
}

/** Lines up the columns, so that the text is a table already. The first is words, the others are numbers. */
function table(head: string[], rows: string[][]): string {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: string[]) =>
    `| ${cells.map((cell, column) => (column ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join(" | ")} |`;
  const rule = widths.map((width, column) => (column ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** 12,345 */
const whole = (value: number) => Math.round(value).toLocaleString("en-US");

function grouped<Row>(rows: Row[], key: (row: Row) => string): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return [...groups.values()];
}
