// The process of the crowd: started when there is somebody to read, told how many, ended when nobody is left.
import { fileURLToPath } from "node:url";
import { type Lane, lanes, toLanes } from "../../../lessons/09-compare/settings.ts";
import { type Supervised, startNode } from "../supervisor/supervisor.ts";

/** How many readers each lane has, how often those who poll ask, and where they find the lessons. */
export type CrowdOrder = { readers: number; everyMs: number; after: number; ports: Record<Lane, number[]> };
/** Messages that the readers of each lane have received so far. */
export type CrowdReport = Record<Lane, number>;

const start = fileURLToPath(new URL("../start.cjs", import.meta.url));

export function openCrowd() {
  let running: Supervised | undefined;
  let before = toLanes(() => 0);
  let latest = toLanes(() => 0);

  function open(): Supervised {
    const one = startNode([start, "compare/crowd"], { output: "inherit" });
    console.log(`Crowd: process ${one.child.pid}`);
    one.child.on("message", (report: CrowdReport) => {
      latest = report;
    });
    void one.ended.then(() => {
      before = toLanes((lane) => before[lane] + latest[lane]);
      latest = toLanes(() => 0);
      if (running === one) running = undefined;
    });
    return one;
  }

  return {
    /** As many readers as `order` says from now on. */
    follow(order: CrowdOrder): void {
      if (order.readers > 0 && lanes.some((lane) => order.ports[lane].length > 0)) {
        running ??= open();
        running.child.send(order, () => {});
      } else if (running) {
        void running.kill();
        running = undefined;
      }
    },
    received: (lane: Lane): number => before[lane] + latest[lane],
  };
}
