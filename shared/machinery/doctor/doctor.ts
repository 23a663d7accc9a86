// Examines this computer before a lesson: `npm run doctor`. A line for each thing, and what to do. Exit code 1 when
// something will stop the lessons. (start.cjs has checked Node's version and esbuild before this file can run.)
import { wrap } from "../launcher/wrap.ts";
import { showControls } from "../supervisor/output.ts";
import { disk, folder, git, node, npm, packages } from "./computer.ts";
import type { Finding } from "./finding.ts";
import { browserReachesLocalhost, chromePath } from "./localhost.ts";
import { localhostName, localNetwork, ports, vpn } from "./network.ts";
import { proxies } from "./proxies.ts";

const coloured = Boolean(process.stdout.isTTY && !process.env.NO_COLOR);
const colors = { ok: 32, note: 33, stop: 31 };

void main();

async function main() {
  let stopped = false;
  console.log();
  for (const examine of [
    ...[node, npm, packages, git, disk, folder],
    ...[ports, localhostName, proxies, vpn, chromePath, browserReachesLocalhost, localNetwork],
  ])
    for (const finding of [await examine()].flat()) {
      print(finding);
      stopped ||= finding.verdict === "stop";
    }
  console.log(
    stopped
      ? '\nLessons will not run yet: see what is marked "stop" above.\n'
      : "\nLessons will run here: npm run lesson 1\n",
  );
  process.exit(stopped ? 1 : 0);
}

function print({ about, verdict, found, advice }: Finding) {
  const mark = coloured ? `\x1b[${colors[verdict]}m${verdict.padEnd(4)}\x1b[0m` : verdict.padEnd(4);
  const text = [found, ...(advice ? [advice] : [])].map(showControls).join("\n");
  console.log(`  ${mark}  ${about.padEnd(10)}  ${wrap(text, 20)}`);
}
