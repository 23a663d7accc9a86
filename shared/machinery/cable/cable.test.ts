// The cable as a program, with a real server process behind it.
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { atEnd } from "../testing/clean-up.ts";
import { freePort, root, runNode } from "../testing/process.ts";
import { sideBySide } from "../testing/side-by-side.ts";
import { compiled } from "./compiled.ts";
import type { FromPanel, ServerState, ToPanel } from "./protocol.ts";

/** Sends its process's number to each client that connects, and goodbye on SIGTERM. */
const serverCode = `
import { WebSocketServer } from "ws";
import { word } from "./word.ts";
const sockets = new WebSocketServer({ port: Number(process.env.PORT), host: "127.0.0.1" });
sockets.on("connection", (client) => client.send(word + " " + process.pid));
process.on("SIGTERM", () => {
  for (const client of sockets.clients) client.close(1001, "bye");
  sockets.close(() => process.exit(0));
});
console.log("listening as " + process.pid);
`;
const wordCode = (word: string) => `export const word: string = "${word}";\n`;

/** Runs the cable as `npm run lesson` does: compiled, it starts three times as fast. */
function runCable(server: string, env: Record<string, string | undefined>) {
  const program = compiled(join(root, "shared", "machinery", "cable", "cable.ts"));
  if (!("args" in program)) throw new Error(program.faults.join("\n"));
  return runNode([...program.args, server], env, []);
}

