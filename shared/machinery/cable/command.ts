// What a panel may ask for: everything else is answered with what is wrong and what would be right.
import type { Command, FromPanel } from "./protocol.ts";

type Check = { wants: string; ok(value: unknown): boolean };

const whole = (from: number, to: number, unit: string): Check => ({
  wants: `a whole number from ${from} to ${to}${unit}`,
  ok: (value) => Number.isSafeInteger(value) && Number(value) >= from && Number(value) <= to,
});
const oneOf = (...words: string[]): Check => ({
  wants: words.map((word) => `"${word}"`).join(" or "),
  ok: (value) => words.includes(String(value)) && typeof value === "string",
});
const orNull = (check: Check): Check => ({
  wants: `${check.wants}, or null`,
  ok: (value) => value === null || check.ok(value),
});

const connection = whole(1, Number.MAX_SAFE_INTEGER, "");
const direction = oneOf("both", "up", "down");
const ms = whole(0, 60_000, " ms");

const commands: Record<Command["command"], { must?: Record<string, Check>; may?: Record<string, Check> }> = {
  close: { may: { connection } },
  reset: { may: { connection } },
  freeze: { may: { connection, direction } },
  delay: { must: { ms }, may: { jitterMs: ms, connection, direction } },
  throttle: {
    must: { bytesPerSecond: orNull(whole(1, 1_000_000_000, " bytes a second")) },
    may: { connection, direction },
  },
  refuse: {},
  heal: { may: { connection, frozen: oneOf("deliver", "drop") } },
  kill: {},
  restart: {},
  stop: { may: { forMs: whole(0, 600_000, " ms") } },
};

/** Throws an Error that says what is wrong; `id` of what could be read of it is kept for the reply. */
export function parseCommand(text: string): FromPanel {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new Error('Not JSON. Send for example {"command":"freeze"}.');
  }
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new Error('Not a command. Send for example {"command":"freeze"}.');
  const { command: name, id, ...fields } = given as Record<string, unknown>;
  const reject = (why: string) => {
    throw Object.assign(new Error(why), Number.isSafeInteger(id) && { id });
  };
  if (id !== undefined && !Number.isSafeInteger(id)) reject("id has to be a whole number.");
  const known = Object.keys(commands).join(", ");
  // hasOwn: "constructor" is on every object, and is no command.
  if (typeof name !== "string" || !Object.hasOwn(commands, name))
    return reject(`No such command. There is: ${known}.`);
  const { must = {}, may = {} } = commands[name as Command["command"]];
  const all: Record<string, Check> = { ...must, ...may };
  for (const [field, value] of Object.entries(fields)) {
    const check = Object.hasOwn(all, field) ? all[field] : undefined;
    if (!check) {
      reject(
        `${name} has no field "${field.slice(0, 40)}". It may have: ${Object.keys(all).join(", ") || "none"}.`,
      );
    } else if (!check.ok(value)) reject(`${field} has to be ${check.wants}.`);
  }
  for (const [field, check] of Object.entries(must))
    if (!Object.hasOwn(fields, field)) reject(`${name} needs ${field}: ${check.wants}.`);
  return given as FromPanel;
}
