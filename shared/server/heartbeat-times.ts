// How often a server pings, and how long it waits. Tests shorten both, so as not to wait for 25 s.

/** For `heartbeat`, in milliseconds. */
export const heartbeatTimes = {
  pingEveryMs: Number(process.env.PING_EVERY_MS ?? 15_000),
  graceMs: Number(process.env.GRACE_MS ?? 10_000),
};
