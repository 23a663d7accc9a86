// LAN=1: others on the network get in, under this computer's own addresses and no other.
import { request } from "node:http";
import { networkInterfaces } from "node:os";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { openPage } from "../testing/browser.ts";
import { say } from "../testing/lesson.ts";
import { freePort, type Running, runNode } from "../testing/process.ts";
import { describeLan, drawQr, lanAddresses } from "./lan.ts";
import { canConnect } from "./ports.ts";

/**
 * Begins to load the slide with the code. All slides take long: it is one of a course, and nothing waits for all of it.
 * Returns the slide: to look for something in all of them takes long, too.
 */
async function showSlide(stage: Page, port: number): Promise<Locator> {
  await stage.goto(`http://localhost:${port}/slides/?course=240#/broadcast-everybody-join`, {
    waitUntil: "commit",
  });
  return stage.locator("#broadcast-everybody-join");
}

describe("the addresses", () => {
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address);

  test.each(["", "0"])("there are none with LAN=%s", (wanted) => expect(lanAddresses(wanted)).toEqual([]));

  test.skipIf(own.length === 0)("are this computer's own with LAN=1", () => {
    for (const address of lanAddresses("1")) expect(own).toContain(address);
  });

  test.each(["203.0.113.7", "evil.example", "yes", "127.0.0.1.evil.example"])(
    "%s does not belong to this computer, and is refused in words",
    (wanted) => expect(() => lanAddresses(wanted)).toThrow(/isn't an address of this computer. It has: /),
  );

  test("come with their QR code, and with what it means to be open to the network", () => {
    const text = describeLan("http://192.168.1.23:8000/", ["10.0.0.5"]);
    expect(text).toContain("http://192.168.1.23:8000/");
    expect(text).toContain("10.0.0.5");
    expect(text).toContain("█");
    expect(text).toMatch(/unencrypted\s+and without a password/);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(drawQr("http://192.168.1.23:8000/")).toMatch(/^data:image\/svg\+xml,%3Csvg/);
  });
});

// 127.0.0.2 plays an address on the network. Only Linux has it without being told.
describe.skipIf(process.platform !== "linux")("a lesson that is open to the network", () => {
  const room = "127.0.0.2";
  let lesson: Running;
  let page: number;
  let server: number;
  let stage: Page;

  beforeAll(async () => {
    [server, page] = [await freePort(), await freePort()];
    const env = { PORT: String(server), PAGE_PORT: String(page), LAN: room };
    lesson = runNode(["shared/machinery/start.cjs", "launcher/lesson", "4"], env, []);
    await lesson.prints(/Open to this network/);
  });
  afterAll(async () => {
    await lesson.end();
  });

  const status = (port: number, path: string, headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      const answer = request({ host: room, port, path, headers, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      answer.on("error", reject).end();
    });

  const knock = (origin: string, host = `${room}:${server}`) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(`ws://${room}:${server}`, { origin, headers: { Host: host } });
      socket.on("open", () => {
        socket.close();
        resolve("open");
      });
      socket.on("error", ({ message }) => resolve(message));
    });

  test("prints the address, its code, and what it means", () => {
    expect(lesson.output()).toContain(`http://${room}:${page}/lessons/04-broadcast/`);
    expect(lesson.output()).toContain("Ctrl-C closes it");
  });

  test("answers under its own address, and under no other name", async () => {
    const path = "/lessons/04-broadcast/";
    expect(await status(page, path, { Host: `${room}:${page}` })).toBe(200);
    expect(await status(page, path, { Host: "evil.example" })).toBe(421);
    expect(await status(page, path, { Host: `192.0.2.1:${page}` })).toBe(421);
    expect(await status(server, "/", { Host: `${room}:${server}` })).toBe(426);
    expect(await status(server, "/", { Host: "evil.example" })).toBe(421);
    expect(await status(page, "/package.json", { Host: `${room}:${page}` })).toBe(404);
  });

  test("lets its own page connect from there, and no foreign one", async () => {
    expect(await knock(`http://${room}:${page}`)).toBe("open");
    expect(await knock(`http://localhost:${page}`)).toBe("open");
    expect(await knock("http://evil.example")).toContain("403");
    expect(await knock(`http://127x0x0x2:${page}`)).toContain("403");
    expect(await knock(`http://${room}:${page}`, "evil.example")).toContain("421");
  });

  test("listens on that address and on this computer, and nowhere else", async () => {
    for (const port of [page, server]) {
      expect(await canConnect(port, room)).toBe(true);
      expect(await canConnect(port, "127.0.0.1")).toBe(true);
      expect(await canConnect(port, "127.0.0.3")).toBe(false);
    }
  });

  test("lets a phone talk with the page on the stage", async () => {
    const phone = await openPage(`http://${room}:${page}/lessons/04-broadcast/`);
    await phone.setViewportSize({ width: 390, height: 844 });
    stage = await openPage(`http://localhost:${page}/lessons/04-broadcast/`);
    await stage.locator('[data-number="here"]', { hasText: "2" }).waitFor();
    await say(phone, "Grace", "Hello from the last row");
    await stage.getByRole("log").getByText("Hello from the last row").first().waitFor();
    await phone.close();
  });

  test("shows its code on the slide", async () => {
    const slide = await showSlide(stage, page);
    const address = `http://${room}:${page}/lessons/04-broadcast/`;
    await slide.getByRole("img", { name: `QR code of ${address}` }).waitFor();
    await slide.getByRole("link", { name: address }).waitFor();
  });
});

