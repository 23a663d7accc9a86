// Tests of lesson 1's server.
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { everyHttpServer, patientServer } from "../../shared/machinery/testing/every-server.ts";
import { raw, startServer } from "../../shared/machinery/testing/lesson.ts";

everyHttpServer("01-polling");
patientServer("01-polling");

const post = (url: string, text: string) =>
  fetch(`${url}/messages`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ from: "Ada", text }),
  });

test("a poll is answered at once with what came after its cursor, ids rising by one", async () => {
  const { url } = await startServer("01-polling");
  await Promise.all(Array.from({ length: 50 }, (_, n) => post(url, `${n}`)));
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
  const { url } = await startServer("01-polling");
  const arrived: number[] = [];
  await Promise.all(
    Array.from({ length: 8 }, async (_, nth) => {
      await post(url, `${nth}`);
      await (await fetch(`${url}/messages?after=0&slow`)).json();
      arrived.push(nth);
    }),
  );
  // By chance, eight random times are in order once in 40,320 runs.
  expect(arrived).not.toEqual([...arrived].sort());
});

const getAll = "GET /messages?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n";

test("clients that ask for the whole log and don't read it, or ask for it 200 times, cost little memory", async () => {
  const { url, port, child } = await startServer("01-polling");
  for (let n = 0; n < 1_000; n++) await post(url, "👩‍👩‍👧‍👦".repeat(500));
  const whole = await (await fetch(`${url}/messages?after=0`)).text();
  expect(whole.length).toBeGreaterThan(4_000_000);

  const before = memory(child.pid);
  const unread = Array.from({ length: 30 }, () => {
    const socket = connect(port, "127.0.0.1", () => socket.write(getAll)).pause();
    return { socket, closed: new Promise((resolve) => socket.on("close", resolve).on("error", () => {})) };
  });
  for (let n = 0; n < 100; n++) await raw(port, getAll.repeat(200));
  expect(await (await fetch(`${url}/messages?after=0`)).text()).toBe(whole);
  expect(memory(child.pid) - before).toBeLessThan(64);

  // A client that reads nothing for 15 s is disconnected. It finds out when it reads again.
  await new Promise((resolve) => setTimeout(resolve, 18_000));
  for (const { socket } of unread) socket.resume();
  await Promise.all(unread.map(({ closed }) => closed));
  expect(unread.every(({ socket }) => socket.bytesRead < whole.length)).toBe(true);
}, 60_000);

/** MiB that a process has in memory. Only Linux says. */
function memory(pid: number | undefined): number {
  if (process.platform !== "linux") return 0;
  return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)?.[1]) / 1024;
}
