// What a panel may ask for. Anything else is answered with what is wrong and what would be right.
import * as v from "valibot";

const number = (from: number, to: number, unit: string) =>
  `a whole number from ${from} to ${to}${unit && ` ${unit}`}`;
/** The description is part of the answer to a command that is wrong. */
const whole = (from: number, to: number, unit = "") =>
  v.pipe(
    v.number(),
    v.safeInteger(),
    v.minValue(from),
    v.maxValue(to),
    v.description(number(from, to, unit)),
  );
const oneOf = <const Words extends string[]>(...words: Words) =>
  v.pipe(v.picklist(words), v.description(words.map((word) => `"${word}"`).join(" or ")));

/** One connection, by its number. Without it, a command is for all of them. */
const connection = v.exactOptional(whole(1, Number.MAX_SAFE_INTEGER));
const direction = v.exactOptional(oneOf("both", "up", "down"));
const ms = whole(0, 60_000, "ms");
const jitterMs = v.exactOptional(ms);
const mostBytes = 1_000_000_000;
const bytesPerSecond = v.pipe(
  v.nullable(whole(1, mostBytes)),
  v.description(`${number(1, mostBytes, "bytes a second")}, or null`),
);

/** A panel numbers its commands if it wants to know which reply belongs to which. */
const id = v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.description("a whole number")));

const FromPanel = v.variant("command", [
  v.strictObject({ command: v.literal("close"), id, connection }),
  v.strictObject({ command: v.literal("reset"), id, connection }),
  v.strictObject({ command: v.literal("freeze"), id, connection, direction }),
  v.strictObject({ command: v.literal("delay"), id, ms, jitterMs, connection, direction }),
  v.strictObject({ command: v.literal("throttle"), id, bytesPerSecond, connection, direction }),
  v.strictObject({ command: v.literal("refuse"), id }),
  v.strictObject({
    command: v.literal("heal"),
    id,
    connection,
    frozen: v.exactOptional(oneOf("deliver", "drop")),
  }),
  v.strictObject({ command: v.literal("kill"), id }),
  v.strictObject({ command: v.literal("restart"), id }),
  v.strictObject({ command: v.literal("stop"), id, forMs: v.exactOptional(whole(0, 600_000, "ms")) }),
]);

export type FromPanel = v.InferOutput<typeof FromPanel>;

/** Throws an Error that says what is wrong. It has the command's `id`, as far as that could be read, for the reply. */
export function parseCommand(text: string): FromPanel {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new Error('Not JSON. Send for example {"command":"freeze"}.');
  }
  const { success, output, issues } = v.safeParse(FromPanel, given);
  if (success) return output;
  const readId = v.safeParse(v.object({ id }), given);
  throw Object.assign(new Error(whatIsWrong(issues[0])), readId.success && readId.output);
}

function whatIsWrong({ type, path, expected }: v.InferIssue<typeof FromPanel>): string {
  const [item] = path ?? [];
  if (item?.type !== "object" || Array.isArray(item.input))
    return 'Not a command. Send for example {"command":"freeze"}.';
  const { command } = item.input;
  const known = FromPanel.options.find(({ entries }) => entries.command.literal === command);
  if (!known || type === "variant") {
    const all = FromPanel.options.map(({ entries }) => entries.command.literal);
    return `No such command. The commands are: ${all.join(", ")}.`;
  }
  const { command: _, ...own }: Record<string, v.GenericSchema> = known.entries;
  const { id: __, ...fields } = own;
  const field = String(item.key);
  if (expected === "never")
    return `${command} has no field "${field.slice(0, 40)}". It may have: ${Object.keys(fields).join(", ") || "none"}.`;
  const right = describe(own[field]);
  return item.origin === "key" ? `${command} needs ${field}: ${right}.` : `${field} has to be ${right}.`;
}

function describe(schema: v.GenericSchema | undefined): string | undefined {
  const inner = schema && "wrapped" in schema ? (schema.wrapped as v.GenericSchema) : schema;
  return inner && v.getDescription(inner);
}
