// Sequence diagrams from a few words: page on the left, server on the right, time runs downward, one step at a time.
//
//   page | server                      the lanes, from left to right
//   page -> server: GET /messages      something travels; an x before the colon: it never arrives
//   server -> Ada, Grace: tick         to several lanes
//   server -> page +2: 200 [42]        it takes two rows more than usual, and may be overtaken
//   hold server: nothing new           the server keeps the question from here to its next answer
//   note page: two lines / of text     said beside a lane
//   event server: Ada says "Hello"     something comes from outside
//   between: one second                time passes
//   gap: nobody is waiting             a stretch of time that is dangerous
//   cut: the cable is pulled           from here on nothing passes
//   & …                                before any of these: appears together with the one above

export type Size = { width: number; height: number };

type Step = { kind: string; text: string; from: string; to: string[]; lost: boolean; more: number };

/** Of a letter beside a lane; a little more than most fonts take. */
const letterWidth = 11.5;

/** The diagram as SVG, each step a fragment of reveal.js. Throws a line that says what it could not read. */
export function drawSequence(source: string, alt: string, { width, height }: Size): string {
  const [first = "", ...rest] = source
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const lanes = first.split("|").map((name) => name.trim());
  const steps = rest.map((line) => ({
    together: line.startsWith("&"),
    ...read(line.replace(/^& */, ""), lanes),
  }));

  const side = (where: "left" | "right") => {
    const lane = where === "left" ? lanes[0] : lanes.at(-1);
    const texts = steps.filter(({ kind, from }) => ["note", "event", "hold"].includes(kind) && from === lane);
    const widest = Math.max(0, ...texts.flatMap(({ text }) => textLines(text)).map((text) => text.length));
    return Math.max(70, widest * letterWidth + 48);
  };
  const left = side("left");
  const right = width - side("right");
  const x = (lane: string) => left + (lanes.indexOf(lane) * (right - left)) / Math.max(1, lanes.length - 1);

  const top = 58;
  const rows = steps.reduce((sum, step) => sum + heightOf(step), 0) + 0.5;
  const row = Math.min(72, (height - top - 16) / rows);
  const slope = Math.min(14, row * 0.26);
  const bottom = top + rows * row;

  const parts: string[] = [];
  let y = top + row * 0.5;
  let index = -1;
  const held = new Map<string, number>();
  for (const step of steps) {
    if (!step.together) index++;
    const draw = drawers[step.kind];
    if (!draw) throw new Error(`A diagram has no "${step.kind}".`);
    const begun = held.get(step.from);
    let bar = "";
    if (begun !== undefined && step.kind === "message") {
      held.delete(step.from);
      const tall = y - begun;
      bar = `<rect class="held" x="${x(step.from) - 8}" y="${begun}" width="16" height="${tall}" rx="4"/>`;
    }
    if (step.kind === "hold") held.set(step.from, y - row * 0.25);
    const place = { lanes, x, y, row, slope, left, right, isLast: step.from === lanes.at(-1) };
    parts.push(`<g class="fragment" data-fragment-index="${index}">${bar}${draw(step, place)}</g>`);
    y += row * heightOf(step);
  }

  const lines = lanes.map(
    (lane) =>
      `<text class="lane" x="${x(lane)}" y="26">${escapeXml(lane)}</text>` +
      `<path class="life" d="M${x(lane)} 42V${bottom - 8}"/>` +
      `<path class="life-end" d="M${x(lane) - 7} ${bottom - 12}l7 12l7 -12z"/>`,
  );
  return (
    `<figure class="sequence"><svg viewBox="0 0 ${width} ${Math.ceil(bottom + 6)}" role="img" ` +
    `aria-label="${escapeXml(alt)}">${lines.join("")}${parts.join("")}</svg></figure>`
  );
}

/** In rows. */
const heightOf = ({ text }: Step) => 1 + Math.max(0, textLines(text).length - 2) * 0.4;

function read(line: string, lanes: string[]): Step {
  const [, kind, head = "", text = ""] =
    line.match(/^(?:(hold|note|event|between|gap|cut)\b *)?([^:]*?) *: *(.*)$/) ?? [];
  const [from = "", target = ""] = head.split("->").map((part) => part.trim());
  const [, names = "", lost, more = "0"] = target.match(/^(.*?)( x)?(?: \+(\d))?$/) ?? [];
  const to = names ? names.split(",").map((name) => name.trim()) : [];
  for (const lane of [from, ...to])
    if (lane && !lanes.includes(lane)) throw new Error(`A diagram has no lane "${lane}".`);
  if (!kind && to.length === 0) throw new Error(`A diagram cannot read "${line}".`);
  return { kind: kind ?? "message", text, from, to, lost: Boolean(lost), more: Number(more) };
}