async function started() {
  const folder = mkdtempSync(join(tmpdir(), "cable-"));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  writeFileSync(join(folder, "server.ts"), serverCode);
  writeFileSync(join(folder, "word.ts"), wordCode("one"));
  const [port, controlPort] = [await freePort(), await freePort()];
  const env = {
    PORT: String(port),
    CABLE_PORT: String(controlPort),
    PAGE_PORT: "8000",
    SERVER_PORT: undefined,
  };
  const program = runCable(join(folder, "server.ts"), env);
  atEnd(() => program.kill());
  await program.prints(/\[cable ] localhost/);

  const panel = new WebSocket(`ws://localhost:${controlPort}/cable`, { origin: "http://localhost:8000" });
  atEnd(() => panel.terminate());
  let state: ServerState | undefined;
  panel.on("error", () => {});
  panel.on("message", (data) => {
    const message: ToPanel = JSON.parse(String(data));
    if (message.type !== "hello" && message.type !== "state") return;
    state = message.state.server;
    panel.emit("state");
  });
  await once(panel, "open");
  return {
    program,
    env,
    folder,
    save: (word: string) => writeFileSync(join(folder, "word.ts"), wordCode(word)),
    command: (command: FromPanel) => panel.send(JSON.stringify(command)),
    /** Resolves when the panel receives this state, of another process than `notPid`. */
    async is(process: ServerState["process"], notPid?: number): Promise<ServerState> {
      while (state?.process !== process || (notPid !== undefined && state.pid === notPid))
        await once(panel, "state");
      return state;
    },
    /** Opens a page; resolves with what the server says first. */
    async page() {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`);
      socket.on("error", () => {});
      atEnd(() => socket.terminate());
      const closed = new Promise<number>((resolve) => socket.on("close", resolve));
      const [greeting] = await once(socket, "message");
      const [word, pid] = String(greeting).split(" ");
      return { socket, closed, word, pid: Number(pid) };
    },
  };
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  while (runs(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** One for all tests that leave it running. */
let shared: Awaited<ReturnType<typeof started>>;
beforeAll(async () => {
  shared = await started();
});

sideBySide({
  ...(process.platform === "linux" && {
    "a server that prints without end costs little memory, whether somebody reads or not": async () => {
      const { program, is, folder } = await started();
      await is("running");
      const before = residentMiB(program.child.pid);
      // Turn by turn, since a loop without end would never hand anything to the pipe.
      const flood =
        'const line = "x".repeat(60) + "\\n"; (function print() { process.stdout.write(line.repeat(500), () => setImmediate(print)); })();';
      writeFileSync(join(folder, "word.ts"), `export const word = ""; ${flood}`);
      await program.prints(/… \d[\d,]+ lines left out/);
      // Now nobody reads what the cable prints.
      program.child.stdout?.pause();
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(residentMiB(program.child.pid) - before).toBeLessThan(64);
      await program.kill();
    },
  }),

  "even when the cable is killed, nothing is left running": async () => {
    const { is, page, program } = await started();
    await is("running");
    const { pid } = await page();
    await program.kill();
    await gone(pid);
  },
});

describe("the server behind the cable", () => {
  test("is killed without a goodbye, stays away, and is brought back", async () => {
    const { is, page, command } = shared;
    const { pid } = await is("running");
    const first = await page();
    expect(first.pid).toBe(pid);
    command({ command: "kill" });
    expect(await first.closed).toBe(1006);
    expect(await is("dead")).toMatchObject({ why: "killed (SIGKILL)" });
    expect(runs(first.pid)).toBe(false);
    command({ command: "restart" });
    await is("running");
    const second = await page();
    expect(second.pid).not.toBe(first.pid);
    // A server that runs is asked to go first.
    command({ command: "restart" });
    expect(await second.closed).toBe(1001);
    await is("running", second.pid);
  });

  test("stops for a while and comes back by itself", async () => {
    const { is, page, command } = shared;
    await is("running");
    const { closed } = await page();
    command({ command: "stop", forMs: 700 });
    expect(await closed).toBe(1001);
    expect((await is("stopped")).backInMs).toBeLessThanOrEqual(700);
    await is("running");
    await page();
  });

  test("is restarted when a file is saved that it imports", async () => {
    const { is, page, save } = shared;
    await is("running");
    const first = await page();
    expect(first.word).toBe("one");
    save("two");
    expect(await first.closed).toBe(1001);
    await is("running", first.pid);
    expect((await page()).word).toBe("two");
  });

  test("that does not compile is shown as that, and fixed by saving", async () => {
    const { is, page, save, program, folder } = shared;
    await is("running");
    writeFileSync(join(folder, "word.ts"), "export const word: string = ;");
    expect(await is("dead")).toMatchObject({ why: "does not compile" });
    await program.prints(/\[server] .*word\.ts:1:28/);
    save("fixed");
    await is("running");
    expect((await page()).word).toBe("fixed");
  });

  test("that ends by itself is shown as down, with its exit code", async () => {
    const { is, save, folder, program } = shared;
    await is("running");
    writeFileSync(join(folder, "word.ts"), 'export const word = ""; process.exit(3);');
    expect(await is("dead")).toMatchObject({ why: "exit code 3" });
    await program.prints(/server\.ts has ended \(exit code 3\)\. Save a file to start it again/);
    save("again");
    await is("running");
  });
});

/** The memory that a process holds (Linux only). */
function residentMiB(pid = 0): number {
  return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)?.[1]) / 1024;
}

test("a port that is taken gets one line with its number and its variable, and exit code 1", async () => {
  const { env, program, folder } = shared;
  for (const name of ["PORT", "CABLE_PORT"] as const) {
    const other = name === "PORT" ? "CABLE_PORT" : "PORT";
    const second = runCable(join(folder, "server.ts"), { ...env, [other]: String(await freePort()) });
    expect(await second.ended).toBe(1);
    expect(second.output().trim().split("\n")).toEqual([
      `Port ${env[name]} is taken. Stop the program that uses it, or choose another: ${name}=${Number(env[name]) + 10}`,
    ]);
  }
  // The first one still works.
  const socket = connect(Number(env.PORT), "127.0.0.1");
  await once(socket, "connect");
  socket.destroy();
  expect(program.child.exitCode).toBeNull();
});

// The last test: it ends the shared one. Windows has no signal that a test could send and the cable could answer.
test.skipIf(process.platform === "win32")(
  "when the cable ends, the server says goodbye to its pages, and nothing is left running",
  async () => {
    const { is, page, program } = shared;
    await is("running");
    const { closed, pid } = await page();
    program.child.kill("SIGTERM");
    expect(await closed).toBe(1001);
    expect(await program.ended).toBe(0);
    expect(runs(pid)).toBe(false);
  },
);
