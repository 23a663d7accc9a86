// Preloaded into a lesson's server, for checks and tests that wait for its timers: all of its timers and clocks run faster
// by the factor in CLOCK_SPEED, or slower if that is below 1.
const timers = require("node:timers");
const promises = require("node:timers/promises");
const { promisify } = require("node:util");

const speed = Number(process.env.CLOCK_SPEED);

// First of all: Node.js loads this class when it is first used, and the class keeps the timers that it finds then.
const abortAfter = AbortSignal.timeout.bind(AbortSignal);

for (const name of ["setTimeout", "setInterval"]) {
  const [set, promise] = [timers[name], promises[name]];
  promises[name] = (ms, ...values) => promise(ms / speed, ...values);
  const changed = (call, ms, ...values) => set(call, ms / speed, ...values);
  if (set[promisify.custom]) changed[promisify.custom] = promises[name];
  globalThis[name] = timers[name] = changed;
}
const wait = promises.scheduler.wait.bind(promises.scheduler);
promises.scheduler.wait = (ms, options) => wait(ms / speed, options);
AbortSignal.timeout = (ms) => abortAfter(Math.round(ms / speed));

for (const clock of [performance, Date]) {
  const now = clock.now.bind(clock);
  const began = now();
  clock.now = () => began + speed * (now() - began);
}
globalThis.Date = new Proxy(Date, {
  construct: (date, given, self) => Reflect.construct(date, given.length > 0 ? given : [date.now()], self),
  apply: (date) => new date(date.now()).toString(),
});

const { bigint } = process.hrtime;
const began = bigint();
const nanoseconds = () => began + BigInt(Math.round(speed * Number(bigint() - began)));
process.hrtime = ([s, ns] = [0, 0]) => {
  const since = nanoseconds() - BigInt(s) * 1_000_000_000n - BigInt(ns);
  return [Number(since / 1_000_000_000n), Number(since % 1_000_000_000n)];
};
process.hrtime.bigint = nanoseconds;
