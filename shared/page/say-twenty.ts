// The button "Say twenty things": faster than anybody can type.
import { room } from "./chat-room.ts";

/** Calls `say` twenty times, `everyMs` apart, when the button is pressed. When it throws, the page shows why and stops. */
export function onSayTwenty(say: (from: string, text: string) => void, everyMs: number): void {
  document.querySelector("#say-twenty")?.addEventListener("click", async () => {
    room.refused("");
    try {
      for (let n = 1; n <= 20; n++) {
        say(room.who, `${n} of 20`);
        await new Promise((resolve) => setTimeout(resolve, everyMs));
      }
    } catch (error) {
      room.refused(`Not sent: ${(error as Error).message}`);
    }
  });
}
