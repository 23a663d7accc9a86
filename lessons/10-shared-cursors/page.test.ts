// Tests of lesson 10's page: pointers on each other's boards, ripples that aren't lost, and what each switch changes.
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { everyPage } from "../../shared/machinery/testing/every-page.ts";
import { Client, type Received, rawWebSocket, shown, until } from "../../shared/machinery/testing/lesson.ts";
import { Motion } from "./motion.ts";
import { fromBytes, type Position, toBytes } from "./positions.ts";

/** A short frame as a client sends it, masked with a key of zeros. */
const frame = (first: number, payload: string | Buffer) =>
  Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), Buffer.from(payload)]);

const names = (page: Page) => page.locator(".people li").allTextContents();
const check = (page: Page, label: string) => page.getByLabel(label, { exact: true }).check();
const press = (page: Page, name: string) => page.getByRole("button", { name }).click();

/** The canvas's own pixel at a place of the board: whether anything is drawn around there. */
const isDrawn = (page: Page, { x, y }: { x: number; y: number }) =>
  page.evaluate(
    ([x = 0, y = 0]) => {
      const canvas = document.querySelector("canvas") as HTMLCanvasElement;
      const [left, top] = [(x / 65_535) * canvas.width, (y / 65_535) * canvas.height];
      const { data } = (canvas.getContext("2d") as CanvasRenderingContext2D).getImageData(left, top, 30, 30);
      return data.some((byte) => byte > 0);
    },
    [x, y],
  );

/** Moves the mouse to a place of the board. */
async function moveTo(page: Page, x: number, y: number) {
  await page.locator("canvas").scrollIntoViewIfNeeded();
  const { left, top, width, height } = await page.evaluate(() => {
    const { left, top, width, height } = (
      document.querySelector("canvas") as Element
    ).getBoundingClientRect();
    return { left, top, width, height };
  });
  await page.mouse.move(left + (x / 65_535) * width, top + (y / 65_535) * height);
}

