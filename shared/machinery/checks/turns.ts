// Decides when each check runs. A check mostly waits, so many run beside each other. A server that starts keeps a core
// busy, so no more start at the same time than there are cores. A check for which the computer was too busy runs
// again later, beside fewer others.
import { availableParallelism } from "node:os";

const cores = availableParallelism();

/** Runs what is given to it in turn, at most `places` at the same time. */
function makeQueue(places: number) {
  const waiting: { most: number; start(): Promise<unknown> }[] = [];
  const running: number[] = [];

  function startNext() {
    const [first] = waiting;
    if (!first || running.length >= Math.min(first.most, ...running)) return;
    waiting.shift();
    running.push(first.most);
    void first.start().then(() => {
      running.splice(running.indexOf(first.most), 1);
      startNext();
    });
    startNext();
  }

  return <Value>(work: () => Promise<Value>, most = places): Promise<Value> =>
    new Promise((resolve, reject) => {
      waiting.push({ most, start: () => work().then(resolve, reject) });
      startNext();
    });
}

/** Calls `work`, a check, in its turn: beside many others, or beside so few that there are at most `most`. @returns what it returns */
export const inTurn = makeQueue(9 * cores);

/** Calls `work`, the start of a server, in its turn. @returns what it returns */
export const startInTurn = makeQueue(cores);
