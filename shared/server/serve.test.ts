// What serve() promises for every lesson's server alike, tested once: on lesson 1 over HTTP, on lesson 3 over WebSocket.
// Whatever is quick is tested on each lesson, see shared/machinery/testing/every-server.ts.
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { closesEveryPage, handshakeBytes } from "../machinery/testing/every-server.ts";
import { heavyText, raw, runServer, startServer } from "../machinery/testing/lesson.ts";
import { sideBySide } from "../machinery/testing/side-by-side.ts";

const getAll = "GET /messages?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n";

sideBySide({
  "a connection over HTTP that says nothing, or dribbles its headers, is closed within 20 s": () =>
    closesTheSilent("01-polling"),

  "a connection to a WebSocket server that says nothing, or dribbles its headers, is closed within 20 s":
    () => closesTheSilent("03-chat"),

  "clients that ask for the whole log and don't read it, or ask for it 200 times, cost little memory":
    async () => {
      const { url, port, child } = await startServer("01-polling");
      const body = JSON.stringify({ from: "Ada", text: heavyText });
      const headers = { "Content-Type": "application/json" };
      for (let n = 0; n < 800; n++) await fetch(`${url}/messages`, { method: "POST", headers, body });
      const whole = await (await fetch(`${url}/messages?after=0`)).text();
      const bytes = Buffer.byteLength(whole);
      expect(bytes).toBeGreaterThan(9_000_000);

      const before = memory(child.pid);
      const unread = Array.from({ length: 30 }, () => {
        const socket = connect(port, "127.0.0.1", () => socket.write(getAll)).pause();
        return {
          socket,
          closed: new Promise((resolve) => socket.on("close", resolve).on("error", () => {})),
        };
      });
      for (let n = 0; n < 100; n++) await raw(port, getAll.repeat(200));
      expect(await (await fetch(`${url}/messages?after=0`)).text()).toBe(whole);
      expect(memory(child.pid) - before).toBeLessThan(64);

      // A client that reads nothing for 15 s is disconnected. It finds out when it reads again.
      await new Promise((resolve) => setTimeout(resolve, 18_000));
      for (const { socket } of unread) socket.resume();
      await Promise.all(unread.map(({ closed }) => closed));
      expect(unread.every(({ socket }) => socket.bytesRead < bytes)).toBe(true);
    },
});

async function closesTheSilent(lesson: string) {
  const { port } = await startServer(lesson);
  await Promise.all(
    ["", "GET / HTTP/1.1\r\nHost: localhost\r\nX: "].map(async (bytes) => {
      const began = performance.now();
      await raw(port, bytes, 20_000);
      expect(performance.now() - began).toBeGreaterThan(5_000);
    }),
  );
}

/** MiB that a process has in memory. Only Linux says. */
function memory(pid: number | undefined): number {
  if (process.platform !== "linux") return 0;
  return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)?.[1]) / 1024;
}

test("a port that another program has on ::1 is taken, too", async () => {
  const other = createServer().listen(0, "::1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { port: number };
  const second = await runServer("01-polling", { PORT: String(port) });
  expect(await second.ended).toBe(1);
  expect(second.output()).toMatch(/^Port \d+ is taken: /);
  other.close();
});

test("an impossible port is reported in one line, with exit code 1", async () => {
  const server = await runServer("01-polling", { PORT: "eighty" });
  expect(await server.ended).toBe(1);
  expect(server.output().trim().split("\n")).toHaveLength(1);
});

test("refused handshakes are printed, at most ten lines a second, and the others are counted", async () => {
  const server = await startServer("03-chat");
  const from = server.output().length;
  await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      raw(server.port, handshakeBytes({ Origin: `http://evil.example/${n}\u009b` })),
    ),
  );
  const [{ index = 0 }] = [await server.prints(/^… \d+ more$/m)];
  const printed = server.output().slice(from, index);
  expect(printed.trim().split("\n")).toHaveLength(10);
  expect(printed).toMatch(
    /^refused a handshake: GET \/, Host localhost, Origin http:\/\/evil.example\/.*\\x9b\n/,
  );
});

// Windows has no Ctrl-C that a test could send.
test.skipIf(process.platform === "win32")(
  "Ctrl-C closes every page with 1001 and ends the server with exit code 0",
  async () => {
    const server = await startServer("03-chat");
    await closesEveryPage(server, () => server.child.kill("SIGINT"));
  },
);
