// Preloaded into every Node program that the supervisor starts. Windows has no signal that a program could answer,
// so the supervisor sends a message there, and the program receives it as the event that SIGTERM is elsewhere.
const waiting = [];

process.on("message", (message) => {
  if (message === "goodbye") {
    // Nobody listens for SIGTERM: end as the signal would have ended it.
    if (!process.emit("SIGTERM", "SIGTERM")) process.exit();
  } else if (process.listenerCount("message") === 1) waiting.push(message);
});
// This listener must neither keep the program alive nor take away messages that came before the program listened.
process.channel?.unref();
// The supervisor is gone. Its guard ends this program within a second, unless the supervisor was killed before the guard
// knew of this program.
process.on("disconnect", () => setTimeout(() => process.exit(), 2_000).unref());
process.on("newListener", (name) => {
  if (name !== "message" || waiting.length === 0) return;
  process.nextTick(() => {
    for (const message of waiting.splice(0)) process.emit("message", message);
  });
});
