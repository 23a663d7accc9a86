// The instructor's view of a class: `LAN=1 npm run room`. It shows live how far everyone is.
import { createRequire } from "node:module";
import { lanAddresses } from "../launcher/lan.ts";
import { readPort, whyNotFree } from "../launcher/ports.ts";
import { whatRunsAt } from "../launcher/what-runs.ts";
import { fitTerminal } from "../launcher/wrap.ts";

main().catch((error) => {
  console.error(fitTerminal(error.message));
  process.exit(1);
});

async function main() {
  // Not 8000: the slides run there meanwhile.
  process.env.PAGE_PORT ??= "8001";
  const port = readPort("PAGE_PORT");
  const lan = lanAddresses();
  const fault = await whyNotFree("PAGE_PORT", port);
  if (fault && (await whatRunsAt(port)) === "the room")
    throw new Error(
      `The room is open already: http://localhost:${port}/\nTo start it again, stop it with Ctrl-C where npm run room runs.`,
    );
  if (fault) throw new Error(fault);
  // Which hosts are ours is read when the server's modules are loaded.
  if (lan.length > 0) process.env.LAN_HOSTS = lan.join(",");
  else delete process.env.LAN_HOSTS;
  const { openRoom } = createRequire(import.meta.url)("./open-room.ts") as typeof import("./open-room.ts");
  await openRoom(port, lan);
}
