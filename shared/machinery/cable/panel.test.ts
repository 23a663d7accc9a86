// The drawer shows what passes with its true sizes, and its buttons do what they say.
import type { Locator, Page, WebSocketRoute } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPage } from "../testing/browser.ts";
import { faults, shows } from "../testing/every-page.ts";
import { say, shown, until } from "../testing/lesson.ts";
import { freePort, type Running, runNode } from "../testing/process.ts";
import { type Entry, noCounts } from "./entry.ts";
import type { FullState, ToPanel } from "./protocol.ts";

const status = async (page: Page) => (await page.getByRole("status").textContent()) ?? "";
const words = async (page: Page) => (await page.locator(".wire-words").textContent()) ?? "";
const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

/** Says "text 1", "text 2" and so on, by the page's form: a script costs the browser much less than a hand. */
const sayAll = (page: Page, count: number, text: string) =>
  page.locator("chat-room form").evaluate(
    async (form: HTMLFormElement, { count, text }) => {
      const { from, text: box } = form.elements as unknown as Record<string, HTMLInputElement>;
      if (!from || !box) throw new Error("no form");
      from.value = "Ada";
      for (let n = 1; n <= count; n++) {
        box.value = `${text} ${n}`;
        form.requestSubmit();
        // As somebody who types would, so that each comes alone.
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    },
    { count, text },
  );

const inGroup = (page: Page, name: string) =>
  page.getByRole("group", { name: "Let the network fail" }).getByRole("button", { name });

const counts = noCounts();

/** Begins to play a cable. Returns a function that sends the panel 200 more entries. */
function playCable(socket: WebSocketRoute): (leftOut: number) => void {
  const state: FullState = {
    refusing: false,
    faults: {},
    open: 0,
    connections: [],
    counts,
    server: { process: "running" },
    nowMs: 0,
  };
  const send = (message: ToPanel) => socket.send(JSON.stringify(message));
  send({ type: "hello", run: "flood", state });
  let id = 0;
  return (leftOut) => {
    id += leftOut;
    const entries = Array.from({ length: 200 }, () => frameEntry(++id));
    send({ type: "entries", entries, leftOut, counts });
  };
}

/** Plays a cable on which as much passes as a cable ever shows: 200 frames every 100 ms. */
function flood(socket: WebSocketRoute): void {
  const sendMore = playCable(socket);
  const timer = setInterval(() => sendMore(0), 100);
  socket.onClose(() => clearInterval(timer));
}

function frameEntry(id: number): Entry {
  const bits = { opcode: 1, fin: true, rsv1: false, rsv2: false, rsv3: false, masked: false };
  const sizes = { lengthBits: 7, headerBytes: 2, payloadBytes: 60, header: "813c" } as const;
  const preview = { text: `{"type":"say","from":"Ada","text":"message ${id} of a flood"}` };
  const direction = id % 2 ? "up" : "down";
  return {
    id,
    atMs: id,
    connection: 1,
    kind: "frame",
    direction,
    name: "text",
    ...bits,
    ...sizes,
    compressed: false,
    preview,
  };
}

/** Runs in the page, in place of the drawer: the same flood, as plain text. */
function plainList(): void {
  const list = document.createElement("ol");
  list.className = "plain";
  list.style.cssText = "height: 16rem; overflow-y: auto; white-space: pre";
  document.querySelector("wire-panel")?.replaceWith(list);
  let id = 0;
  setInterval(() => {
    for (let count = 0; count < 200; count++) {
      const item = document.createElement("li");
      item.textContent = `${++id} text {"type":"say","from":"Ada","text":"message ${id} of a flood"} 2 + 60 B`;
      list.append(item);
    }
    while (list.children.length > 200) list.firstElementChild?.remove();
    list.scrollTop = list.scrollHeight;
  }, 100);
}

/** Processor time of the page's main thread for 1,000 entries of the flood, in ms. Other processes don't count. */
async function costOfThousand(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const busySeconds = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0;
  };
  const last = () =>
    page.evaluate(() => {
      const rows = [...document.querySelectorAll("wire-panel .wire-rows li, .plain li")];
      const numbers = rows.map((row) => Number(row.textContent?.match(/message (\d+) of a flood/)?.[1] ?? 0));
      return Math.max(0, ...numbers);
    });
  const [busyBefore, before] = [await busySeconds(), await last()];
  await until(async () => (await last()) >= before + 2_000);
  const [busy, now] = [await busySeconds(), await last()];
  return (1_000_000 * (busy - busyBefore)) / (now - before);
}

