// What the workshop uses of local-web-server and its plugins, which come without types.
declare module "local-web-server" {
  import type { Server } from "node:http";
  import type { Plugin } from "./pages.ts";

  export default class LocalWebServer {
    server: Server;
    /** Called once, before the server listens. */
    createServer(): Server;
    static create(config: {
      port: number;
      hostname: string;
      directory: string;
      stack: (new () => Plugin)[];
      /** Receives all events, "server.error" among them. */
      view: { write(key: string, value: unknown): void };
      /** Do not look for settings in lws.config.js of this and all outer folders. */
      _alreadyMerged: true;
    }): Promise<LocalWebServer>;
  }
}
declare module "lws-static" {
  import type { Plugin } from "./pages.ts";

  const Static: new () => Plugin;
  export default Static;
}
declare module "lws-conditional-get" {
  import type { Plugin } from "./pages.ts";

  const ConditionalGet: new () => Plugin;
  export default ConditionalGet;
}
