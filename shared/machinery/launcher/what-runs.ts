// Which part of this workshop answers at a port of this computer.
import { Agent, get } from "node:http";

/** "lesson 03-chat", "the pages server", "the room", or undefined for other programs and for none. Waits for two seconds at most. */
export async function whatRunsAt(port: number): Promise<string | undefined> {
  const paths = ["/slides/now", "/lesson", "/people"];
  const [pages, server, room] = await Promise.all(paths.map((path) => ask(port, path)));
  const lesson = pages?.lesson ?? server?.lesson;
  if (typeof lesson === "string" && /^\d\d-[a-z0-9-]+$/.test(lesson)) return `lesson ${lesson}`;
  if (pages && "answers" in pages) return "the pages server";
  return typeof room?.people === "number" ? "the room" : undefined;
}

function ask(port: number, path: string): Promise<Record<string, unknown> | undefined> {
  return new Promise((resolve) => {
    let text = "";
    // An agent of its own: the global one may be told to use a proxy.
    const options = { host: "127.0.0.1", port, path, agent: new Agent(), signal: AbortSignal.timeout(2_000) };
    get({ ...options, headers: { Host: `localhost:${port}` } }, (response) => {
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
        if (text.length > 10_000) response.destroy();
      });
      response.on("error", () => resolve(undefined));
      response.on("close", () => {
        try {
          const answer = JSON.parse(text);
          resolve(answer !== null && typeof answer === "object" ? answer : undefined);
        } catch {
          resolve(undefined);
        }
      });
    }).on("error", () => resolve(undefined));
  });
}
