// Tells the open pages which file was saved, over a WebSocket on the pages server itself.
import { type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { join, relative, sep } from "node:path";
import { type WebSocket, WebSocketServer } from "ws";
import { root } from "../launcher/lessons.ts";
import { judgeHost } from "./gate.ts";
import { isForAnotherPort, isOwnOrigin, passOnUpgrade } from "./one-port.ts";

/**
 * Opens /reload on the server. `tell` tells all pages that a file has changed. `visitors` counts the computers and
 * phones that have a page open over an address of the network.
 */
export function openReloadSocket(server: Server): { tell(changed: string): void; visitors(): number } {
  // A WebSocket, not an EventSource: six tabs with those would use up the browser's connections to this server.
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024 });
  const network = process.env.LAN_HOSTS?.split(",") ?? [];
  const visitors = new Map<WebSocket, string>();
  sockets.on(
    "connection",
    (socket, { socket: { localAddress = "", remoteAddress = "" } }: IncomingMessage) => {
      socket.on("error", () => {}); // it closes by itself
      if (network.includes(localAddress)) visitors.set(socket, remoteAddress);
      socket.on("close", () => visitors.delete(socket));
    },
  );

  server.on("upgrade", (request, stream: Socket, head) => {
    stream.on("error", () => {});
    if (isForAnotherPort(request.url)) return void passOnUpgrade(request, stream, head);
    const refusal = judgeUpgrade(request);
    if (refusal) return refuse(stream, refusal);
    sockets.handleUpgrade(request, stream, head, (socket) => sockets.emit("connection", socket, request));
  });

  return {
    tell(changed) {
      const message = JSON.stringify({ changed });
      for (const socket of sockets.clients) socket.send(message);
    },
    visitors: () => new Set(visitors.values()).size,
  };
}

function judgeUpgrade(request: IncomingMessage): number | undefined {
  const { url, headers } = request;
  const verdict = judgeHost(request);
  if (verdict !== "ours") return verdict === "foreign" ? 421 : 400;
  if (url !== "/reload") return 404;
  // The browser says which page asks. A page of another site must not learn which files are saved here.
  if (!isOwnOrigin(headers)) return 403;
}

function refuse(stream: Socket, status: number) {
  stream.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Calls `changed` with the URL's path of each file that is saved in these folders of the workshop. */
export function watchFolders(folders: string[], changed: (path: string) => void) {
  const waiting = new Map<string, NodeJS.Timeout>();
  const watchers = new Map<string, FSWatcher>();

  const seen = (path: string) => {
    // An editor's save is several events; at the first of them the file may still be empty.
    clearTimeout(waiting.get(path));
    const tell = () => {
      waiting.delete(path);
      changed(encodeURI(`/${relative(root, path).split(sep).join("/")}`));
    };
    waiting.set(path, setTimeout(tell, 50));
  };

  // Folder by folder: where Node watches recursively by itself, on Linux, version 20 loses sight of a file that is
  // saved by renaming for the second time. The two other systems do it natively, in one go.
  const native = process.platform !== "linux";
  const look = (folder: string) => {
    watchers.get(folder)?.close();
    try {
      const watcher = watch(folder, { recursive: native }, (_, name) => {
        if (!name) return;
        const path = join(folder, name);
        if (!native && isFolder(path)) look(path);
        else seen(path);
      });
      watcher.on("error", () => watcher.close()); // the folder is gone
      watchers.set(folder, watcher);
      if (native) return;
      for (const entry of readdirSync(folder, { withFileTypes: true }))
        if (entry.isDirectory()) look(join(folder, entry.name));
    } catch {
      // It is gone already, or the system allows no more watchers. Then readers reload pages by hand.
    }
  };
  for (const folder of folders) look(join(root, folder));
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