describe.skipIf(process.platform !== "linux")("the slides of a lesson, on the speaker's computer", () => {
  const room = "127.0.0.2";
  const guest = "127.0.0.5";
  let slides: Running;
  let page: number;
  let server: number;
  let slide: Locator;

  beforeAll(async () => {
    [server, page] = [await freePort(), await freePort()];
    const env = { PORT: String(server), PAGE_PORT: String(page), LAN: room };
    slides = runNode(["shared/machinery/start.cjs", "slides/slides", "4"], env, []);
    await slides.prints(/Slides +http/);
    slide = await showSlide(await openPage("about:blank"), page);
  });
  afterAll(async () => {
    await slides.end();
  });

  /** Asks to close the lesson, as a page of `host` that is on the computer `from`. */
  const ask = (from: string, host: string, origin = `http://${host}`) =>
    new Promise<number>((resolve, reject) => {
      const headers = { Host: host, Origin: origin };
      const options = { port: page, path: "/slides/network?close", method: "POST", localAddress: from };
      const question = request({ ...options, host: room, headers, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      question.on("error", reject).end();
    });

  test("say how many have joined, and take no orders from them", async () => {
    await slide.getByText("0 have joined.").waitFor();
    const beyond = await slide.locator(".join").evaluate((join) => {
      const edge = join.closest(".slide")?.getBoundingClientRect().bottom ?? 0;
      return [...join.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().bottom > edge)
        .length;
    });
    expect(beyond).toBe(0);
    const options = { origin: `http://${room}:${page}`, localAddress: guest };
    const gone = [`ws://${room}:${page}/reload`, `ws://${room}:${server}`].map(
      (url) =>
        new Promise((resolve, reject) =>
          new WebSocket(url, options).on("close", resolve).on("error", reject),
        ),
    );
    await slide.getByText("1 has joined.").waitFor();
    expect(await ask(guest, `${room}:${page}`)).toBe(403);
    expect(await ask(guest, `localhost:${page}`)).toBe(403);
    expect(await ask("127.0.0.1", `localhost:${page}`, "http://evil.example")).toBe(403);
    expect(await ask("127.0.0.1", `localhost:${page}`, `http://localhost:${page + 1}`)).toBe(403);

    await slide.getByRole("button", { name: "Close to the network" }).click();
    await Promise.all(gone);
    await slide.getByText("Only this computer reaches the lesson.").waitFor();
    for (const port of [page, server]) await expect.poll(() => canConnect(port, room)).toBe(false);
  });

  test("open it again, with the code and what that means", async () => {
    await slide.getByText("Everyone on this network can then read the workshop's files").waitFor();
    await slide.getByRole("button", { name: "Open to this network" }).click();
    await slide
      .getByRole("img", { name: `QR code of http://${room}:${page}/lessons/04-broadcast/` })
      .waitFor();
    // The code may be there before the server is.
    for (const port of [page, server]) await expect.poll(() => canConnect(port, room)).toBe(true);
  });
});

test("an address of another computer is refused in one line, and nothing is started", async () => {
  const env = { PORT: String(await freePort()), PAGE_PORT: String(await freePort()), LAN: "203.0.113.7" };
  const lesson = runNode(["shared/machinery/start.cjs", "launcher/lesson", "4"], env, []);
  expect(await lesson.ended).toBe(1);
  expect(lesson.output()).toMatch(/^LAN=203\.0\.113\.7 isn't an address of this computer\. It has: .*\n$/);
});
