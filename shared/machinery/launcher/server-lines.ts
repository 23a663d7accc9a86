// The lines that the terminal shows about a lesson's server: one true line after each restart.

/** A server that doesn't listen by then loops at its top, or never calls listen. */
export const silentAfterMs = 8_000;

export function describeError(file: string): string {
  return `${file} has an error (see above). Fix it and save.\nThe server restarts by itself.`;
}

export function describeSilence(file: string): string {
  const seconds = silentAfterMs / 1_000;
  return `${file} has been running for ${seconds} s but does not listen on PORT yet.\nIs there an endless loop, or is serve(…) never called?`;
}

export const runningAgain = "The server is running again.";
