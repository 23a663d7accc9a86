// The room's page: draws the grid, and what fails most. It imports nothing, since the room's server serves no other file.
import type { Person } from "./grid.ts";
import type { Changed, Everything, Exercise } from "./protocol.ts";

const find = <E extends Element = HTMLElement>(selector: string) => document.querySelector(selector) as E;
const body = find<HTMLTableSectionElement>(".grid tbody");
/** Scrolls by itself, so that it has to be reached by the keyboard. */
const list = find(".failing ol");
list.tabIndex = 0;

let exercises: Exercise[] = [];
/** Those that somebody has begun. */
let columns: Exercise[] = [];
const people = new Map<number, Person>();
const rows = new Map<number, HTMLTableRowElement>();
let isOpen = true;
/** Where learners send their results; undefined while the network can't reach this room. */
let address: string | undefined;
/** What the right side is about: an exercise, of everyone or of one. Follows the latest result until somebody chooses. */
let chosen: { folder: string; id?: number } | undefined;
let hasChosen = false;

const collator = new Intl.Collator(undefined, { numeric: true });
const byName = (a: Person, b: Person) => collator.compare(a.name, b.name) || a.id - b.id;

const events = new EventSource("/events");
events.onopen = () => showStatus("open", "open");
events.onerror = () => showStatus("reconnecting", "reconnecting: the room's terminal may be closed");
events.addEventListener("everything", ({ data }) => {
  const everything: Everything = JSON.parse(data);
  ({ exercises, isOpen } = everything);
  people.clear();
  for (const person of everything.people) people.set(person.id, person);
  if (chosen?.id !== undefined && !people.has(chosen.id)) chosen = undefined;
  ({ address } = everything);
  find("[name=open]").textContent = isOpen ? "Let nobody else in" : "Let others in again";
  drawHead();
  drawRows();
  drawRest();
});
events.addEventListener("changed", ({ data }) => {
  const changed: Changed = JSON.parse(data);
  for (const person of changed) people.set(person.id, person);
  if (drawHead()) drawRows();
  else for (const person of changed) drawRow(person);
  drawRest();
});

function showStatus(state: string, text: string) {
  const status = find(".status");
  status.dataset.state = state;
  if (status.textContent !== text) status.textContent = text;
}

/** One column for each exercise that somebody has begun. Returns whether there are others than before. */
function drawHead(): boolean {
  const begun = exercises.filter(({ folder }) => [...people.values()].some(({ lessons }) => lessons[folder]));
  const before = columns.map(({ folder }) => folder).join();
  columns = begun;
  if (before === columns.map(({ folder }) => folder).join() && find(".grid thead th")) return false;
  const cells = columns.map(({ folder, number, title }) => {
    const button = element("button", { type: "button", title }, String(number));
    button.setAttribute("aria-label", `Lesson ${number}, ${title}`);
    button.onclick = () => choose(folder);
    button.dataset.folder = folder;
    const cell = element("th", { scope: "col" });
    cell.append(button);
    return cell;
  });
  find(".grid thead tr").replaceChildren(element("th", { scope: "col" }, "name"), ...cells);
  return true;
}

function choose(folder: string, id?: number) {
  hasChosen = true;
  chosen = { folder, ...(id !== undefined && { id }) };
  drawRest();
}

function drawRows() {
  rows.clear();
  body.replaceChildren();
  for (const person of [...people.values()].sort(byName)) {
    const row = element("tr");
    rows.set(person.id, row);
    fill(row, person);
    body.append(row);
  }
}

/** Changes one row, and puts it in its place. */
function drawRow(person: Person) {
  const before = rows.get(person.id);
  const row = before ?? element("tr");
  const isMoved = row.querySelector("bdi")?.textContent !== person.name;
  rows.set(person.id, row);
  fill(row, person);
  if (!isMoved) return;
  const next = [...people.values()].sort(byName);
  const after = next[next.indexOf(person) + 1];
  body.insertBefore(row, (after && rows.get(after.id)) ?? null);
}

function fill(row: HTMLTableRowElement, person: Person) {
  const name = element("th", { scope: "row" });
  // textContent, never innerHTML: a name may look like HTML. <bdi>: it may be written from right to left.
  name.append(element("bdi", {}, person.name));
  const focused = row.contains(document.activeElement) ? document.activeElement : undefined;
  const folder = (focused as HTMLElement | undefined)?.dataset.folder;
  row.replaceChildren(name, ...columns.map((exercise) => cellOf(person, exercise)));
  if (folder) row.querySelector<HTMLElement>(`[data-folder="${folder}"]`)?.focus();
}

function cellOf(person: Person, { folder, number }: Exercise): HTMLElement {
  const cell = element("td");
  const results = person.lessons[folder]?.results;
  if (!results) return cell;
  const passed = results.filter((one) => one === "pass").length;
  const words =
    results.length === 0
      ? "a file doesn't compile"
      : `${passed} of ${results.length} checks pass, ${results.length - passed} don't`;
  const button = element("button", { type: "button" });
  button.dataset.folder = folder;
  button.setAttribute("aria-label", `${person.name}, lesson ${number}: ${words}`);
  button.onclick = () => choose(folder, person.id);
  if (results.length === 0) button.append(element("span", { className: "broken" }, "✕"));
  else if (passed === results.length) button.append(element("span", { className: "done" }, "✓"));
  else {
    const bar = element("span", { className: "bar" });
    bar.style.setProperty("--share", `${(100 * passed) / results.length}%`);
    button.append(bar, element("span", { className: "count" }, String(results.length - passed)));
  }
  cell.append(button);
  return cell;
}