everyPage(
  "10-shared-cursors",
  (ports, server, tabs) => {
    /** A third one in the room, without a page. */
    async function guest(wishes = {}) {
      const client = await Client.open(ports().serverPort);
      client.send({ type: "join", name: "Guest", ...wishes });
      const { id } = await client.receives("welcome");
      return { client, id: id as number };
    }
    const positions = ({ client }: { client: Client }): Position[] =>
      client.received.flatMap((one: Received) => one.pointers ?? []);
    const idOf = async ({ client }: { client: Client }, name: string): Promise<number> => {
      const known = () =>
        client.received.flatMap(({ people = [] }) => people).findLast((one) => one.name === name)?.id;
      await until(known);
      return known();
    };
    const name = async (page: Page, to: string) => {
      await page.getByLabel("Name").fill(to);
      await page.getByLabel("Name").press("Enter");
    };

    test("each page shows the other's name and pointer, HTML as text, and takes them away when it leaves", async () => {
      const { ada, grace } = tabs();
      await name(ada, "<b>Ada</b>");
      await name(grace, "Grace");
      for (const page of [ada, grace])
        await until(async () =>
          (await names(page))
            .join()
            .replace(/ \((you|silent)\)/g, "")
            .includes("<b>Ada</b>"),
        );
      await name(ada, "Ada");
      await until(async () => (await names(ada)).includes("Ada (you)"));
      await moveTo(ada, 30_000, 20_000);
      await until(() => isDrawn(grace, { x: 30_000, y: 20_000 }));
      expect(await shown(grace, "here")).toBe(2);
      await press(ada, "Leave");
      await until(async () => (await shown(grace, "here")) === 1, 10_000);
      await until(async () => !(await isDrawn(grace, { x: 30_000, y: 20_000 })));
      await press(ada, "Come back");
      await until(async () => (await shown(grace, "here")) === 2);
    });

    test("a name that is refused says why", async () => {
      const { ada } = tabs();
      await name(ada, " ");
      await until(async () => /blank/.test((await ada.getByRole("alert").textContent()) ?? ""));
      await name(ada, "Ada");
      await until(async () => (await ada.getByRole("alert").textContent()) === "");
    });

    test("keys and fingers move a pointer, too, and Enter leaves a ripple", async () => {
      const { ada } = tabs();
      const one = await guest();
      const id = await idOf(one, "Ada");
      await ada.getByRole("application").focus();
      await ada.keyboard.press("ArrowRight");
      await ada.keyboard.press("Enter");
      const ripple = await one.client.receives("ripple");
      expect(ripple.id).toBe(id);
      const box = await ada.locator("canvas").boundingBox();
      await ada.locator("canvas").dispatchEvent("pointerdown", {
        pointerType: "touch",
        clientX: (box?.x ?? 0) + 1,
        clientY: (box?.y ?? 0) + 1,
      });
      await one.client.receives("ripple", ({ n }) => n === ripple.n + 1);
      await until(() => positions(one).some((at) => at.id === id && at.x < 1_000 && at.y < 1_000));
      expect(await ada.locator("canvas").evaluate((canvas) => getComputedStyle(canvas).touchAction)).toBe(
        "none",
      );
      one.client.socket.close();
    });

    test("a new name is sent once", async () => {
      const { ada } = tabs();
      const joins = await ada.evaluateHandle(() => {
        const sent: string[] = [];
        const { send } = WebSocket.prototype;
        WebSocket.prototype.send = function (data) {
          if (typeof data === "string" && data.includes('"join"')) sent.push(data);
          send.call(this, data);
        };
        return sent;
      });
      await name(ada, "Hedy");
      await until(async () => (await names(ada)).includes("Hedy (you)"));
      await name(ada, "Ada");
      await until(async () => (await names(ada)).includes("Ada (you)"));
      expect(await joins.evaluate((sent) => sent.length)).toBe(2);
    });

    test("the colors in the list of names follow the system's light or dark setting", async () => {
      const { ada } = tabs();
      const color = () =>
        ada
          .locator(".people li")
          .first()
          .evaluate((entry) => getComputedStyle(entry, "::before").backgroundColor);
      await ada.emulateMedia({ colorScheme: "light" });
      await until(async () => (await color()).startsWith("oklch(0.48"));
      await ada.emulateMedia({ colorScheme: "dark" });
      await until(async () => (await color()).startsWith("oklch(0.75"));
      await ada.emulateMedia({ colorScheme: null });
    });

    test("a page that sends each event sends more than one that sends 20 a second, and JSON is larger", async () => {
      const { ada } = tabs();
      await press(ada, "All better");
      const one = await guest({ together: false });
      const id = await idOf(one, "Ada");
      const sentFor = async () => {
        const before = positions(one).filter((at) => at.id === id).length;
        // A mouse that moves a thousand times a second, faster than any test could move a real one.
        await ada.evaluate(async () => {
          const canvas = document.querySelector("canvas") as HTMLCanvasElement;
          const { left, top } = canvas.getBoundingClientRect();
          for (let n = 0; n < 40; n++) {
            for (let each = 0; each < 5; each++)
              canvas.dispatchEvent(
                new PointerEvent("pointermove", { clientX: left + 5 * n + each, clientY: top + 9 }),
              );
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        });
        // A click comes after all positions that were sent.
        const ripples = () => one.client.received.filter(({ type }) => type === "ripple").length;
        const rippled = ripples();
        await ada.locator("canvas").dispatchEvent("pointerdown", { clientX: 200, clientY: 200 });
        await until(() => ripples() > rippled);
        return positions(one).filter((at) => at.id === id).length - before;
      };
      const seldom = await sentFor();
      await press(ada, "All naive");
      const often = await sentFor();
      expect(often).toBeGreaterThanOrEqual(200);
      expect(seldom).toBeLessThan(100);
      // Both at the same moment: each is a sum of the last second.
      await until(() =>
        ada.evaluate(() => {
          const shown = (name: string) =>
            Number(document.querySelector(`[data-number=${name}]`)?.textContent?.replaceAll(",", ""));
          return shown("upMessages") > 5 && shown("upBytes") / shown("upMessages") > 25;
        }),
      );
      await press(ada, "All better");
      one.client.socket.close();
    });

    test("while the network takes nothing, positions are dropped and ripples are kept", async () => {
      const { ada } = tabs();
      const one = await guest();
      const id = await idOf(one, "Ada");
      await ada.evaluate(() =>
        Object.defineProperty(WebSocket.prototype, "bufferedAmount", { value: 5_000, configurable: true }),
      );
      await moveTo(ada, 11_000, 11_000);
      await until(async () => (await shown(ada, "dropped")) > 0);
      await moveTo(ada, 22_000, 22_000);
      await ada.mouse.down();
      await ada.mouse.up();
      await one.client.receives("ripple");
      expect(positions(one).some((at) => at.id === id && Math.abs(at.x - 11_000) < 200)).toBe(false);
      await ada.evaluate(() => {
        delete (WebSocket.prototype as { bufferedAmount?: number }).bufferedAmount;
        Object.defineProperty(WebSocket.prototype, "bufferedAmount", { value: 0, configurable: true });
      });
      // Then the newest position comes, and none of the dropped ones.
      await until(() => positions(one).some((at) => at.id === id && Math.abs(at.x - 22_000) < 200));
      expect(positions(one).some((at) => at.id === id && Math.abs(at.x - 11_000) < 200)).toBe(false);
      one.client.socket.close();
    });

    test("a ripple made while the server is down reaches everybody later, and settings and name are kept", async () => {
      const { ada } = tabs();
      await server().kill();
      await until(async () => /^reconnecting/.test((await ada.getByRole("status").textContent()) ?? ""));
      await moveTo(ada, 5_000, 5_000);
      await ada.mouse.down();
      await ada.mouse.up();
      Object.assign(server(), await ports().startServer());
      const one = await guest();
      const tryNow = ada.getByRole("button", { name: "Try now" });
      if (await tryNow.isEnabled()) await tryNow.click({ timeout: 1_000 }).catch(() => {});
      await one.client.receives("ripple", ({ x }) => Math.abs(x - 5_000) < 500, 20_000);
      // It has come back, so it isn't sent again.
      await press(ada, "Leave");
      await press(ada, "Come back");
      await until(async () => (await names(ada)).includes("Ada (you)"));
      expect(one.client.received.filter(({ type }) => type === "ripple")).toHaveLength(1);
      one.client.socket.close();
    });

    test("a pointer whose page sends nothing fades, and the list says so", async () => {
      const { ada } = tabs();
      await ada.clock.install();
      await ada.reload();
      const one = await guest();
      await until(async () => (await names(ada)).includes("Guest"));
      one.client.send({ type: "move", x: 9_000, y: 9_000 });
      await until(async () => {
        await ada.clock.runFor(100);
        return isDrawn(ada, { x: 9_000, y: 9_000 });
      });
      await ada.clock.runFor(9_000);
      await until(async () => (await names(ada)).includes("Guest (silent)"));
      one.client.socket.close();
      await ada.clock.resume();
      await ada.reload();
    });

    test("a crowd of robots arrives, is shown in frames of many pointers, and leaves again", async () => {
      const { ada } = tabs();
      await until(async () => (await shown(ada, "here")) === 2);
      await check(ada, "10");
      await until(async () => (await shown(ada, "here")) === 12);
      await until(async () => (await shown(ada, "each")) > 5);
      await check(ada, "none");
      await until(async () => (await shown(ada, "here")) === 2);
    });

    test("drawing 200 pointers takes a script less than half of a frame's 16 ms", async () => {
      const { ada } = tabs();
      const crowd = await Promise.all(Array.from({ length: 200 }, () => rawWebSocket(ports().serverPort)));
      for (const [n, socket] of crowd.entries()) {
        socket.resume();
        socket.write(frame(0x81, '{"type":"join","name":"Guest","binary":true}'));
        const bytes = Buffer.alloc(4);
        bytes.writeUInt16BE(300 * n, 0);
        bytes.writeUInt16BE(300 * n, 2);
        socket.write(frame(0x82, bytes));
      }
      await until(async () => (await shown(ada, "here")) === 202);
      await until(() => isDrawn(ada, { x: 300 * 150, y: 300 * 150 }));
      // The time of the page's own callback, since a busy computer can't draw 60 frames of anything.
      const frames = await ada.evaluate(
        () =>
          new Promise<number[]>((resolve) => {
            const request = window.requestAnimationFrame;
            const took: number[] = [];
            window.requestAnimationFrame = (draw) =>
              request((now) => {
                const began = performance.now();
                draw(now);
                took.push(performance.now() - began);
                if (took.length === 30) resolve(took);
              });
          }),
      );
      // The quickest one: on a busy computer, other programs interrupt some of them.
      expect(Math.min(...frames)).toBeLessThan(8);
      for (const socket of crowd) socket.destroy();
      await until(async () => (await shown(ada, "here")) === 2);
    });
  },
  { chat: false },
);

test("a pointer is on its way for the time of a frame, and never jumps", () => {
  const motion = new Motion({ x: 0, y: 0 }, 0);
  motion.moveTo({ x: 100, y: 50 }, 1_000);
  expect([1_000, 1_025, 1_050, 2_000].map((ms) => motion.at(ms))).toEqual([
    { x: 0, y: 0 },
    { x: 50, y: 25 },
    { x: 100, y: 50 },
    { x: 100, y: 50 },
  ]);
  expect(motion.at(1_000, false)).toEqual({ x: 100, y: 50 });
  motion.moveTo({ x: 100, y: 50 }, 3_000);
  // The next one comes early: it goes on from where it is.
  motion.moveTo({ x: 200, y: 50 }, 4_000);
  motion.moveTo({ x: 200, y: 150 }, 4_025);
  expect(motion.at(4_025)).toEqual({ x: 150, y: 50 });
  expect([4_025, 9_000].map((ms) => motion.opacity(ms))).toEqual([1, 1]);
  expect(motion.opacity(11_525)).toBeCloseTo(0.575);
  expect(motion.opacity(60_000)).toBeCloseTo(0.15);
});

test("positions survive the way into bytes and back, in network order", () => {
  const positions = [
    { id: 1, x: 0, y: 65_535 },
    { id: 4_000_000_000, x: 513, y: 2 },
  ];
  const { buffer } = toBytes(positions);
  expect(buffer.byteLength).toBe(16);
  expect([...new Uint8Array(buffer)].slice(8)).toEqual([238, 107, 40, 0, 2, 1, 0, 2]);
  expect(fromBytes(buffer)).toEqual(positions);
});
