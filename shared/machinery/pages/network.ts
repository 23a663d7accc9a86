// Lets the speaker open the lesson to the network while the slides run, and close it again.
import type { IncomingMessage } from "node:http";
import { lanAddresses } from "../launcher/lan.ts";
import { publicHost } from "../launcher/public-host.ts";
import { isHere } from "./gate.ts";
import { isOwnOrigin } from "./one-port.ts";

/** What the slides send to: POST /slides/network?open or ?close. */
export const networkPath = "/slides/network";

/**
 * Whether this request comes from a browser on this computer. Others on the network may look at the slides, but not
 * open or close anything. A forwarded port looks like this computer, so there nobody may.
 */
export function isSpeaker(request: IncomingMessage): boolean {
  const isNamedSo = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(request.headers.host ?? "");
  return isHere(request) && isNamedSo && publicHost() === undefined;
}

/** Whether the slides can open this lesson: `npm run slides` has started it, and says with SLIDES_LAN how. */
export const canOpen = () => Boolean(process.env.SLIDES_LAN && process.env.LESSON && process.send);

/**
 * Asks the program that runs the slides to start the lesson again, open to the network or not. That also ends every
 * connection that there is.
 * @returns the status to answer with, and why not
 */
export function changeNetwork(request: IncomingMessage): { status: number; why?: string } {
  if (!isSpeaker(request) || !isOwnOrigin(request.headers)) return { status: 403 };
  const wanted = request.url?.slice(networkPath.length);
  if (wanted !== "?open" && wanted !== "?close") return { status: 400 };
  if (!canOpen()) return { status: 409, why: "Start the slides with npm run slides." };
  try {
    if (wanted === "?open") lanAddresses(process.env.SLIDES_LAN);
  } catch (error) {
    return { status: 409, why: (error as Error).message };
  }
  // After the answer, which this process gives before it ends.
  setTimeout(() => process.send?.({ network: wanted === "?open" }), 50);
  return { status: 202 };
}
