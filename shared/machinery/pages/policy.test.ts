// Where a page may connect: to its lesson's server and to the cable's controls, and to no other program of this computer.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { openPage } from "../testing/browser.ts";
import { atEnd } from "../testing/clean-up.ts";
import { startPages } from "../testing/lesson.ts";
import { freePort } from "../testing/process.ts";
import { contentPolicy } from "./policy.ts";

/** The port of a program that lets every page read its answers. */
async function openProgram(): Promise<number> {
  const server = createServer((_request, response) =>
    response.setHeader("Access-Control-Allow-Origin", "*").end(),
  );
  await new Promise<void>((resolve) => server.listen(0, resolve));
  atEnd(() => server.close());
  return (server.address() as AddressInfo).port;
}

test("a page connects to its server and to the cable's controls only. Lesson 9's page connects to its lanes, too", async () => {
  const [server, controls, other] = [await openProgram(), await openProgram(), await openProgram()];
  const pagePort = await freePort();
  await startPages(server, pagePort, { CABLE_PORT: String(controls) });
  const page = await openPage("about:blank");
  const reached = async (lesson: string) => {
    await page.goto(`http://localhost:${pagePort}/lessons/${lesson}/`);
    return page.evaluate(
      async (ports) => {
        const answers = await Promise.allSettled(ports.map((port) => fetch(`http://localhost:${port}/`)));
        return ports.filter((_port, n) => answers[n]?.status === "fulfilled");
      },
      [pagePort, server, controls, other],
    );
  };
  expect(await reached("01-polling")).toEqual([pagePort, server, controls]);
  expect(await reached("09-compare")).toEqual([pagePort, server, controls, other]);
});

test("a page that is opened by its IPv6 address, which a policy can't name, connects to any address", () => {
  expect(contentPolicy("[::1]:8000")).toContain("connect-src 'self' http: ws:;");
  expect(contentPolicy("192.0.2.7:8000")).toContain(
    "connect-src 'self' ws://192.0.2.7:8000 http://192.0.2.7:8080 ws://192.0.2.7:8080;",
  );
});
