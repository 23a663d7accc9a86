// Tests of lesson 1's server.
import { beforeAll, expect, test } from "vitest";
import { everyHttpServer } from "../../shared/machinery/testing/every-server.ts";
import { startServer } from "../../shared/machinery/testing/lesson.ts";

everyHttpServer("01-polling");

const post = (text: string) =>
  fetch(`${url}/messages`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ from: "Ada", text }),
  });

let url: string;
beforeAll(async () => {
  ({ url } = await startServer("01-polling"));
});

test("answers a poll immediately with what came after its cursor, ids rising by one", async () => {
  await Promise.all(Array.from({ length: 50 }, (_, n) => post(`${n}`)));
  const answer = await (await fetch(`${url}/messages?after=20`)).json();
  expect(answer.messages.map(({ id }: { id: number }) => id)).toEqual(
    Array.from({ length: 30 }, (_, n) => n + 21),
  );
  expect(answer.messages[0]).toEqual({
    id: 21,
    from: "Ada",
    text: expect.any(String),
    at: expect.closeTo(Date.now(), -4),
  });
});

test("slow answers overtake each other", async () => {
  const arrived: number[] = [];
  await Promise.all(
    Array.from({ length: 8 }, async (_, nth) => {
      await post(`${nth}`);
      await (await fetch(`${url}/messages?after=0&slow`)).json();
      arrived.push(nth);
    }),
  );
  // By chance, eight random times are in order once in 40,320 runs.
  expect(arrived).not.toEqual([...arrived].sort());
});