/**
 * Starts a lesson as a reader does, cable and all. Returns a function that loads its page in that many tabs. `prepare` may
 * change a tab before.
 */
function lesson(number: string, env: Record<string, string> = {}) {
  let run: Running;
  let url = "";
  const tabs: Page[] = [];
  beforeAll(async () => {
    const ports = { PORT: String(await freePort()), PAGE_PORT: String(await freePort()) };
    run = runNode(["shared/machinery/start.cjs", "launcher/lesson", number], { ...ports, ...env }, []);
    url = (await run.prints(/Open +(http:\S+)/))[1] ?? "";
  });
  afterAll(async () => {
    await Promise.all(tabs.map((tab) => tab.close()));
    run.child.kill();
    await run.ended;
  });
  return async (count = 1, prepare: (page: Page) => unknown = () => {}) => {
    while (tabs.length < count) tabs.push(await openTab());
    for (const page of tabs.slice(count)) if (page.url() !== "about:blank") await page.goto("about:blank");
    // One after the other: of sockets that open in the same moment, the panel marks none as its own.
    for (const page of tabs.slice(0, count)) {
      await prepare(page);
      await load(page, url);
    }
    return tabs as [Page, Page];
  };
}

/** Nothing moves in it: pictures cost more than all the rest. */
async function openTab(): Promise<Page> {
  const page = await openPage("about:blank");
  await page.emulateMedia({ reducedMotion: "reduce" });
  return page;
}

/** Loads a page and unfolds its drawer. */
async function load(page: Page, url: string): Promise<void> {
  await page.setViewportSize({ width: 1280, height: 1000 });
  await page.goto(url);
  if ((await page.getByRole("button", { name: "The cable" }).getAttribute("aria-expanded")) === "false")
    await press(page, "The cable");
  await until(async () => /server running/.test(await words(page)));
}