/** Where a step is drawn: all in the units of the picture. */
type Place = {
  lanes: string[];
  x(lane: string): number;
  y: number;
  row: number;
  slope: number;
  left: number;
  right: number;
  isLast: boolean;
};

const drawers: Record<string, (step: Step, place: Place) => string> = {
  message({ from, to, text, lost, more }, { lanes, x, y, row, slope }) {
    const start = x(from);
    const farthest = to.reduce((a, b) => (Math.abs(x(b) - start) > Math.abs(x(a) - start) ? b : a));
    const ends = to.map((lane) => x(lane));
    const end = x(farthest);
    const fall = slope + more * row;
    const toward = Math.sign(end - start);
    const at = (place: number) => y + (fall * (place - start)) / (end - start);
    const stop = lost ? start + (end - start) * 0.62 : end - toward * 3;
    const turn = (Math.atan2(fall, end - start) * 180) / Math.PI;
    const heads = lost
      ? `<path class="cross" d="M${stop - 9} ${at(stop) - 9}l18 18m0 -18l-18 18"/>`
      : ends
          .map((place) => {
            const tip = place - toward * 2;
            return `<path class="head" d="M0 0l-16 -7v14z" transform="translate(${tip} ${at(tip)}) rotate(${turn})"/>`;
          })
          .join("");
    // On its line, before the first lane that it passes; nearer to the sender when it is overtaken.
    const first = lost
      ? stop
      : lanes
          .map(x)
          .reduce(
            (a, b) => (toward * (b - start) > 0 && Math.abs(b - start) < Math.abs(a - start) ? b : a),
            end,
          );
    const middle = start + (first - start) * (more ? 0.3 : 0.5);
    const words = `<text class="wire" x="${middle}" y="${at(middle) - 9}">${escapeXml(text)}</text>`;
    const line = `<path class="travel" pathLength="1" d="M${start} ${y}L${stop} ${at(stop)}"/>`;
    return `<g class="${lost ? "lost" : "sent"}">${line}${heads}${words}</g>`;
  },
  hold({ from, text }, place) {
    return beside(text, place.x(from), place.y, place.isLast, 20);
  },
  note({ from, text }, place) {
    return beside(text, place.x(from), place.y, place.isLast, 20);
  },
  event({ from, text }, { x, y, isLast }) {
    const toward = isLast ? -1 : 1;
    const tip = x(from) - toward * 4;
    const arrow =
      `<path class="event" d="M${tip - toward * 34} ${y}H${tip}"/>` +
      `<path class="event-head" d="M${tip} ${y}l${-toward * 13} -6v12z"/>`;
    return arrow + beside(text, x(from), y, isLast, 46);
  },
  between({ text }, { y, left, right, row }) {
    const middle = (left + right) / 2;
    return `<text class="between" x="${middle}" y="${y + row * 0.1}">${escapeXml(text)}</text>`;
  },
  gap({ text }, { y, left, right, row }) {
    const [from, tall] = [y - row * 0.28, row * 0.72];
    const middle = (left + right) / 2;
    return (
      `<rect class="gap" x="${left}" y="${from}" width="${right - left}" height="${tall}"/>` +
      `<text class="between failed" x="${middle}" y="${from + tall / 2 + 7}">${escapeXml(text)}</text>`
    );
  },
  cut({ text }, { y, left, right }) {
    const middle = (left + right) / 2;
    const half = (text.length + 4) * 5.6;
    return (
      `<path class="cut" d="M${left - 20} ${y}H${middle - half}M${middle + half} ${y}H${right + 20}"/>` +
      `<text class="between failed" x="${middle}" y="${y + 7}">✂ ${escapeXml(text)}</text>`
    );
  },
};

function beside(text: string, x: number, y: number, isLast: boolean, away: number): string {
  const lines = textLines(text);
  const place = isLast ? x + away : x - away;
  const up = ((lines.length - 1) * 27) / 2;
  const spans = lines.map(
    (line, index) => `<tspan x="${place}" dy="${index ? 27 : 0}">${escapeXml(line)}</tspan>`,
  );
  return `<text class="note ${isLast ? "right" : "left"}" y="${y + 7 - up}">${spans.join("")}</text>`;
}

const textLines = (text: string) => text.split(" / ");

/** `text` as the content of an XML element or attribute. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
