// The room: who has which results. Bounded, kept on disk, and the same after a restart.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { Name } from "../../both/message.ts";
import { HttpError } from "../../server/http.ts";
import { Names } from "../../server/names.ts";
import { root } from "../launcher/lessons.ts";

/** `unsure`: the learner's computer was too busy to tell. */
export type Outcome = "pass" | "fail" | "unsure";

/** One outcome for each check of the exercise, in the order of check.ts. None: a file doesn't compile. */
export type Results = Outcome[];

/** What the page shows of one learner. `at` is in milliseconds since 1970, by this computer's clock. */
export type Person = { id: number; name: string; lessons: Record<string, { results: Results; at: number }> };

/** The exercises of the workshop: for each lesson's folder, how many checks it has. */
export type Exercises = ReadonlyMap<string, number>;

/** Learners in one room. */
export const mostPeople = 500;
/** Of those, learners from one address. A whole class may have one, but a single computer can't fill the room. */
export const mostOfAddress = mostPeople / 2;

const Key = v.pipe(v.string(), v.regex(/^[a-z0-9]{16,40}$/, "must be 16 to 40 letters and digits."));
const ListOfResults = v.pipe(v.array(v.picklist(["pass", "fail", "unsure"])), v.maxLength(100));
/** What a learner sends. `key` is random: with it two Adas stay two, and nobody can send in another's name. */
const Report = v.strictObject({
  key: Key,
  name: Name,
  lessons: v.pipe(
    v.array(v.strictObject({ lesson: v.pipe(v.string(), v.maxLength(40)), results: ListOfResults })),
    v.minLength(1),
    v.maxLength(50),
  ),
});

const Lesson = v.object({ results: ListOfResults, at: v.number() });
const Kept = v.object({
  isOpen: v.boolean(),
  people: v.pipe(
    v.array(v.object({ key: Key, name: v.string(), lessons: v.record(v.string(), Lesson) })),
    v.maxLength(mostPeople),
  ),
});

export class Grid {
  /** Called with each learner whose row has changed. */
  onchange: (person: Person) => void = () => {};
  /** Whether learners who are not here yet may come in. */
  isOpen = true;
  readonly #exercises: Exercises;
  readonly #people = new Map<string, Person>();
  /** By the learners' keys. */
  readonly #names = new Names<string>();
  /** From where each learner came in, by key. Not kept on disk. */
  readonly #addresses = new Map<string, string>();
  #lastId = 0;

  constructor(exercises: Exercises) {
    this.#exercises = exercises;
  }

  get people(): Person[] {
    return [...this.#people.values()];
  }

  /**
   * Takes what a learner has sent from `address`, and returns the name under which the room shows it: "Ada (2)" for a second Ada.
   * @throws {HttpError} 403 when no one else may come in, 422 for another version's exercises, 503 when the room or the
   * address's share of it is full
   * @throws {v.ValiError} when it isn't a report
   */
  take(report: unknown, address: string): string {
    const { key, name, lessons } = v.parse(Report, report);
    for (const { lesson, results } of lessons) this.#check(lesson, results);
    let person = this.#people.get(key);
    if (!person) {
      if (!this.isOpen) throw new HttpError(403, "The room accepts no new names right now.");
      if (this.#people.size >= mostPeople) throw new HttpError(503, `The room is full: ${mostPeople} names.`);
      const fromThere = [...this.#addresses.values()].filter((other) => other === address);
      if (fromThere.length >= mostOfAddress)
        throw new HttpError(503, `The room has ${mostOfAddress} names from your address already.`);
      this.#addresses.set(key, address);
      person = { id: ++this.#lastId, name: "", lessons: {} };
      this.#people.set(key, person);
    }
    person.name = this.#names.claim(key, name);
    for (const { lesson, results } of lessons) person.lessons[lesson] = { results, at: Date.now() };
    this.onchange(person);
    return person.name;
  }

  #check(lesson: string, results: Results) {
    const checks = this.#exercises.get(lesson);
    const version = "Do you have a different version of the workshop?";
    if (checks === undefined)
      throw new HttpError(422, `There is no exercise ${lesson} in this room. ${version}`);
    if (results.length !== checks && results.length !== 0)
      throw new HttpError(
        422,
        `${lesson} has ${checks} checks in this room, not ${results.length}. ${version}`,
      );
  }

  /** A learner who is removed comes back with the next check, if the room is open. */
  remove(id: number) {
    for (const [key, person] of this.#people)
      if (person.id === id) {
        this.#names.release(key);
        this.#addresses.delete(key);
        this.#people.delete(key);
      }
  }

  clear() {
    for (const key of this.#people.keys()) this.#names.release(key);
    this.#addresses.clear();
    this.#people.clear();
  }

  /** The grid as text, to be kept. */
  toText(): string {
    const people = [...this.#people].map(([key, { name, lessons }]) => ({ key, name, lessons }));
    return `${JSON.stringify({ isOpen: this.isOpen, people })}\n`;
  }

  /** Takes what `toText` gave. Results of exercises that have changed since are left out. @throws when it is damaged */
  fromText(text: string) {
    const { isOpen, people } = v.parse(Kept, JSON.parse(text));
    this.isOpen = isOpen;
    for (const { key, name, lessons } of people) {
      const fits = Object.entries(lessons).filter(
        ([lesson, { results }]) =>
          [0, this.#exercises.get(lesson)].includes(results.length) && this.#exercises.has(lesson),
      );
      this.#people.set(key, {
        id: ++this.#lastId,
        name: this.#names.claim(key, name),
        lessons: Object.fromEntries(fits),
      });
    }
  }
}

const file = join(root, ".workshop", "room", "grid.json");

/** Reads the saved grid into an empty one. A damaged file is set aside, and its new name returned. */
export function loadGrid(grid: Grid): string | undefined {
  if (!existsSync(file)) return;
  try {
    grid.fromText(readFileSync(file, "utf8"));
  } catch {
    return setAside("damaged");
  }
}

/** Writes the grid to disk. A computer that stops in the middle leaves the last saved grid. */
export function saveGrid(grid: Grid): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, grid.toText());
  renameSync(`${file}.new`, file);
}

/** Keeps the grid's file under another name: "grid-emptied-1763748000000.json". */
export function setAside(why: "damaged" | "emptied"): string | undefined {
  if (!existsSync(file)) return;
  const name = file.replace(/\.json$/, `-${why}-${Date.now()}.json`);
  renameSync(file, name);
  return name;
}
