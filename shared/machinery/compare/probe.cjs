// Preloaded into a server that is measured: it answers with what it has cost so far. It ends when nobody can ask anymore.
const answers = {
  /** CPU time since it started, of user and system, in microseconds. */
  cpu() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },

  /** Bytes of its heap and its buffers, once everything that nobody needs has been thrown away. */
  memory() {
    globalThis.gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  },

  /** Bytes that the operating system counts for it. */
  rss: () => process.memoryUsage.rss(),
};

process.on("message", (question) => {
  if (question in answers) process.send(answers[question]());
});
process.on("disconnect", () => process.exit());
