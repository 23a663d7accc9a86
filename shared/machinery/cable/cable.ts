// The cable as a program: stands between the page and the lesson's server, and runs that server.
import { resolve } from "node:path";
import { anyFreePort } from "../launcher/ports.ts";
import { type Control, control } from "./control.ts";
import { createCable } from "./proxy.ts";
import { serverProcess } from "./server-process.ts";

// node --import tsx shared/machinery/cable/cable.ts lessons/03-chat/server.ts
const file = process.argv[2];
if (!file)
  fail(
    "Which server? For example: node --import tsx shared/machinery/cable/cable.ts lessons/03-chat/server.ts",
  );

const port = portFrom("PORT", 8080);
const controlPort = portFrom("CABLE_PORT", 8081);
const pagePort = portFrom("PAGE_PORT", 8000);
const serverPort = portFrom("SERVER_PORT", 0) || (await anyFreePort());

// The launcher tells the two apart by the first word. The rest of a line is the server's as it is, spaces included.
const print = (who: "cable" | "server", line: string) => console.log(`${who} ${line}`);

// CABLE_HOST: where else than on this computer it can be reached. What steers it never can.
const host = process.env.CABLE_HOST || "127.0.0.1";
const cable = await createCable({ host, listenPort: port, targetPort: serverPort }).catch(
  taken("PORT", port),
);
let panels: Control | undefined;
const server = serverProcess({
  file: resolve(file),
  port: serverPort,
  print: (line) => print("server", line),
  changed(text) {
    cable.note({ kind: "server", text });
    panels?.changed();
  },
});
panels = await control({ port: controlPort, pagePort, cable, server }).catch(
  taken("CABLE_PORT", controlPort),
);
print("cable", `localhost:${cable.port} → the server, ${serverPort}`);

void server.restart();

// The server says goodbye first, through the cable; only then is the cable taken away.
let ending = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, async () => {
    if (ending) return;
    ending = true;
    await server.end();
    await panels?.end();
    // What it said is still on its way: the pages' FIN comes when it has arrived.
    await quiet(500);
    await cable.end();
    process.exit(0);
  });

/** Resolves when no connection is left, after `withinMs` at the latest. */
function quiet(withinMs: number): Promise<void> {
  return new Promise((done) => {
    const look = () => cable.state().open === 0 && done();
    cable.events.on("change", look);
    setTimeout(done, withinMs);
    look();
  });
}

function portFrom(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return otherwise;
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > 65535) fail(`${name} has to be a port, 0 to 65535, not "${text}".`);
  return number;
}

function taken(name: string, number: number) {
  return (error: NodeJS.ErrnoException): never =>
    fail(
      error.code === "EADDRINUSE"
        ? `Port ${number} is taken. End what uses it, or choose another: ${name}=${number + 10}`
        : `Port ${number} (${name}) cannot be used: ${error.message}`,
    );
}

function fail(line: string): never {
  console.error(line);
  process.exit(1);
}