describe("with lesson 3 the panel", () => {
  const open = lesson("3");

  test("shows a message as two frames with their true sizes, masked on its way up, and opens them bit by bit", async () => {
    const [page] = await open();
    await shows(page, "open");
    const text = '{"type":"say","from":"Ada","text":"How big am I?"}';
    await say(page, "Ada", "How big am I?");
    const up = page.locator("li.up", { hasText: "How big am I?" });
    await up.waitFor();
    expect(await up.locator(".sizes").textContent()).toBe(`6 + ${text.length} B`);
    const down = page.locator("li.down", { hasText: "How big am I?" });
    expect(await down.locator(".sizes").textContent()).toMatch(/^2 \+ \d+ B$/);
    await up.locator("summary").click();
    const header = up.getByRole("table");
    for (const cells of ["FIN 1", "opcode 0001 1: text", "MASK 1 masked", "masking key"])
      expect((await header.innerText()).replace(/\s+/g, " ")).toContain(cells);
    expect(await up.locator("pre").textContent()).toBe(text);
    // Once the list has had the time to follow its end.
    await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
    const top = (selector: string) => page.locator(selector).evaluate((e) => e.getBoundingClientRect().top);
    expect(await top(".wire-rows details[open] summary")).toBeGreaterThanOrEqual(await top(".wire-rows"));
    await up.locator("summary").click();
    const fromEnd = () =>
      page.locator(".wire-rows").evaluate((e) => e.scrollHeight - e.clientHeight - e.scrollTop);
    await expect.poll(fromEnd).toBeLessThan(2);
    // Nor do later rows move one out of sight that is short enough to be shown whole.
    await down.locator("summary").click();
    await sayAll(page, 10, "and");
    await page.locator("li.down", { hasText: "and 10" }).waitFor();
    await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
    expect(await top(".wire-rows details[open] summary")).toBeGreaterThanOrEqual(await top(".wire-rows"));
    // On a phone, there is room for all of the header.
    await page.setViewportSize({ width: 390, height: 844 });
    const heightOf = async (place: Locator) => (await place.boundingBox())?.height ?? 0;
    expect(await heightOf(down.getByRole("table"))).toBeLessThan(await heightOf(page.locator(".wire-rows")));
    const isCutOff = await down.locator(".wire-open").evaluate((e) => e.scrollWidth > e.clientWidth);
    expect(isCutOff).toBe(false);
    expect(await faults(page)).toEqual([]);
  });

  test("shows the handshake with its headers on both sides", async () => {
    const [page] = await open();
    const handshake = page.locator('li[data-kind="handshake"]').first();
    await handshake.locator("summary").click();
    await expect.poll(() => handshake.innerText()).toMatch(/Sec-WebSocket-Key[\s\S]*Sec-WebSocket-Accept/);
  });

  test("freezes and heals: what was frozen arrives, and no page noticed", async () => {
    const [ada, grace] = await open(2);
    await shows(grace, "open");
    await press(ada, "Freeze");
    await until(async () => /cable frozen both ways/.test(await words(grace)));
    await say(ada, "Ada", "said into the ice");
    expect(await status(ada)).toBe("open");
    await press(grace, "Heal");
    await shows(grace, "said into the ice");
    await shows(ada, "said into the ice");
  });

  test("drops what was frozen if asked to: the connection is reset", async () => {
    const [page] = await open();
    await shows(page, "open");
    await page.getByLabel("when healed").selectOption("drop");
    await press(page, "Freeze");
    await until(async () => /cable frozen/.test(await words(page)));
    await say(page, "Ada", "lost for ever");
    await press(page, "Heal");
    await shows(page, "close 1006, unclean");
  });

  test("ends and resets connections: both are unclean, since no close frame was sent", async () => {
    const [page] = await open();
    await shows(page, "open");
    for (const [index, name] of ["End (FIN)", "Reset"].entries()) {
      if (index > 0) await press(page, "Open again");
      await until(async () => (await status(page)) === "open");
      await inGroup(page, name).click();
      await page.getByRole("log").getByText("close 1006, unclean", { exact: true }).nth(index).waitFor();
      const how = name === "End (FIN)" ? "FIN" : "RST";
      await page
        .locator('li[data-kind="connection-end"]', { hasText: `${how}from the cable` })
        .first()
        .waitFor();
    }
  });

  test("kills the server, shows that it is down, and starts it again", async () => {
    const [page] = await open();
    await shows(page, "open");
    await press(page, "Kill the server");
    await shows(page, "close 1006, unclean");
    await until(async () => /server is down: killed/.test(await words(page)));
    expect(await page.locator(".wire").getAttribute("data-server")).toBe("dead");
    await press(page, "Restart");
    await until(async () => /server running/.test(await words(page)));
    await press(page, "Open again");
    await until(async () => (await status(page)) === "open");
  });

  test("filters, pauses and clears what it shows", async () => {
    const [page] = await open();
    await shows(page, "open");
    const rows = page.locator(".wire-rows li");
    await page.getByLabel("TCP").uncheck();
    expect(await rows.filter({ hasText: "TCP" }).count()).toBe(0);
    await press(page, "Pause");
    await say(page, "Ada", "unseen");
    await shows(page, "unseen");
    await until(async () => /waiting/.test((await page.locator(".wire-left-out").textContent()) ?? ""));
    expect(await rows.filter({ hasText: "unseen" }).count()).toBe(0);
    await press(page, "Continue");
    await rows.filter({ hasText: "unseen" }).first().waitFor();
    await press(page, "Clear");
    expect(await rows.count()).toBe(0);
  });

  test("says in its bar what is in force, also when it is folded; pressed buttons are pressed", async () => {
    const [page] = await open();
    await shows(page, "open");
    const chips = page.locator(".wire-chip");
    const freeze = page.getByRole("button", { name: "Freeze" });
    expect(await freeze.getAttribute("aria-pressed")).toBe("false");
    await freeze.click();
    await page.getByLabel("delay").selectOption("500");
    await press(page, "Refuse");
    await expect.poll(() => chips.allTextContents()).toEqual(["FROZEN", "delay 500 ms", "refusing"]);
    expect(await freeze.getAttribute("aria-pressed")).toBe("true");
    expect(await page.getByRole("button", { name: "Refuse" }).getAttribute("aria-pressed")).toBe("true");
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press("Escape");
    expect(await freeze.isVisible()).toBe(false);
    expect(await chips.first().isVisible()).toBe(true);
    expect(await faults(page)).toEqual([]);
    await press(page, "The cable");
    await press(page, "Heal");
    await expect.poll(() => chips.count()).toBe(0);
    expect(await freeze.getAttribute("aria-pressed")).toBe("false");
  });

  test("marks this page's own connection, and shows the fault of one as that of one", async () => {
    const [ada, grace] = await open(2);
    await Promise.all([shows(ada, "open"), shows(grace, "open")]);
    const own = (page: Page) => page.getByLabel("which").locator("option", { hasText: "(this page)" });
    await expect.poll(() => own(ada).count()).toBe(1);
    await expect.poll(() => own(grace).count()).toBe(1);
    const number = (await own(ada).getAttribute("value")) ?? "";
    expect(await own(grace).getAttribute("value")).not.toBe(number);

    await ada.getByLabel("which").selectOption(number);
    await press(ada, "Freeze");
    await until(async () =>
      (await words(grace)).startsWith(`cable open; connection ${number}: frozen both ways`),
    );
    expect(await grace.locator(".word-some").textContent()).toBe(`#${number} frozen`);
    expect(await grace.getByRole("button", { name: "Freeze" }).getAttribute("aria-pressed")).toBe("false");
    await press(grace, "Freeze");
    await until(async () => /^cable frozen both ways/.test(await words(ada)));
    await press(ada, "Heal");
    await until(async () =>
      /healed. The rest stays as it is: cable frozen both ways./.test(
        (await ada.locator(".wire-notice").textContent()) ?? "",
      ),
    );
    await press(grace, "Heal");
    await until(async () => /^cable open; \d+ conn/.test(await words(ada)));
  });

  test("says when the chosen connection has ended, and doesn't choose all instead", async () => {
    const [ada, grace] = await open(2);
    await Promise.all([shows(ada, "open"), shows(grace, "open")]);
    const own = ada.getByLabel("which").locator("option", { hasText: "(this page)" });
    await expect.poll(() => own.count()).toBe(1);
    const number = (await own.getAttribute("value")) ?? "";
    await ada.getByLabel("which").selectOption(number);
    await inGroup(ada, "Reset").click();
    await ada.getByText(`Connection ${number} has ended. Nothing is chosen now`).waitFor();
    await press(ada, "Freeze");
    await ada.getByText(`Connection ${number} has ended. To go on, choose another`).waitFor();
    expect(await words(grace)).toMatch(/^cable open/);
    expect(await status(grace)).toBe("open");
  });

  test("shows after a reload which way a fault holds, and keeps the way that the reader chooses next", async () => {
    const [page] = await open();
    const way = page.locator("[name=direction]");
    await way.selectOption("page ← server");
    await page.locator("[name=delay]").selectOption("100 ms");
    await until(async () => /delayed by 100 ms, page ← server/.test(await words(page)));
    await page.reload();
    await until(async () => (await way.inputValue()) === "down");
    await way.selectOption("both ways");
    await press(page, "Freeze");
    await until(async () => /cable frozen both ways/.test(await words(page)));
    await press(page, "Heal");
    await until(async () => /^cable open/.test(await words(page)));
    expect(await way.inputValue()).toBe("both");
  });

  test("shows after a reload all that it has room for, not only the end of it", async () => {
    const [page] = await open();
    await shows(page, "open");
    await sayAll(page, 15, "long ago");
    await page.locator("li.down", { hasText: "long ago 15" }).waitFor();
    await page.reload();
    await page.locator("li.down", { hasText: 'long ago 1"' }).waitFor();
  });

  test("stays folded after a reload", async () => {
    const [page] = await open();
    const fold = page.getByRole("button", { name: "The cable" });
    await fold.press("Enter");
    await page.reload();
    expect(await fold.getAttribute("aria-expanded")).toBe("false");
    expect(await page.getByRole("button", { name: "Freeze" }).isVisible()).toBe(false);
  });

  test("starts folded below 1,000 px, beside the page where that is wide, and never covers what is focused. Its own controls don't scroll the page", async () => {
    const [page] = await open();
    const fold = page.getByRole("button", { name: "The cable" });
    for (const [width, height, expanded] of [
      [1280, 800, "false"],
      [1280, 1000, "true"],
      [1700, 900, "true"],
    ] as const) {
      await page.evaluate(() => localStorage.clear());
      await page.setViewportSize({ width, height });
      await page.reload();
      expect(await fold.getAttribute("aria-expanded"), `${width} × ${height}`).toBe(expanded);
      if (expanded === "false") await fold.click();
      // When all has its place, nothing moves under what is focused.
      await until(async () => /server running/.test(await words(page)));
      await shows(page, "open");
      await page.getByRole("link").first().focus();
      let before = 0;
      let inDrawer = 0;
      for (let presses = 0; presses < 30 && inDrawer < 5; presses++) {
        const { drawer, scrolled, ...focused } = await page.evaluate(() => {
          const { activeElement: element } = document;
          const { right = 0, bottom = 0 } = element?.getBoundingClientRect() ?? {};
          const { x = 0, y = 0 } = document.querySelector(".wire")?.getBoundingClientRect() ?? {};
          const isInDrawer = element?.closest("wire-panel") !== null;
          return { isInDrawer, right, bottom, drawer: { x, y }, scrolled: scrollY };
        });
        const when = `${width} × ${height}, after ${presses + 1} × Tab`;
        if (focused.isInDrawer) {
          inDrawer++;
          expect(scrolled, `scrolled by ${when}`).toBe(before);
        } else {
          const isCovered = focused.right > drawer.x && focused.bottom > drawer.y;
          expect(isCovered, when).toBe(false);
        }
        before = scrolled;
        await page.keyboard.press("Tab");
      }
    }
  });

  test("doesn't count the entries before the first ones as left out", async () => {
    let sendMore: (leftOut: number) => void = () => {};
    const [page] = await open(1, (page) =>
      page.routeWebSocket(/\/cable$/, (socket) => {
        sendMore = playCable(socket);
        sendMore(5);
      }),
    );
    await until(async () => (await page.locator(".wire-rows li").count()) === 200);
    const leftOut = page.locator(".wire-left-out");
    expect(await leftOut.textContent()).toBe("");
    sendMore(5);
    // 24 of the 200 are drawn.
    await until(async () => (await leftOut.textContent())?.startsWith("181 rows left out") ?? false);
  });

  test("draws 2,000 entries a second, costs the page about as much as a plain list, and can be folded meanwhile", async () => {
    const [page] = await open(1, async (page) => {
      await page.emulateMedia({ reducedMotion: "no-preference" });
      await page.routeWebSocket(/\/cable$/, (socket) => flood(socket));
    });
    await page.locator(".wire-rows li").nth(100).waitFor();
    const panel = await costOfThousand(page);
    expect(await page.locator(".wire-rows li").count()).toBeLessThanOrEqual(200);
    await press(page, "The cable");
    await page.evaluate(plainList);
    const plain = await costOfThousand(page);
    // Between 0.4 and 2 here, since a late drawer draws less often.
    expect(panel / plain, `${panel} ms for 1,000 entries, a plain list ${plain} ms`).toBeLessThan(5);
  });
});

