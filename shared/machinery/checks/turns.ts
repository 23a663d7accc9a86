// Whose turn it is. Most of a check is waiting, so several run beside each other. But a crowd of servers that start at
// the same moment keeps the computer busy, and what it was too busy to tell runs again, alone.
import { availableParallelism } from "node:os";

const places = 2 * availableParallelism() + 1;

const waiting: { alone: boolean; start(): Promise<unknown> }[] = [];
let underWay = 0;
let oneIsAlone = false;

/**
 * Calls `work` in its turn: beside others, or `alone`, when all that came before it is over.
 * @returns what `work` returns
 */
export function inTurn<Value>(work: () => Promise<Value>, { alone = false } = {}): Promise<Value> {
  return new Promise((resolve, reject) => {
    waiting.push({ alone, start: () => work().then(resolve, reject) });
    startNext();
  });
}

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
