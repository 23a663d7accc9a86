// What the four lanes have in common: the server's address, the cursor, and what to call with each message.
import type { Answer, Message } from "../../../shared/both/message.ts";

export type Reader = {
  /** The lane's own cable: "localhost:41233". */
  host: string;
  /** The last id seen, and in which log. The first answer says which log that is. */
  cursor: { after: number; log?: string };
  /** A message has arrived. */
  take(message: Message): void;
  /** A request goes out. For the picture. */
  asked(): void;
  /** The lane's state in words. */
  state(name: "connecting" | "open" | "reconnecting", text?: string): void;
};

/** An answer has arrived: moves the cursor, and takes each message. A reset means that another log has begun. */
export function takeAll({ cursor, take }: Reader, { log, reset, messages }: Answer): void {
  cursor.log = log;
  cursor.after = messages.at(-1)?.id ?? (reset ? 0 : cursor.after);
  for (const message of messages) take(message);
}

/** "after=41&log=3f9a" */
export const query = ({ cursor: { after, log } }: Reader) => `after=${after}${log ? `&log=${log}` : ""}`;

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
