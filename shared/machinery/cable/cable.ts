// The cable as a program: it is between the page and the lesson's server, and runs that server.
import { resolve } from "node:path";
import { listenAddresses } from "../launcher/listen.ts";
import { anyFreePort } from "../launcher/ports.ts";
import { boundedOutput } from "../supervisor/output.ts";
import { endOnSignal } from "../supervisor/supervisor.ts";
import { type Control, control } from "./control.ts";
import { type Cable, createCable } from "./proxy.ts";
import { untilQuiet } from "./quiet.ts";
import { serverProcess } from "./server-process.ts";

const output = boundedOutput(process.stdout);
const coloured = (process.env.FORCE_COLOR ?? "0") !== "0";
/** The color of a name in the terminal (ECMA-48 SGR). */
const colors = { cable: 33, server: 36 };
// Lines as concurrently prints them. The launcher passes them on as they are, since it can't tell the two apart.
function print(who: keyof typeof colors, line: string): void {
  const name = `[${who.padEnd("server".length)}]`;
  output.write(`${coloured ? `\x1b[${colors[who]}m${name}\x1b[39m` : name} ${line}\n`);
}

async function main() {
  // node shared/machinery/start.cjs cable/cable lessons/03-chat/server.ts
  const file = process.argv[2];
  if (!file)
    fail("Which server? For example: node shared/machinery/start.cjs cable/cable lessons/03-chat/server.ts");
  const port = portFrom("PORT", 8080);
  const controlPort = portFrom("CABLE_PORT", 8081);
  const pagePort = portFrom("PAGE_PORT", 8000);
  const serverPort = portFrom("SERVER_PORT", 0) || (await anyFreePort());

  let cable: Cable | undefined;
  let panels: Control | undefined;
  const server = serverProcess({
    file: resolve(file),
    port: serverPort,
    print: (line) => print("server", line),
    report: (text) => output.write(`\n${text}\n\n`),
    changed(text) {
      process.send?.({ server: server.state().process });
      cable?.note({ kind: "server", text });
      panels?.changed();
    },
  });
  // The server comes first, because it takes longest to start.
  const started = server.restart();
  // CABLE_HOST: open to the network as well. The control connection never is.
  const hosts = listenAddresses(process.env.CABLE_HOST ? process.env : {});
  cable = await createCable({ hosts, listenPort: port, targetPort: serverPort }).catch(taken("PORT", port));
  panels = await control({ port: controlPort, pagePort, cable, server }).catch(
    taken("CABLE_PORT", controlPort),
  );
  print("cable", `localhost:${cable.port} → the server, ${serverPort}`);
  await started;

  // The server says goodbye first, through the cable. Only then does the cable end.
  endOnSignal(async () => {
    await server.end();
    await panels?.end();
    // Its last bytes are still on their way: the pages' FIN comes when they have arrived.
    if (cable) await untilQuiet(cable, 500);
    await cable?.end();
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
        ? `Port ${number} is taken. Stop the program that uses it, or choose another: ${name}=${number + 10}`
        : `Port ${number} (${name}) cannot be used: ${error.message}`,
    );
}

function fail(line: string): never {
  console.error(line);
  process.exit(1);
}

void main();