describe("with lesson 1 the panel", () => {
  const open = lesson("1");

  test("shows each poll and its answer, and the sums of headers and payload", async () => {
    const [page] = await open();
    await until(async () => (await shown(page, "requests")) >= 3);
    const answer = page.locator('li[data-kind="response"]').last();
    await page.locator('li[data-kind="request"]', { hasText: "/messages?after=" }).nth(1).waitFor();
    expect(await answer.locator(".kind").textContent()).toBe("200");
    await until(async () =>
      /\d+ requests, .* of headers for .* of payload/.test(
        (await page.locator(".wire-sum").textContent()) ?? "",
      ),
    );
    expect(await faults(page)).toEqual([]);
  });

  test("delays what passes: an answer takes that much longer", async () => {
    const [page] = await open();
    await page.getByLabel("delay").selectOption("500");
    await until(async () => /delayed by 500 ms/.test(await words(page)));
    const began = performance.now();
    await say(page, "Ada", "slow");
    await shows(page, "slow");
    // At least half a second up and half a second down.
    expect(performance.now() - began).toBeGreaterThan(900);
    await press(page, "Heal");
    await until(async () => /cable open/.test(await words(page)));
  });

  test("refuses new connections, which the page notices, and heals", async () => {
    const [page] = await open();
    await press(page, "Refuse");
    await press(page, "Reset");
    await until(async () => /reconnecting/.test(await status(page)));
    await press(page, "Heal");
    await until(async () => /^polling/.test(await status(page)));
  });
});

describe("with lesson 5 the panel", () => {
  const open = lesson("5", { PING_EVERY_MS: "1000" });

  test("shows ping, pong and the beat; the page counts down while connections are refused, and comes back", async () => {
    const [page] = await open();
    await page.locator('li[data-kind="frame"]', { hasText: "ping" }).first().waitFor({ timeout: 20_000 });
    await page.locator("li.up", { hasText: "pong" }).first().waitFor();
    await page.locator("li.down", { hasText: '{"type":"beat"}' }).first().waitFor();
    await press(page, "Refuse");
    await inGroup(page, "Reset").click();
    await until(async () => /^reconnecting/.test(await status(page)));
    await press(page, "Heal");
    // Unless it is back already.
    const tryNow = page.getByRole("button", { name: "Try now" });
    await tryNow.click({ timeout: 1_000 }).catch(() => {});
    await until(async () => /^open/.test(await status(page)), 20_000);
  }, 60_000);
});
