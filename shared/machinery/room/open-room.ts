// Opens the room: reads its grid, listens, and says what learners have to type.
import { createRequire } from "node:module";
import { atMostEvery } from "../../server/at-most-every.ts";
import type { Check } from "../checks/checks.ts";
import { lessonsWithExercise, pathOf } from "../checks/files.ts";
import { readReadme } from "../checks/readme.ts";
import { alsoListen, listenAddresses } from "../launcher/listen.ts";
import { wrap } from "../launcher/wrap.ts";
import { Grid, loadGrid, saveGrid, setAside } from "./grid.ts";
import type { Exercise } from "./protocol.ts";
import { roomServer } from "./server.ts";

const saveEveryMs = 1_000;

/**
 * Listens on this computer, and on the addresses in `lan`.
 * @throws when the port is taken
 */
export async function openRoom(port: number, lan: string[]): Promise<void> {
  const exercises = findExercises();
  const grid = new Grid(new Map(exercises.map(({ folder, checks }) => [folder, checks.length])));
  const damaged = loadGrid(grid);
  if (damaged) console.log(`The room's file could not be read. It is kept as\n${damaged}`);
  const save = () => {
    try {
      saveGrid(grid);
    } catch (error) {
      // The disk is full, or another program has the file open. The class goes on, and so does the room.
      console.error(wrap(`The grid could not be saved: ${(error as Error).message}`));
    }
  };
  const saveSoon = atMostEvery(saveEveryMs, save);

  const [hostname = "127.0.0.1", ...others] = listenAddresses();
  const [first] = lan;
  const room = first && `http://${first}:${port}`;
  const server = roomServer({
    grid,
    exercises,
    address: room,
    changed: saveSoon,
    beforeEmptying() {
      save();
      setAside("emptied");
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  await alsoListen(server, port, others);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => {
      save();
      process.exit(0);
    });
  console.log(describe(port, room, lan.slice(1), grid.people.length));
}

/** The exercises, with the titles of their checks: learners send numbers, and the room shows its own words. */
function findExercises(): Exercise[] {
  const require = createRequire(import.meta.url);
  return lessonsWithExercise().map((lesson) => {
    const { checks }: { checks: Check[] } = require(pathOf(lesson, "check.ts"));
    const { folder, number, title } = lesson;
    return {
      folder,
      number,
      title,
      exercise: readReadme(lesson).exercise,
      checks: checks.map((one) => one.title),
    };
  });
}

function describe(port: number, room: string | undefined, others: string[], people: number): string {
  const line = (name: string, text: string) => `  ${name.padEnd(10)}${wrap(text, 12)}`;
  const learners = people === 1 ? "1 learner" : `${people} learners`;
  return [
    "",
    line("Open", `http://localhost:${port}/  the grid, on this computer only`),
    ...(people > 0 ? [line("Kept", `${learners} from earlier. To remove them, press Empty the room.`)] : []),
    ...(room
      ? [
          line("Learners", `npm run check 3 -- --room=${room}`),
          line("", "They type it once. Their computers remember it, and each check sends its results."),
          ...(others.length > 0 ? [line("", `If that does not answer: ${others.join(" or ")}`)] : []),
          line("Network", "Everybody on this network can now send results, unencrypted."),
        ]
      : [
          line("Network", "closed: nobody else can send results. To open it: LAN=1 npm run room"),
          line("", "In PowerShell: $env:LAN=1; npm run room"),
          line("", "In cmd: set LAN=1&& npm run room"),
        ]),
    line("End", "Ctrl-C. The grid is kept."),
    "",
  ].join("\n");
}
