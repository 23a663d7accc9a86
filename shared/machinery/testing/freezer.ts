// A network for tests that can fail silently: a TCP proxy that can be frozen, thawed and cut.
import { connect, createServer, type Server, type Socket } from "node:net";
import { atEnd } from "./clean-up.ts";

export class Freezer {
  #frozen = false;
  /** Both ends of each connection. */
  #connections = new Set<[near: Socket, far: Socket]>();
  #silenced = new WeakSet<Socket>();
  readonly #server: Server;
  /** How many connections were opened so far. */
  opened = 0;

  /** Listens on `port`, leads to `targetPort`, both on this machine. */
  static async start(port: number, targetPort: number): Promise<Freezer> {
    const freezer = new Freezer(targetPort);
    await new Promise<void>((resolve) => freezer.#server.listen(port, "127.0.0.1", resolve));
    return freezer;
  }

  private constructor(targetPort: number) {
    this.#server = createServer((near) => {
      this.opened++;
      const far = connect(targetPort, "127.0.0.1");
      const connection: [Socket, Socket] = [near, far];
      this.#connections.add(connection);
      near.on("close", () => this.#connections.delete(connection));
      this.#join(near, far);
      this.#join(far, near);
    });
    atEnd(() => this.end());
  }

  /** Closes the port and every connection. */
  async end(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const [near, far] of this.#connections) {
      near.destroy();
      far.destroy();
    }
    await closed;
  }

  #join(from: Socket, to: Socket) {
    if (this.#frozen) from.pause();
    from.on("data", (chunk) => to.write(chunk));
    from.on("error", () => {});
    from.on("close", () => to.destroy());
  }

  /** Nothing passes and nothing closes, for those that are open and those to come: both ends believe all is well. */
  freeze(): void {
    this.#frozen = true;
    this.freezeSome(1);
  }

  /** The same for some of those that are open, each with this probability. */
  freezeSome(share: number): void {
    for (const connection of this.#some(share)) for (const socket of connection) socket.pause();
  }

  /** The same, and for good: no thaw reaches these. */
  silenceSome(share: number): void {
    for (const connection of this.#some(share))
      for (const socket of connection) {
        socket.pause();
        this.#silenced.add(socket);
      }
  }

  /** All goes on, what was held back first. */
  thaw(): void {
    this.#frozen = false;
    for (const connection of this.#connections)
      for (const socket of connection) if (!this.#silenced.has(socket)) socket.resume();
  }

  /** Every connection ends immediately, with a reset; or each with this probability. */
  cut(share = 1): void {
    for (const connection of this.#some(share)) for (const socket of connection) socket.resetAndDestroy();
  }

  #some(share: number) {
    return [...this.#connections].filter(() => Math.random() < share);
  }
}
