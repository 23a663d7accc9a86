// Whether the server that is running belongs to this page. Every lesson's server listens on the same port.
import { serverHost } from "./server-host.ts";

const own = location.pathname.match(/\/lessons\/([^/]+)/)?.[1];

/**
 * A sentence for the reader when another lesson is running, "" when it is this page's own. Undefined when nobody answers.
 * With `launched`, the answer is what the launcher had started when it served this page, without a request.
 */
export async function describeOtherLesson({ launched = false } = {}): Promise<string | undefined> {
  const running = launched ? process.env.LESSON || undefined : await askServer();
  if (running === undefined) return undefined;
  if (!own || running === own) return "";
  const [mine, other] = [own, running].map((lesson) => Number.parseInt(lesson, 10) || lesson);
  return `This page belongs to lesson ${mine}, but lesson ${other} is running. Press Ctrl-C in the terminal, then run \`npm run lesson ${mine}\`.`;
}

async function askServer(): Promise<string | undefined> {
  try {
    const response = await fetch(`http://${serverHost}/lesson`, { signal: AbortSignal.timeout(5_000) });
    const { lesson } = await response.json();
    return typeof lesson === "string" ? lesson : undefined;
  } catch {
    return undefined;
  }
}
