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
    "Messages are 100 bytes of JSON, published at random moments. Bytes (both ways, with all headers), requests and the server's CPU time are for each message that reached a client. The CPU time includes the work of receiving the message from its publisher. Late: from publishing to arrival, for half of the messages (p50) and for 99 in 100 (p99). A browser's request has about 500 more bytes of headers.",
    ...grouped(pointers, (row) => `${row.pointers}`).flatMap(pointersTable),
    "Every pointer moves 60 times a second. Bytes and messages are those that each client receives, with the headers of frames. 1,000 ms of CPU in a second is a whole core. Late: from hand to screen, for 95 in 100 of the pointers that a screen shows. The naive way is measured with slower pointers, and its figures are multiplied, because no core can do it at full speed.",
    ...crowds.flatMap(fanOutTable),
    `Deliveries a second: by the clock, with server and clients on one machine. "Against" compares them with the ${plainest}. A CPU second: deliveries for one second of the server's own CPU time. A connection: its heap and buffers at rest, without the kernel's memory.`,
    ...grouped(oneWrite, (row) => `${row.together}`).flatMap(oneWriteTable),
    `Each time, as many messages are sent together as the table's heading says. The next ones follow when every client has them. "Times" compares the ways with the first one, the way of many demos. Late: from saying to arrival, for half of the messages (p50) and for 99 in 100 (p99).`,
    ...grouped(returns, (row) => `${row.awaySeconds} ${row.clients}`).flatMap(returnTable),
    "The worst 100 ms: the largest share of the clients whose attempts fell within one such span.",
    "## Half-open connections",
    table(
      ["who notices", "tries", "median", "worst", "promised"],
      halfOpen.sides.map(({ side, tries, median, worst, promised }) => [
        `the ${side}`,
        whole(tries),
        ...[median, worst, promised].map((seconds) => `${seconds.toFixed(1)} s`),
      ]),
    ),
    `Lesson 5 with all its times ${halfOpen.shortened} times shorter. The table multiplies the results by the same factor.`,
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
      ["", "bytes", "requests", "late, p50", "late, p99", "server's CPU"],
      rows.map(({ transport, bytes, requests, p50, p99, cpuUs }) => [
        transport,
        whole(bytes),
        `${requests}`,
        `${p50} ms`,
        `${p99} ms`,
        `${whole(cpuUs)} µs`,
      ]),
    ),
  ];
}

function pointersTable(rows: Pointers[]): string[] {
  return [
    `## Pointers: ${whole(rows[0]?.pointers ?? 0)} in one room`,
    table(
      ["in a second", "bytes", "messages", "server's CPU", "late, p95"],
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
      ["", "deliveries a second", "against", "a CPU second", "a connection"],
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
      ["", "deliveries a second", "times", "late, p50", "late, p99"],
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
      [`after ${awaySeconds} s away`, "worst 100 ms", "99 % back after"],
      rows.map(({ way, worst100Ms, backAfter }) => [
        way,
        `${Math.round(worst100Ms * 100)} %`,
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
