// Tests of lesson 12's page: what Mallory's page can do from where, what an address is worth, and which codes are final.
import { randomUUID } from "node:crypto";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { openTab } from "../../shared/machinery/testing/browser.ts";
import { everyPage, faults, shows } from "../../shared/machinery/testing/every-page.ts";
import { Client, until } from "../../shared/machinery/testing/lesson.ts";
import { cookieName, newSession, sign } from "./sessions.ts";

// Sessions outlive a restart of the server.
process.env.SESSION_SECRET ??= randomUUID();

// `click` would wait for a frame of the screen, and a tab in the background seldom has one.
const press = (page: Page, name: string) =>
  page.getByRole("button", { name, exact: true }).dispatchEvent("click");
const number = (page: Page, name: string) => page.locator(`[data-number="${name}"]`).textContent();
const state = (page: Page) => page.locator("chat-room .status").textContent();
const status = (page: Page, pattern: RegExp) => until(async () => pattern.test((await state(page)) ?? ""));
const isOpen = (page: Page) => status(page, /^open/);

async function fill(page: Page, user: string) {
  await page.getByLabel("User").fill(user);
  await page.getByLabel("Password").fill("correct horse");
}
async function come(page: Page, way: string) {
  await page.locator(`input[value=${way}]`).dispatchEvent("click");
  await until(async () => (await number(page, "again")) === "–");
  await isOpen(page);
}
async function say(page: Page, text: string) {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.getByLabel("Message", { exact: true }).press("Enter");
}

