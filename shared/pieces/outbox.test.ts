// What outbox-client.ts and outbox-server.ts promise. Lesson 7 tests the two through networks that fail.
import { describe, expect, test } from "vitest";
import { type Options, Outbox } from "./outbox-client.ts";
import { Pages } from "./outbox-server.ts";

type Said = { text: string };

describe("the outbox", () => {
  /** An outbox on a connection that can be away. */
  function outbox(options: Options<Said> = {}) {
    const sent: string[] = [];
    const line = { isOpen: true };
    const box = new Outbox<Said>((message) => {
      if (line.isOpen) sent.push(message.text);
      return line.isOpen;
    }, options);
    const add = (count: number, first = 1) => {
      for (let n = first; n < first + count; n++) box.add({ text: `${n}` });
    };
    return { box, sent, line, add };
  }
  const texts = (box: Outbox<Said>) => box.waiting.map(({ text }) => text);

  test("gives each message an id that rises, and keeps it until it or a later one is acknowledged", () => {
    const { box, add, sent } = outbox();
    add(3);
    expect(box.waiting.map(({ id }) => id)).toEqual([1, 2, 3].map((n) => `${box.page}-${n}`));
    expect(box.acknowledge(`${box.page}-2`)).toBe(2);
    expect(box.acknowledge(`${box.page}-1`)).toBe(0);
    expect(box.acknowledge("another-3")).toBe(0);
    expect(texts(box)).toEqual(["3"]);
    expect(sent).toEqual(["1", "2", "3"]);
  });

  test("has a name of its own, which fits into an id", () => {
    const names = new Set(Array.from({ length: 100 }, () => outbox().box.page));
    expect(names.size).toBe(100);
    for (const name of names) expect(name).toMatch(/^[a-z0-9]{1,40}$/);
  });

  test("sends what waits in order on each new connection", () => {
    const { box, line, add, sent } = outbox();
    line.isOpen = false;
    add(3);
    expect(sent).toEqual([]);
    line.isOpen = true;
    box.sendAll();
    box.acknowledge(`${box.page}-1`);
    box.sendAll();
    expect(sent).toEqual(["1", "2", "3", "2", "3"]);
  });

  test("lets 32 messages be on their way, and sends the next when one is acknowledged", () => {
    const { box, add, sent } = outbox();
    add(100);
    expect(sent).toHaveLength(32);
    box.acknowledge(`${box.page}-10`);
    expect(sent).toHaveLength(42);
    box.refuse(`${box.page}-11`);
    expect(sent).toHaveLength(43);
    // The last ones weren't sent yet. Taking one of them out sends none.
    box.refuse(`${box.page}-100`);
    expect(sent).toEqual(Array.from({ length: 43 }, (_, n) => `${n + 1}`));
    box.acknowledge(`${box.page}-99`);
    expect(texts(box)).toEqual([]);
  });

  test("continues where a connection that could take no more has stopped", () => {
    const { box, line, add, sent } = outbox();
    add(2);
    line.isOpen = false;
    add(2, 3);
    line.isOpen = true;
    box.acknowledge(`${box.page}-1`);
    expect(sent).toEqual(["1", "2", "3", "4"]);
  });

  test("holds a hundred messages, and then says that it is full", () => {
    const { box, add } = outbox();
    add(100);
    expect(() => add(1)).toThrow("100 messages wait already");
    expect(box.waiting).toHaveLength(100);
  });

  test("forgets what the server has refused", () => {
    const { box, add } = outbox();
    add(3);
    box.refuse(`${box.page}-2`);
    expect(texts(box)).toEqual(["1", "3"]);
  });

  test("tells how many wait whenever that changes", () => {
    const lengths: number[] = [];
    const { box, add } = outbox({ onchange: ({ length }) => lengths.push(length) });
    add(2);
    box.acknowledge(`${box.page}-2`);
    expect(lengths).toEqual([1, 2, 0]);
  });

  describe("on which the server closes", () => {
    function closing(codes: number[]) {
      const givenUp: string[] = [];
      const { box, add } = outbox({ ongiveup: ({ text }) => givenUp.push(text) });
      add(2);
      for (const code of codes) {
        box.sendAll();
        box.closed(code);
      }
      return { givenUp, waiting: texts(box) };
    }

    test("gives the first message up after the third time, and keeps the others", () => {
      expect(closing([1009, 1009])).toEqual({ givenUp: [], waiting: ["1", "2"] });
      expect(closing([1009, 1011, 1009])).toEqual({ givenUp: ["1"], waiting: ["2"] });
      expect(closing([1009, 1009, 1009, 1009])).toEqual({ givenUp: ["1"], waiting: ["2"] });
    });

    test("gives nothing up when the network breaks or the server restarts", () => {
      expect(closing(Array(20).fill([1006, 1001, 1012, 1013, 1000, 1005]).flat())).toEqual({
        givenUp: [],
        waiting: ["1", "2"],
      });
    });

    test("gives nothing up that was not sent", () => {
      const givenUp: string[] = [];
      const { box, line, add } = outbox({ ongiveup: ({ text }) => givenUp.push(text) });
      line.isOpen = false;
      add(1);
      for (let n = 0; n < 5; n++) box.closed(1009);
      expect([givenUp, texts(box)]).toEqual([[], ["1"]]);
    });
  });

  describe("with a storage", () => {
    function storage() {
      const items = new Map<string, string>();
      return {
        getItem: (key: string) => items.get(key) ?? null,
        setItem: (key: string, value: string) => void items.set(key, value),
        removeItem: (key: string) => void items.delete(key),
      };
    }

    test("goes on after a reload under the same name, with the next count", () => {
      const kept = storage();
      const before = outbox({ storage: kept });
      before.add(3);
      before.box.acknowledge(`${before.box.page}-1`);
      before.box.keep();
      const after = outbox({ storage: kept });
      expect(after.box.page).toBe(before.box.page);
      after.box.sendAll();
      after.add(1, 4);
      expect(after.box.waiting.map(({ id, text }) => [id, text])).toEqual(
        [2, 3, 4].map((n) => [`${before.box.page}-${n}`, `${n}`]),
      );
      expect(after.sent).toEqual(["2", "3", "4"]);
    });

    test("is taken once: a duplicated tab, and a page that comes back too late, get a name of their own", () => {
      const kept = storage();
      const first = outbox({ storage: kept });
      first.add(1);
      const duplicate = outbox({ storage: kept });
      expect(duplicate.box.page).not.toBe(first.box.page);
      const name = first.box.page;
      first.box.keep();
      const second = outbox({ storage: kept });
      expect(second.box.page).toBe(name);
      first.box.take();
      expect(first.box.page).not.toBe(name);
      expect(texts(first.box)).toEqual([]);
    });
  });
});

