// Loaded into the lesson's server before it starts: ends it when the cable is gone, however that came about.
process.on("disconnect", () => process.exit());
// The leash alone is no reason to stay alive.
process.channel?.unref();
