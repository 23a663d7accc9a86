// The form: makes a user, logs in and out. The browser keeps the cookie, and no script of this page ever sees it.
import { room } from "../../shared/page/chat-room.ts";
import { number } from "../../shared/page/numbers.ts";
import { serverHost } from "../../shared/page/server-host.ts";

/** Who is logged in. `until`: when the session ends, in milliseconds since 1970. */
export type Session = { name: string; role: string; until: number };

let session: Session | null = null;

/** Shows who is logged in from now on, and for how long. Null: nobody. */
export function showSession(now: Session | null): void {
  session = now;
  room.who = session?.name ?? "nobody";
  number("who", session ? `${session.name}, ${session.role}` : "nobody");
  showRest();
}

function showRest() {
  const seconds = session ? Math.ceil((session.until - Date.now()) / 1_000) : 0;
  number("ends", seconds > 120 ? `${Math.ceil(seconds / 60)} min` : seconds > 0 ? `${seconds} s` : "–");
}
setInterval(showRest, 1_000);
showSession(null);

const form = document.querySelector("#login") as HTMLFormElement;
const refused = form.querySelector(".refused") as HTMLElement;

/**
 * Asks the server over HTTP. `credentials` takes the cookie along, although the page is at another port.
 * @throws {Error} with the server's reason
 */
export async function ask(method: "GET" | "POST", path: string, body?: object) {
  const response = await fetch(`http://${serverHost}${path}`, {
    method,
    credentials: "include",
    // Passwords are hashed slowly on purpose, and a busy computer takes longer.
    signal: AbortSignal.timeout(15_000),
    ...(body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/** Calls `act` whenever somebody has logged in. A page learns of a logout from its socket, as every other tab does. */
export function onlogin(act: () => void): void {
  const attempt = async (steps: () => Promise<unknown>) => {
    // An earlier refusal isn't about this attempt.
    refused.textContent = "";
    try {
      await steps();
    } catch (error) {
      const { name, message } = error as Error;
      refused.textContent = name === "Error" ? message : "The server does not answer.";
    }
  };
  const field = (name: string) => form.elements.namedItem(name) as HTMLInputElement;
  const user = () => ({ name: field("name").value, password: field("password").value });
  const logIn = () =>
    ask("POST", "/login", {
      ...user(),
      seconds: field("short").checked ? 20 : 3_600,
      sameSite: field("none").checked ? "none" : "lax",
    }).then(act);
  const makeUser = async () => {
    await ask("POST", "/users", { ...user(), role: field("reader").checked ? "reader" : "member" });
    await logIn();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(logIn);
  });
  form.querySelector("#make-user")?.addEventListener("click", () => attempt(makeUser));
  form.querySelector("#log-out")?.addEventListener("click", () => attempt(() => ask("POST", "/logout")));
}
