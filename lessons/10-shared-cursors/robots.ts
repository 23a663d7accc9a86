// Robots: more connections of this page. Each moves a pointer sixty times a second, like somebody who draws circles.
import { serverHost } from "../../shared/page/server-host.ts";
import { farthest, placeToBytes } from "./positions.ts";
import { onsettings, settings } from "./switches.ts";

const everyMs = 1_000 / 60;
const robots: WebSocket[] = [];
/** Seconds by which this page's robots are ahead, so that they don't hide behind those of another page. */
const ahead = Math.random() * 100;

/** Adds or removes robots until there are as many as the switch says. */
function adjust() {
  while (robots.length > settings.robots) robots.pop()?.close(1000, "no longer needed");
  while (robots.length < settings.robots) robots.push(newRobot(robots.length + 1));
}
onsettings(adjust);
setInterval(adjust, 1_000); // a server that restarts loses all of them

function newRobot(number: number): WebSocket {
  const robot = new WebSocket(`ws://${serverHost}`);
  // A robot asks for the cheapest format and ignores what it receives, so that this page has time for its own messages.
  robot.onopen = () => robot.send(JSON.stringify({ type: "join", name: `Robot ${number}`, binary: true }));
  robot.onclose = () => robots.includes(robot) && robots.splice(robots.indexOf(robot), 1);
  return robot;
}

setInterval(() => {
  const seconds = ahead + performance.now() / 1_000;
  for (const [n, robot] of robots.entries()) {
    if (robot.readyState !== WebSocket.OPEN) continue;
    const [speed, size] = [0.7 + (n % 7) / 10, 0.08 + (n % 5) / 30];
    const x = farthest * (0.5 + 0.26 * Math.cos(n * 2.4) + size * Math.cos(seconds * speed + n));
    const y = farthest * (0.5 + 0.26 * Math.sin(n * 2.4) + size * Math.sin(seconds * speed + n));
    robot.send(placeToBytes({ x, y }));
  }
}, everyMs);
