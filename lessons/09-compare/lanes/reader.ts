// What the four lanes have in common: where the server is, where they stand, and whom they tell.
import type { Message } from "../../../shared/both/old-message.ts";

export type Reader = {
  /** The lane's own cable: "localhost:41233". */
  host: string;
  /** The cursor: the last id seen, and in which log. */
  cursor: { after: number; log: string };
  /** A message is here. Moves the cursor. */
  take(message: Message): void;
  /** A request goes out; for the picture. */
  asked(): void;
  /** The lane's state in words. */
  state(name: "connecting" | "open" | "reconnecting", text?: string): void;
};

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