describe("the server's memory of pages", () => {
  const socket = () => ({
    ended: 0,
    terminate() {
      this.ended++;
    },
  });

  test("knows what a page has sent already, over whichever socket", () => {
    const pages = new Pages();
    const [first, second] = [socket(), socket()];
    const page = pages.resume("a", first);
    expect(["a-1", "a-2", "a-2", "a-1"].map((id) => page.receive(id))).toEqual([
      "new",
      "new",
      "double",
      "double",
    ]);
    pages.leave(page, first);
    const again = pages.resume("a", second);
    expect([again.lastId, again.receive("a-2"), again.receive("a-3")]).toEqual(["a-2", "double", "new"]);
    expect(pages.resume("b", socket()).lastId).toBeUndefined();
  });

  test.each([
    "b-1",
    "a-0",
    "a--1",
    "a-1.5",
    "a-1e3",
    "a-01",
    "a-",
    "a",
    "",
    "A-1",
    "a-9007199254740993",
    "a-b-1",
  ])("doesn't take %j for an id of page a", (id) => {
    expect(new Pages().resume("a", socket()).receive(id)).toBeUndefined();
  });

  test("ends the older socket of a page, and ignores it when it closes late", () => {
    const pages = new Pages();
    const [first, second, third] = [socket(), socket(), socket()];
    const page = pages.resume("a", first);
    page.receive("a-1");
    pages.resume("a", second);
    pages.leave(page, first);
    expect([first.ended, second.ended]).toEqual([1, 0]);
    expect(pages.resume("a", third).receive("a-1")).toBe("double");
    expect([first.ended, second.ended, third.ended]).toEqual([1, 1, 0]);
  });

  test("forgets the page that left first when too many are away, and never one that is connected", () => {
    const pages = new Pages(2);
    const here = pages.resume("here", socket());
    here.receive("here-1");
    const visit = (name: string) => {
      const [one, page] = [socket(), pages.resume(name, socket())];
      page.socket = one;
      page.receive(`${name}-1`);
      pages.leave(page, one);
    };
    for (const name of ["a", "b", "a", "c"]) visit(name);
    const last = (name: string) => pages.resume(name, socket()).lastId;
    expect(["a", "b", "c", "here"].map(last)).toEqual(["a-1", undefined, "c-1", "here-1"]);
  });

  test("keeps nothing of a page that has said nothing", () => {
    const pages = new Pages(1);
    const one = socket();
    const said = pages.resume("a", one);
    said.receive("a-1");
    pages.leave(said, one);
    for (let n = 0; n < 10; n++) {
      const other = socket();
      pages.leave(pages.resume(`silent${n}`, other), other);
    }
    expect(pages.resume("a", socket()).lastId).toBe("a-1");
  });
});
