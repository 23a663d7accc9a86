// The words of the drawer: what is in force, for all connections and for single ones.
import { describe, expect, test } from "vitest";
import { noCounts } from "./entry.ts";
import { cableWords, connectionLabel, counted, serverChip, serverWords, sumWords } from "./panel-words.ts";
import type { Faults, FullState } from "./protocol.ts";

/** A cable with these faults, and a connection for each of `each`. */
function state(faults: Faults, each: Faults[] = [], refusing = false): FullState {
  return {
    refusing,
    faults,
    open: each.length,
    connections: each.map((one, index) => ({
      number: index + 1,
      openedMs: 0,
      speaks: "WebSocket",
      path: "/",
      faults: one,
      counts: noCounts(),
    })),
    counts: noCounts(),
    server: { process: "running" },
    nowMs: 0,
  };
}

const frozen: Faults = { freeze: "both" };
const delayed: Faults = { delay: { ms: 500, jitterMs: 0, direction: "both" } };

describe("what is in force", () => {
  test("is open without a fault", () => {
    expect(cableWords(state({}, [{}]))).toMatchObject({
      state: "open",
      word: "open",
      words: "cable open",
      some: undefined,
      chips: [],
    });
  });

  test("is a chip for each fault", () => {
    const faults: Faults = {
      freeze: "up",
      delay: { ms: 2_000, jitterMs: 50, direction: "down" },
      throttle: { bytesPerSecond: 5_000, direction: "both" },
    };
    const { state: word, words, chips } = cableWords(state(faults, [faults], true));
    expect(word).toBe("frozen");
    expect(words).toBe(
      "cable frozen page → server, delayed by 2,000 ms ± 50 ms, page ← server, throttled to 5 kB/s, refusing new connections",
    );
    expect(chips).toEqual([
      "FROZEN page → server",
      "delay 2,000 ms ± 50 ms, page ← server",
      "throttle 5 kB/s",
      "refusing",
    ]);
  });

  test("names the one connection that is frozen, and leaves the cable open", () => {
    expect(cableWords(state({}, [{}, frozen]))).toMatchObject({
      state: "open",
      some: "frozen",
      someWord: "#2 frozen",
      words: "cable open; connection 2: frozen both ways",
      chips: ["#2 FROZEN"],
    });
  });

  test("names the one connection that is healed under a freeze of all", () => {
    expect(cableWords(state(frozen, [frozen, {}, frozen]))).toMatchObject({
      state: "frozen",
      some: "healed",
      someWord: "#2 healed",
      words: "cable frozen both ways; connection 2: not frozen",
      chips: ["FROZEN", "#2 not frozen"],
    });
  });

  test("puts connections with the same fault together", () => {
    const { some, words, chips } = cableWords(state({}, [delayed, delayed, {}, delayed]));
    expect(some).toBe("slow");
    expect(words).toBe("cable open; connections 1, 2, 4: delayed by 500 ms");
    expect(chips).toEqual(["3 of them delay 500 ms"]);
  });
});

test("a server that isn't running gets a chip, with the time until it is back", () => {
  expect(serverChip({ process: "running", pid: 4711 })).toBe("");
  expect(serverWords({ process: "running", pid: 4711 })).toBe("running, process 4711");
  expect(serverWords({ process: "dead", why: "killed (SIGKILL)" })).toBe("is down: killed (SIGKILL)");
  expect(serverChip({ process: "dead", why: "killed (SIGKILL)" })).toBe("server is down");
  expect(serverChip({ process: "stopped", backInMs: 7_300 })).toBe("server stopped, back in 8 s");
});

test("a connection's label has no query, and a number without separators", () => {
  const [one] = state({}, [{}]).connections;
  if (!one) throw new Error("no connection");
  expect(connectionLabel({ ...one, number: 1006, speaks: "HTTP", path: "/messages?after=41" })).toBe(
    "1006 · HTTP /messages",
  );
});

test("sums are counted in singular and plural", () => {
  expect([counted(1, "request"), counted(2_000, "frame")]).toEqual(["1 request", "2,000 frames"]);
  const [first, last] = [noCounts(), noCounts()];
  expect(sumWords({ at: 0, counts: first }, { at: 2_000, counts: last })).toBe("last 2 s: nothing");
  last.requests = 1;
  last.up.headerBytes = 400;
  expect(sumWords({ at: 0, counts: first }, { at: 2_000, counts: last })).toBe(
    "last 2 s: 1 request, 400 B of headers for 0 B of payload",
  );
});
