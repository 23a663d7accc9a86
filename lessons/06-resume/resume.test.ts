// What lesson 6's server promises to pages whose connections break all the time.
import { expect, test } from "vitest";
import { Freezer } from "../../shared/machinery/testing/freezer.ts";
import { Client, startServer, until } from "../../shared/machinery/testing/lesson.ts";
import { pageWithoutScreen } from "../../shared/machinery/testing/page-without-screen.ts";
import { freePort } from "../../shared/machinery/testing/process.ts";

test("ten pages whose connections are reset and frozen miss nothing, see nothing twice, and stay in order", async () => {
  const [port, serverPort] = [await freePort(), await freePort()];
  const quick = { PORT: String(serverPort), PING_EVERY_MS: "1500", GRACE_MS: "1000" };
  await startServer("06-resume", quick);
  const network = await Freezer.start(port, serverPort);
  const pages = Array.from({ length: 10 }, () => pageWithoutScreen(port));
  await until(() => pages.every(({ opened }) => opened > 0));
  const ada = await Client.open(serverPort);
  ada.send({ type: "resume", after: 0 });

  const count = 300;
  for (let n = 1; n <= count; n++) {
    ada.send({ type: "say", from: "Ada", text: `${n}` });
    if (n % 20 === 0) network.cut(0.5);
    if (n === 100) network.silenceSome(0.3);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await until(() => pages.every(({ seen }) => seen.length >= count), 15_000);
  for (const { seen, gaps } of pages) {
    expect(seen.map(({ id }) => id)).toEqual(Array.from({ length: count }, (_, n) => n + 1));
    expect(gaps).toEqual([]);
  }
  const sum = (name: "opened" | "replayed") => pages.reduce((total, page) => total + page[name], 0);
  // Otherwise nothing would have been tried.
  expect(sum("opened")).toBeGreaterThan(30);
  expect(sum("replayed")).toBeGreaterThan(0);
  for (const page of pages) page.close();
});

test("after a restart, each page shows one declared gap and continues with the new log", async () => {
  const port = await freePort();
  const first = await startServer("06-resume", { PORT: String(port) });
  const pages = [pageWithoutScreen(port), pageWithoutScreen(port)];
  const say = async (text: string) => {
    const ada = await Client.open(port);
    ada.send({ type: "say", from: "Ada", text });
    ada.socket.close();
  };
  await until(() => pages.every(({ opened }) => opened === 1));
  await say("old times");
  await until(() => pages.every(({ seen }) => seen.length === 1));
  await first.kill();
  await startServer("06-resume", { PORT: String(port) });
  await until(() => pages.every(({ gaps }) => gaps.length > 0));
  await say("new times");
  await until(() => pages.every(({ seen }) => seen.at(-1)?.text === "new times"));
  for (const { gaps } of pages) expect(gaps).toEqual(["restarted"]);
  for (const page of pages) page.close();
});
