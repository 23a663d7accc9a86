// How late a message comes, on the pages that ask for messages.
import type { Message } from "../both/message.ts";
import { room } from "./chat-room.ts";
import { duration, number } from "./numbers.ts";

const openedAt = Date.now();

/**
 * Shows a message, and how long after the server got it. A message from before this page was opened has no age here. An
 * age is right only if the server's clock and this computer's agree.
 */
export function showWithAge(message: Message): void {
  if (message.at < openedAt) {
    room.show(message);
    return;
  }
  const age = duration(Math.max(0, Date.now() - message.at));
  if (room.show(message, `seen after ${age}`)) number("age", age);
}
