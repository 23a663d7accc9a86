// Preloaded into a lesson's server: its timers and clocks run five times as fast, for checks and tests that wait for them.
for (const name of ["setTimeout", "setInterval"]) {
  const set = globalThis[name];
  globalThis[name] = (call, ms, ...values) => set(call, ms / 5, ...values);
}
for (const clock of [performance, Date]) {
  const now = clock.now.bind(clock);
  const began = now();
  clock.now = () => began + 5 * (now() - began);
}
