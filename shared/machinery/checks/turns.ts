// Whose turn it is. Most of a check is waiting, so many run beside each other. But servers that start keep the computer
// busy, so they start one after the other and leave a core for the checks that run. What the computer was still too busy
// to tell runs again, alone.
import { availableParallelism } from "node:os";

const cores = availableParallelism();

/** Runs what is given to it in turn, at most `places` at the same time. */
function makeQueue(places: number) {
  const waiting: { alone: boolean; start(): Promise<unknown> }[] = [];
  let underWay = 0;
  let oneIsAlone = false;

  function startNext() {
    const [first] = waiting;
    if (!first || oneIsAlone || underWay >= (first.alone ? 1 : places)) return;
    waiting.shift();
    underWay++;
    oneIsAlone = first.alone;
    void first.start().then(() => {
      underWay--;
      oneIsAlone = false;
      startNext();
    });
    startNext();
  }

  return <Value>(work: () => Promise<Value>, { alone = false } = {}): Promise<Value> =>
    new Promise((resolve, reject) => {
      waiting.push({ alone, start: () => work().then(resolve, reject) });
      startNext();
    });
}

/**
 * Calls `work`, a check, in its turn: beside others, or `alone`, when all that came before it is over.
 * @returns what `work` returns
 */
export const inTurn = makeQueue(6 * cores);

/** Calls `work`, the start of a server, in its turn. @returns what `work` returns */
export const startInTurn = makeQueue(Math.max(1, cores - 1));
