// Tests of how the launcher finds ports.
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { portsBehind } from "./ports.ts";

test("a lesson that is started again gets the same ports behind its cable, and two different ones", async () => {
  const [first, again] = [portsBehind(8_080), portsBehind(8_080)];
  const cable = await first();
  expect(await again()).toBe(cable);
  expect(await first()).not.toBe(cable);
});

test("a lesson gets the next port where another program uses its own", async () => {
  const port = await portsBehind(8_081)();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
  expect(await portsBehind(8_081)()).not.toBe(port);
  await new Promise((resolve) => other.close(resolve));
});
