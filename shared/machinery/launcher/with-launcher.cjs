// Preloaded into what the launcher starts: when the launcher is gone, however it went, this process ends too.
// The launcher holds the other end of stdin and never writes: all that can come is the end.
process.stdin.on("end", end).on("error", end).resume();

function end() {
  // As an event and not as a signal, which on Windows would end this process with no chance to end its own child.
  if (!process.emit("SIGTERM", "SIGTERM")) process.exit();
}
