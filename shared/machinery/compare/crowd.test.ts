// Promises of the crowd of lesson 9: readers that join begin where the others are.
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { toLanes } from "../../../lessons/09-compare/settings.ts";
import { startServer, until } from "../testing/lesson.ts";
import { openCrowd } from "./crowd-process.ts";

test("readers that join while the publisher is ahead of the lesson don't fetch the whole log", async () => {
  const { url, port } = await startServer("01-polling");
  const say = async () => {
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ from: "Ada", text: "hello" });
    expect((await fetch(`${url}/messages`, { method: "POST", headers, body })).status).toBe(201);
  };
  for (let n = 0; n < 300; n++) await say();
  const crowd = openCrowd();
  const ports = { ...toLanes((): number[] => []), polling: [port] };
  const follow = (readers: number, after: number) => crowd.follow({ readers, everyMs: 100, after, ports });
  try {
    follow(1, 300);
    await say();
    await until(() => crowd.received("polling") === 1);
    follow(9, 400);
    let said = 1;
    await until(async () => {
      await say();
      said++;
      await pause(20);
      return crowd.received("polling") > 50;
    });
    // With the 300 from before, it would be more than 2,400.
    expect(crowd.received("polling")).toBeLessThanOrEqual(9 * said);
  } finally {
    follow(0, 400);
  }
});