everyPage(
  "12-the-door",
  (ports, _server, tabs) => {
    /** Somebody without a page. */
    async function guest(session = newSession({ name: randomUUID().slice(0, 8), role: "member" }, 60)) {
      const headers = { Cookie: `${cookieName}=${sign(session)}` };
      const client = new Client(ports().serverPort, { headers }, "127.0.0.1", "/room");
      await client.receives("welcome");
      return client;
    }
    /** Opens Mallory's page as the link of our page does. Returns what it says about each door. */
    async function visitMallory(from: "port" | "site") {
      const { ada } = tabs();
      const tab = await openTab((await ada.locator(`#from-${from}`).getAttribute("href")) ?? "");
      const tell = (path: string) => tab.locator(`[data-path="${path}"]`).textContent();
      await until(async () => (await tell("/naive")) !== "…" && (await tell("/room")) !== "…");
      const found = {
        origin: new URL(tab.url()).hostname,
        naive: await tell("/naive"),
        room: await tell("/room"),
      };
      expect(await faults(tab)).toEqual([]);
      await tab.close();
      return found;
    }

    test("without a login the page doesn't try, and says so", async () => {
      const { ada } = tabs();
      expect(await state(ada)).toBe("closed (nobody is logged in)");
      await say(ada, "Hello");
      await until(async () => (await ada.locator("chat-room").getByRole("alert").textContent()) !== "");
    });

    test("a new user is logged in, in every tab of this browser, and messages are shown as text", async () => {
      const { ada, grace } = tabs();
      await fill(ada, "Ada");
      await press(ada, "Make this user");
      await isOpen(ada);
      expect(await number(ada, "who")).toBe("Ada, member");
      await grace.reload();
      await isOpen(grace);
      const text = '<img src=x onerror="document.title=1">';
      await say(ada, text);
      for (const page of [ada, grace]) await shows(page, text);
      expect(await grace.getByRole("log").locator("img").count()).toBe(0);
      expect(await grace.title()).not.toBe("1");
      await press(ada, "Make this user");
      await until(async () =>
        /somebody has this name/.test((await ada.locator("#login .refused").textContent()) ?? ""),
      );
    });

    test("Mallory's page at another port gets in at /naive and speaks as Ada, and is refused at /room", async () => {
      const { ada } = tabs();
      const { origin, naive, room } = await visitMallory("port");
      expect(origin).toBe("localhost");
      expect(naive).toMatch(/^Open, as Ada\. The last message that I have read: <img/);
      expect(room).toMatch(/^Refused: 1006/);
      await shows(ada, "Buy your telephones from Mallory!");
      expect(await ada.getByRole("log").locator(".from").last().textContent()).toBe("Ada");
    });

    test("at another site it gets no cookie, so /naive refuses it, too", async () => {
      const { origin, naive, room } = await visitMallory("site");
      expect(origin).toBe("127.0.0.1");
      expect(naive).toBe("Refused: 4401, log in, or get a new ticket. The browser sent no cookie.");
      expect(room).toMatch(/^Refused: 1006/);
    });

    test.each([
      ["naive", /^GET \/naive$/, "open, as Ada"],
      ["token", /^GET \/naive\?token=[\w-]{80,}\.[\w-]{43}$/, "open, as Ada"],
      ["ticket", /^GET \/room\?ticket=[\w-]{22}$/, "refused: 4401"],
      ["word", /^GET \/room\?ticket=$/, "refused: 4401"],
      ["cookie", /^GET \/room$/, "open, as Ada"],
    ] as const)(
      "the way %s shows what a log has, and whether that opens the door again",
      async (way, address, again) => {
        const { ada } = tabs();
        await come(ada, way);
        expect(await number(ada, "address")).toMatch(address);
        await press(ada, "Use it again");
        await until(async () => (await number(ada, "again")) === again);
        expect(await state(ada)).toMatch(/^open/);
      },
    );

    test("a page with an invitation in its address shows it, also where the browser has a cookie", async () => {
      const { ada } = tabs();
      const tab = await openTab(`${ada.url()}?invitation=made-up`);
      await until(async () => (await number(tab, "address")) === "GET /room?invitation=made-up");
      await tab.close();
    });

    test("a page that comes with tickets gets a new one for each connection", async () => {
      const { ada } = tabs();
      await come(ada, "ticket");
      const first = await number(ada, "address");
      await press(ada, "Leave");
      await press(ada, "Come back");
      await isOpen(ada);
      expect(await number(ada, "address")).not.toBe(first);
      await come(ada, "cookie");
    });

    test("too fast is final: 1008, and the page doesn't come back by itself", async () => {
      const { ada } = tabs();
      // A busy computer says them so slowly that once isn't too fast.
      await until(async () => {
        await press(ada, "Say twenty things");
        return /^closed \(1008, ten refusals in ten seconds\)/.test((await state(ada)) ?? "");
      });
      expect([await number(ada, "code"), await number(ada, "back")]).toEqual(["1008", "no"]);
      await press(ada, "Come back");
      await isOpen(ada);
    });

    test("one connection too many isn't final: 1013, and the page comes back when there is a place", async () => {
      const { ada } = tabs();
      await press(ada, "Leave");
      await status(ada, /^closed/);
      const ada2 = newSession({ name: "Ada", role: "member" }, 60);
      const others = await Promise.all([1, 2, 3, 4].map(() => guest(ada2)));
      await press(ada, "Come back");
      await status(ada, /^reconnecting/);
      expect([await number(ada, "code"), await number(ada, "back")]).toEqual(["1013", "yes"]);
      for (const { socket, closed } of others) {
        socket.close();
        await closed;
      }
      await until(async () => (await press(ada, "Try now")) ?? /^open/.test((await state(ada)) ?? ""));
    });

    test("a logout in one tab closes the others within a second, with 4401, for good", async () => {
      const { ada, grace } = tabs();
      await isOpen(grace);
      await press(ada, "Log out");
      const began = performance.now();
      for (const page of [ada, grace]) await status(page, /^closed \(4401, your session has ended\)/);
      // On a quiet computer within a second. Without the logout they would stay open for an hour.
      expect(performance.now() - began).toBeLessThan(10_000);
      expect([await number(grace, "code"), await number(grace, "back")]).toEqual(["4401", "no"]);
      expect(await number(grace, "who")).toBe("nobody");
    });

    test("a wrong password is refused in words; a user who may only read learns it from the server", async () => {
      const { ada } = tabs();
      await fill(ada, "Ada");
      await ada.getByLabel("Password").fill("wrong horse");
      await press(ada, "Log in");
      const refused = () => ada.locator("#login .refused").textContent();
      await until(async () => /wrong/.test((await refused()) ?? ""));
      // While the next attempt is on its way, nothing is said about the last one.
      let goOn: (() => Promise<void>) | undefined;
      await ada.route(/\/login$/, (route) => {
        goOn = () => route.continue();
      });
      await press(ada, "Log in");
      await until(async () => goOn !== undefined);
      expect(await refused()).toBe("");
      await goOn?.();
      await until(async () => /wrong/.test((await refused()) ?? ""));
      await ada.unroute(/\/login$/);
      await fill(ada, "Radia");
      await ada.getByLabel("may only read").dispatchEvent("click");
      await press(ada, "Make this user");
      await isOpen(ada);
      expect(await number(ada, "who")).toBe("Radia, reader");
      await say(ada, "May I?");
      await until(async () =>
        /You may only read/.test((await ada.locator("chat-room").getByRole("alert").textContent()) ?? ""),
      );
      await ada.getByLabel("may only read").dispatchEvent("click");
      await fill(ada, "Ada");
      await press(ada, "Log in");
      await until(async () => (await number(ada, "who")) === "Ada, member");
      await isOpen(ada);
    });
  },
  { chat: false },
);
