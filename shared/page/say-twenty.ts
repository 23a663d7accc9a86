// The button "Say twenty things": faster than anybody can type.
import { room } from "./chat-room.ts";

type Say = (from: string, text: string) => void | Promise<void>;

/**
 * Calls `say` twenty times, `everyMs` milliseconds apart, when the button is pressed. It doesn't wait for a promise. When
 * `say` throws, the page shows why and stops; when a promise fails, it shows why and goes on.
 */
export function onSayTwenty(say: Say, everyMs: number): void {
  const refuse = (error: Error) => room.refused(`Not sent: ${error.message}`);
  document.querySelector("#say-twenty")?.addEventListener("click", async () => {
    room.refused("");
    try {
      for (let n = 1; n <= 20; n++) {
        Promise.resolve(say(room.who, `${n} of 20`)).catch(refuse);
        await new Promise((resolve) => setTimeout(resolve, everyMs));
      }
    } catch (error) {
      refuse(error as Error);
    }
  });
}
