// Tests of lesson 13's page: prices and how late they are, what each answer costs, and what a browser's `send` tells.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { everyPage } from "../../shared/machinery/testing/every-page.ts";
import { Client, shown, until } from "../../shared/machinery/testing/lesson.ts";
import { symbols } from "./market.ts";

const prices = (page: Page) => page.locator("#prices tr th").allTextContents();
const readers = (page: Page) => page.locator("#readers tr th").allTextContents();
const choose = (page: Page, value: string) => page.locator(`input[value=${value}]`).check();
const isOpen = (page: Page) =>
  until(async () => /^open/.test((await page.getByRole("status").textContent()) ?? ""));
const name = async (page: Page, to: string) => {
  await page.getByLabel("Name").fill(to);
  await page.getByLabel("Name").press("Enter");
};

everyPage(
  "13-slow-readers",
  (ports, server, tabs) => {
    test("shows all readers, their names as text, and which of them it is", async () => {
      const { ada, grace } = tabs();
      await name(ada, "<b>Ada</b>");
      await name(grace, "Grace");
      for (const [page, own, other] of [
        [ada, "<b>Ada</b> (this page)", "Grace"],
        [grace, "Grace (this page)", "<b>Ada</b>"],
      ] as const)
        await until(async () => {
          const names = await readers(page);
          return names.includes(own) && names.includes(other);
        });
      await until(async () => / is here\.$/.test((await ada.locator(".event").textContent()) ?? ""));
      expect(await ada.locator("b").count()).toBe(0);
      await ada.getByRole("button", { name: "Leave" }).click();
      await until(async () => !(await readers(grace)).includes("<b>Ada</b>"));
      await ada.getByRole("button", { name: "Come back" }).click();
      await isOpen(ada);
    });

    test("a reader that comes back has the line that it had before", async () => {
      const { grace } = tabs();
      const line = async (of: string) =>
        (await readers(grace)).includes(of) &&
        grace.locator("#readers tr", { hasText: of }).locator("path").getAttribute("stroke-dasharray");
      const join = async (name: string) => {
        const client = await Client.open(ports().serverPort);
        client.send({ type: "join", name, care: "less", perSecond: 1 });
        await until(async () => (await line(name)) !== false);
        return client;
      };
      const [first, second] = [await join("Hedy"), await join("Ida")];
      const before = await line("Ida");
      for (const client of [first, second]) client.socket.close();
      await until(async () => !(await readers(grace)).some((reader) => /Hedy|Ida/.test(reader)));
      const again = await join("Ida");
      expect(await line("Ida")).toBe(before);
      again.socket.close();
    });

    test("a name that is refused says why", async () => {
      const { ada } = tabs();
      await name(ada, " ");
      await until(async () => /blank/.test((await ada.getByRole("alert").textContent()) ?? ""));
      await name(ada, "Ada");
      await until(async () => (await ada.getByRole("alert").textContent()) === "");
    });

    test("a server that has restarted counts from 1: the page says once that there is a gap, and goes on", async () => {
      const { ada, grace } = tabs();
      // From here on 200 quotes a second, which keep a page busy. Grace gets 4 while nobody looks at hers.
      await choose(grace, "less");
      await server().kill();
      await until(async () => /^reconnecting/.test((await ada.getByRole("status").textContent()) ?? ""));
      Object.assign(server(), await ports().startServer());
      const tryNow = ada.getByRole("button", { name: "Try now" });
      if (await tryNow.isEnabled()) await tryNow.click({ timeout: 1_000 }).catch(() => {});
      await isOpen(ada);
      await until(async () => (await shown(ada, "gaps")) === 1);
      await until(async () => (await shown(ada, "perSecond")) > 100);
    });

    test("shows every symbol, 200 quotes a second, and leaves none out", async () => {
      const { ada } = tabs();
      // What it has missed so far: while it was away, and when the server restarted.
      const missed = async () => [await shown(ada, "leftOut"), await shown(ada, "gaps")];
      const before = await missed();
      await until(async () => (await prices(ada)).join() === symbols.join());
      await until(async () => (await shown(ada, "perSecond")) > 100);
      await until(async () =>
        /^\d+ ms$/.test((await ada.locator('[data-number="behind"]').textContent()) ?? ""),
      );
      expect(await missed()).toEqual(before);
    });

    test("counts every connection that breaks, also one that was open for a moment only", async () => {
      const { ada } = tabs();
      const before = await shown(ada, "lost");
      for (const more of [1, 2]) {
        await server().kill();
        await until(async () => (await shown(ada, "lost")) === before + more);
        Object.assign(server(), await ports().startServer());
        const tryNow = ada.getByRole("button", { name: "Try now" });
        await tryNow.click({ timeout: 1_000 }).catch(() => {}); // it may be trying already
        await isOpen(ada);
      }
    });

    test("a page that asks for 4 prices a second gets 4, at any moment and on the same connection", async () => {
      const { ada } = tabs();
      const lost = await shown(ada, "lost");
      await choose(ada, "less");
      await until(async () => (await shown(ada, "perSecond")) <= 5);
      await until(async () => (await shown(ada, "leftOut")) > 100);
      await choose(ada, "keep");
      await until(async () => (await shown(ada, "perSecond")) > 100);
      expect(await shown(ada, "lost")).toBe(lost);
    });

    test("a page that is disconnected because it is slow comes back with its cursor, and misses nothing", async () => {
      const { ada, grace } = tabs();
      await choose(grace, "keep");
      const lostByGrace = await shown(grace, "lost");
      await ada.reload();
      await isOpen(ada);
      await choose(ada, "disconnect");
      await choose(ada, "read");
      // It reads, but doesn't say so: for the server that is the same as a page that doesn't read.
      await ada.evaluate(() => {
        const { send } = WebSocket.prototype;
        WebSocket.prototype.send = function (data) {
          if (!String(data).includes('"type":"read"')) return send.call(this, data);
          if (document.querySelector('[data-number="lost"]')?.textContent !== "0")
            WebSocket.prototype.send = send;
        };
      });
      await until(async () => (await shown(ada, "lost")) === 1);
      await isOpen(ada);
      await until(async () => (await shown(ada, "replayed")) > 0);
      await until(async () => (await shown(ada, "perSecond")) > 100);
      expect(await shown(ada, "leftOut")).toBe(0);
      expect(await shown(ada, "gaps")).toBe(0);
      await until(async () => (await shown(grace, "ended")) === 1);
      expect(await shown(grace, "lost")).toBe(lostByGrace);
    });

    test("a browser's send throws before open, is silent after close, and counts what will never leave", async () => {
      const { ada } = tabs();
      const told = await ada.evaluate(async (port) => {
        const socket = new WebSocket(`ws://localhost:${port}`);
        let early = "";
        try {
          socket.send("too early");
        } catch (error) {
          early = (error as Error).name;
        }
        await new Promise((resolve) => {
          socket.onopen = resolve;
        });
        socket.send("x".repeat(10_000));
        const { bufferedAmount: full } = socket;
        await new Promise((resolve) => {
          socket.onclose = resolve;
          socket.close();
        });
        const { bufferedAmount: before } = socket;
        socket.send("too late");
        return { early, full, after: socket.bufferedAmount - before };
      }, ports().serverPort);
      expect(told.early).toBe("InvalidStateError");
      // It leaves with the next turn of the event loop at the earliest.
      expect(told.full).toBeGreaterThanOrEqual(10_000);
      expect(told.after).toBeGreaterThanOrEqual(8);
    });
  },
  { chat: false, env: { PER_SECOND: "20" } },
);