/** The numbers and the right side. */
function drawRest() {
  const latest = latestResult();
  if (!hasChosen || !chosen) chosen = latest ? { folder: latest.folder } : undefined;
  const exercise = exercises.find(({ folder }) => folder === chosen?.folder) ?? exercises[0];
  for (const button of document.querySelectorAll<HTMLElement>(".grid thead button")) {
    button.setAttribute("aria-pressed", String(button.dataset.folder === exercise?.folder));
  }
  write("learners", String(people.size));
  find(".empty").hidden = people.size > 0;
  drawClock();
  if (!exercise) return;
  find(".join").hidden = !address;
  const command = `npm run check ${exercise.number} -- --room=${address}`;
  if (find(".join code").textContent !== command) find(".join code").textContent = command;
  const began = [...people.values()].filter(({ lessons }) => lessons[exercise.folder]);
  const done = began.filter((person) => isDone(person, exercise.folder));
  write("done", `${done.length} of ${people.size}`);
  write("done-label", `have done exercise ${exercise.number}`);
  const one = chosen?.id === undefined ? undefined : people.get(chosen.id);
  find(".selected").hidden = !one;
  if (one) drawOne(one, exercise);
  else drawEveryone(began, exercise);
}

function isDone({ lessons }: Person, folder: string): boolean {
  const results = lessons[folder]?.results ?? [];
  return results.length > 0 && results.every((one) => one === "pass");
}

function drawEveryone(began: Person[], { folder, number, title, exercise, checks }: Exercise) {
  find("#what").textContent = `What still fails: ${number} · ${title}`;
  const broken = began.filter(({ lessons }) => lessons[folder]?.results.length === 0);
  const failures = checks.map((check, n) => ({
    check,
    who: began.filter(({ lessons }) => lessons[folder]?.results[n] === "fail").sort(byName),
  }));
  if (broken.length > 0) failures.push({ check: "a file doesn't compile", who: broken.sort(byName) });
  const shown = failures.filter(({ who }) => who.length > 0).sort((a, b) => b.who.length - a.who.length);
  find(".explains").textContent =
    began.length === 0
      ? `${exercise}: nobody has checked it yet.`
      : `${exercise}: ${began.length} of ${people.size} have checked it. ` +
        (shown.length > 0 ? "Most failures first." : "Nothing fails.");
  list.replaceChildren(
    ...shown.map(({ check, who }) => {
      const entry = element("li");
      const share = element("span", { className: "share" });
      share.style.setProperty("--share", `${(100 * who.length) / began.length}%`);
      const names = element("span", { className: "names" });
      for (const [n, { name }] of who.slice(0, 8).entries())
        names.append(n > 0 ? ", " : "", element("bdi", {}, name));
      if (who.length > 8) names.append(` and ${who.length - 8} more`);
      entry.append(
        element("strong", {}, `${who.length}`),
        element("span", { className: "check" }, check),
        share,
        names,
      );
      return entry;
    }),
  );
}

function drawOne(person: Person, { folder, number, checks, exercise }: Exercise) {
  const title = find("#what");
  title.replaceChildren(element("bdi", {}, person.name), `, exercise ${number}`);
  const { results, at } = person.lessons[folder] ?? { results: undefined, at: 0 };
  const when = results ? ` Checked at ${new Date(at).toLocaleTimeString()}.` : " Not checked yet.";
  const broken = results?.length === 0 ? " A file doesn't compile." : "";
  find(".explains").textContent = `${exercise}.${when}${broken}`;
  const words = { pass: "✓", fail: "✕", unsure: "?" };
  list.replaceChildren(
    ...(results?.length ? checks : []).map((check, n) => {
      const result = results?.[n] ?? "unsure";
      const entry = element("li", { className: result });
      entry.append(element("strong", {}, words[result]), element("span", { className: "check" }, check));
      return entry;
    }),
  );
  find("[name=remove]").textContent = `Remove ${person.name}`;
}

function latestResult(): { folder: string; at: number } | undefined {
  const all = [...people.values()].flatMap(({ lessons }) =>
    Object.entries(lessons).map(([folder, { at }]) => ({ folder, at })),
  );
  return all.reduce<{ folder: string; at: number } | undefined>(
    (latest, one) => (latest && latest.at >= one.at ? latest : one),
    undefined,
  );
}

function drawClock() {
  const latest = latestResult();
  if (!latest) return write("latest", "none yet");
  const seconds = Math.max(0, Math.round((Date.now() - latest.at) / 1_000));
  const [value, unit] =
    seconds < 60
      ? [seconds, "s"]
      : seconds < 3_600
        ? [Math.floor(seconds / 60), "min"]
        : [Math.floor(seconds / 3_600), "h"];
  write("latest", `${value} ${unit}`);
}
setInterval(drawClock, 1_000);

function write(name: string, text: string) {
  const place = find(`[data-number="${name}"]`);
  if (place.textContent !== text) place.textContent = text;
}

async function post(path: string, content: object) {
  const headers = { "Content-Type": "application/json" };
  await fetch(path, { method: "POST", headers, body: JSON.stringify(content) }).catch(() => {});
}

find("[name=everyone]").onclick = () => {
  if (chosen) choose(chosen.folder);
};
find("[name=remove]").onclick = () => {
  if (chosen?.id !== undefined) void post("/remove", { id: chosen.id });
};
find("[name=open]").onclick = () => void post("/open", { isOpen: !isOpen });
find("[name=empty]").onclick = () => {
  if (confirm("Remove all names and results from the room? A copy stays in .workshop/room."))
    void post("/empty", {});
};

function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
  text?: string,
): HTMLElementTagNameMap[Tag] {
  const made = Object.assign(document.createElement(tag), properties);
  if (text !== undefined) made.textContent = text;
  return made;
}
