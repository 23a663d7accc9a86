// Preloaded into a server that is measured: tells what it costs when it is asked, and ends when nobody asks any more.

const answers: Record<string, () => number> = {
  /** CPU time since it began, of user and system, in microseconds. */
  cpu: () => Object.values(process.cpuUsage()).reduce((sum, time) => sum + time),

  /** Bytes of its heap and of what hangs on it outside, once all that nobody needs is thrown away. */
  memory() {
    global.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  },
};

process.on("message", (wanted: string) => process.send?.(answers[wanted]?.()));
process.on("disconnect", () => process.exit());
